import EventLog
import EventModel
import Foundation
import TestSupport
import Testing

@testable import LocalLog

@Suite("Compaction of a large partition", .timeLimit(.minutes(10)))
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
            let large = Compacted.small
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

    @Test func `is remembered: who opens the log again does not read all of it`() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let large = Compacted.small
        let first = try await LocalLog.open(directory: directory)
        try await first.create([
            Topic("states", partitions: 1, cleanup: .compact, key: "key", schema: "test.State", owner: "tests")
        ])
        _ = try await first.closed(after: { log in
            try await append(0..<large, "first", to: log)
            try await log.maintain(at: noon)
            try await append(0..<large / 4 - 1, "second", to: log)
        })
        let second = try await LocalLog.open(directory: directory)
        _ = try await second.closed(after: { log in
            try await log.maintain(at: noon)
            #expect(
                try await count(log) == large + large / 4 - 1, "it was compacted though it has not grown by a quarter")
            try await append(0..<1, "third", to: log)
            try await log.maintain(at: noon)
            #expect(try await count(log) == large)
        })
    }

    @Test func `ends soon when it is told to, keeps no writer waiting, and what is left is right`() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let log = try await LocalLog.open(directory: directory)
        try await log.create([
            Topic("states", partitions: 1, cleanup: .compact, key: "key", schema: "test.State", owner: "tests")
        ])
        _ = try await log.closed(after: { log in
            let keys = 2000
            for round in 0..<60 { try await append(0..<keys, "round \(round)", to: log) }
            // It is stopped at moments that a seed gives; others write meanwhile.
            var random = SeededRandom(0xc0)
            for round in 0..<8 {
                let compaction = Task { try await log.maintain(at: noon) }
                for _ in 0..<random.number(0...6) { try await append(0..<1, "beside \(round)", to: log) }
                compaction.cancel()
                _ = await compaction.result
                let newest = try await newest(log)
                #expect(newest.count == keys && newest["k0"]?.hasPrefix("beside") ?? true)
                #expect((1..<keys).allSatisfy { newest["k\($0)"] == "round 59" }, "a key lost its newest value")
            }
            try await log.maintain(at: noon)
            #expect(try await count(log) == keys)
        })
    }

    private func newest(_ log: LocalLog) async throws -> [String: String] {
        let range = try #require(try await log.bounds(of: [states])[states])
        var newest: [String: String] = [:]
        try await log.scan(states, from: range.lowerBound, to: range.upperBound) { batch in
            for record in batch.records { newest[record.key.text] = record.value.text }
        }
        return newest
    }
}
