import EventLog
import EventModel
import Foundation
import TestSupport
import Testing

@testable import LocalLog

@Suite("Compaction of a large partition", .timeLimit(.minutes(2)))
struct CompactionTests {
    private let directory = NSTemporaryDirectory() + "millrace-test-" + UUID().uuidString
    private let states = TopicPartition("states", 0)

    private func count(_ log: LocalLog) async throws -> Int {
        let range = try #require(try await log.bounds(of: [states])[states])
        var count = 0
        try await log.scan(states, from: range.lowerBound, to: range.upperBound) { count += $0.records.count }
        return count
    }
    private func append(_ keys: Range<Int>, _ value: String, to log: LocalLog) async throws {
        _ = try await log.append([Append(states, keys.map { NewRecord("k\($0)", value) })])
    }

    @Test func `waits until it has grown by a quarter, and a small one does not wait`() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let log = try await LocalLog.open(directory: directory)
        try await log.create([
            Topic("states", partitions: 1, cleanup: .compact, key: "key", schema: "test.State", owner: "tests")
        ])
        _ = try await log.closed(after: { log in
            let large = Retention.small
            try await append(0..<large - 1, "first", to: log)
            try await append(0..<100, "second", to: log)
            try await log.maintain(at: noon)
            #expect(try await count(log) == large - 1)
            // It was small.
            try await append(0..<100, "third", to: log)
            try await log.maintain(at: noon)
            #expect(try await count(log) == large - 1)

            try await append(large - 1..<large, "first", to: log)
            try await log.maintain(at: noon)
            #expect(try await count(log) == large)
            try await append(0..<large / 4 - 1, "fourth", to: log)
            try await log.maintain(at: noon)
            #expect(try await count(log) == large + large / 4 - 1)
            try await append(0..<1, "fifth", to: log)
            try await log.maintain(at: noon)
            #expect(try await count(log) == large)
        })
    }
}
