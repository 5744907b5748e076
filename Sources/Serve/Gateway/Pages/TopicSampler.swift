internal import EventLog
internal import EventModel

/// How many records topics have, and how fast more come.
final class TopicSampler: Sendable {
    struct Seen: Sendable {
        var topic: Topic
        var records: Int64
        /// Records a second since a sample before; nil where there is none.
        var rate: Int?
    }

    private let log: any EventLog
    private let samples = RecentSamples<Seen>()

    init(_ log: any EventLog) { self.log = log }

    func sample() async throws -> [Seen] {
        if let last = samples.last { return last }
        let topics = try await log.topics()
        let bounds = try await log.bounds(of: try await log.partitions(of: topics.map(\.name)))
        var (ends, counts) = ([String: Int64](), [String: Int64]())
        for (partition, range) in bounds {
            ends[partition.topic, default: 0] += range.upperBound.rawValue
            counts[partition.topic, default: 0] += range.upperBound.rawValue - range.lowerBound.rawValue
        }
        return samples.keep(ends) { rate in
            topics.sorted { $0.name < $1.name }.map { topic in
                Seen(topic: topic, records: counts[topic.name] ?? 0, rate: rate(topic.name))
            }
        }
    }
}
