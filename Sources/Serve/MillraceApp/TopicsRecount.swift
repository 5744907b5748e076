internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import MillraceBus

extension Topics {
    /// `millrace topics recount`.
    struct Recount: AppCommand {
        static let configuration = CommandConfiguration(
            commandName: "recount",
            abstract: "Note how many partitions topics have now, once every key is where it belongs.",
            paragraphs: """
                How many partitions a topic has is noted on the log, for its keys are spread
                among so many. Handlers, and reactors that remember, stop where a topic has
                another count. Where it was made anew, this reads all of it. If each record
                lies in the partition of its key (murmur2), the count is noted, and workers
                may go on; else it says where the first one is that does not, and exits
                with 65.
                """)
        @Argument(help: "Topics.", completion: .names)
        var topics: [String]
        @OptionGroup var shape: OutputOptions
        @OptionGroup var places: LogAndViewOptions

        func run(in app: Application) async throws {
            try await places.withLog(app) { log in
                let counts = try await log.partitionCounts()
                if counts[TopicBook.topic.name] == nil { throw LogError.unknown(TopicBook.topic.name) }
                var noted: [String: Int] = [:]
                var counted: [(topic: String, partitions: Int, records: Int)] = []
                for topic in topics {
                    guard let count = counts[topic] else { throw LogError.unknown(topic) }
                    let records = try await Self.check(topic, among: count, on: log)
                    noted[topic] = count
                    counted.append((topic, count, records))
                    if shape.asTable {
                        try Output.standard.line(
                            "\(topic): \(count) partitions, \(records) records, each in the partition of its key")
                    }
                }
                try await TopicBook(log, clock: { now() }).note(noted)
                if shape.csv {
                    try shape.showLines(
                        counted.map { line -> Members in
                            [
                                ("topic", JSON.string(line.topic)), ("partitions", String(line.partitions)),
                                ("records", String(line.records)),
                            ]
                        })
                } else if !shape.asTable {
                    let all = noted.sorted { $0.key < $1.key }.map { ($0.key, String($0.value)) }
                    try Output.standard.line(JSON.object(all))
                }
            }
        }

        /// Reads a topic; throws at the first record that is not where its key belongs.
        static func check(_ topic: String, among count: Int, on log: any EventLog) async throws -> Int {
            var records = 0
            let bounds = try await log.bounds(of: (0..<count).map { TopicPartition(topic, Partition($0)) })
            for (place, range) in bounds.sorted(by: { $0.key < $1.key }) {
                let home = KeyedPartition(place, among: count)
                try await log.scan(place, from: range.lowerBound, to: range.upperBound) { batch in
                    for record in batch.records {
                        guard let right = home.other(for: record.key) else { continue }
                        throw Failure(
                            .data,
                            """
                            \(place)@\(record.offset) is of the key \(record.key.text), which belongs into partition \(right) of \
                            \(count). Nothing was noted: write the topic's records anew, each into the partition of its key
                            """)
                    }
                    records += batch.records.count
                }
            }
            return records
        }
    }
}
