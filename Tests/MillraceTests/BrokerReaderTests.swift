import EventLog
import EventModel
import Foundation
import Handling
import Kafka
import TestSupport
import Testing

extension BrokerTests {
    /// What readers of other makers see of what handlers write.
    @Suite("Other readers", .enabled(if: Broker.kcat != nil, "kcat is not installed: apt-get install kcat"))
    struct ReaderTests {
        /// The command of the documents that begins so, on this broker.
        private func command(_ beginning: String) throws -> String {
            let text = try String(contentsOfFile: Bus.package + "/docs/operations/kafka.md", encoding: .utf8)
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(beginning) })
            return String(line).replacing("broker:9092", with: try #require(Broker.address))
        }

        /// Writes events that nobody may ever see, each in a transaction that is given up.
        private func abort(_ count: Int, keys: String) async throws {
            let producer = try Producer(
                .producer([
                    "bootstrap.servers": try #require(Broker.address), "transactional.id": keys,
                    "retry.backoff.ms": "5",
                ]))
            do {
                try await producer.initTransactions(within: .seconds(300))
                for i in 0..<count {
                    let key = Bytes("\(keys)\(i)")
                    let message = OutgoingMessage(key: key.slice, value: key.slice, timestamp: 1, headers: [])
                    try await producer.begin()
                    _ = try await producer.produce([
                        OutgoingBatch(
                            topic: "tickets.events", partition: Partitioner.partition(of: key, among: 4).rawValue,
                            [message]
                        )
                    ])
                    try await producer.abort(within: .seconds(300))
                }
            } catch {
                await producer.close()
                throw error
            }
            await producer.close()
        }

        @Test func `kcat sees each committed event once, and none of a transaction that was aborted`() async throws {
            try await onBroker { bus in
                var crew = try await Crew(bus, 2)
                try await Sales.onBroker(seed: 3) { sales in
                    let keys = sales.name + "aborted"
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { for _ in 0..<10 { try await sales.sell() } }
                        group.addTask { try await abort(50, keys: keys) }
                        // Somewhere in a transaction, perhaps.
                        try await eventually("some answers") { sales.count > 200 ? true : nil }
                        try await crew.crash(0)
                        try await group.waitForAll()
                    }
                    try await crew.replace(0)
                    try await crew.stop()

                    let committed = try await bus.sh(
                        try command("kcat -C -b broker:9092 -t tickets.events -o beginning -e"))
                    #expect(committed.exit == 0, "\(committed)")
                    let seen = committed.lines.filter { $0.contains(sales.name) }
                    let places = seen.map { $0.prefix { $0 != " " } }.map(String.init).sorted()
                    let told = sales.written.map { "\($0.place.partition)@\($0.offset)" }.sorted()
                    #expect(places == told, "as often as the handlers said, and where")
                    #expect(!seen.contains { $0.contains(keys) })

                    let all = try await bus.sh(
                        try command("kcat -C -b broker:9092 -t tickets.events -o beginning -e")
                            .replacing("read_committed", with: "read_uncommitted"))
                    let aborted = all.lines.filter { $0.contains(sales.name) }.count - seen.count
                    #expect(aborted >= 50, "the aborted ones are there, for who wants to see them")
                    print("\(seen.count) events seen, \(aborted) aborted ones not")
                }
            }
        }
    }
}
