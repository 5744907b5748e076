import EventLog
import EventModel
import Foundation
import LocalLog
import Testing

/// What the local log does for its speed, and may not show.
@Suite("The local log's writer", .timeLimit(.minutes(10)))
struct LocalWriterTests {
    private let directory = NSTemporaryDirectory() + "millrace-test-" + UUID().uuidString
    private let events = TopicPartition("events", 0)

    private func logs(_ count: Int, _ test: ([LocalLog]) async throws -> Void) async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var logs: [LocalLog] = []
        for _ in 0..<count { logs.append(try await LocalLog.open(directory: directory)) }
        try await logs[0].create([Topic("events", partitions: 1, key: "key", schema: "test.Event", owner: "tests")])
        try await test(logs)
        for log in logs { await log.close() }
    }

    private func isRung() throws -> Bool { try !Data(contentsOf: URL(filePath: directory + "/doorbell")).isEmpty }

    @Test func `who is alone rings for nobody`() async throws {
        try await logs(1) { logs in
            _ = try await logs[0].append([Append(events, [NewRecord("a", "1")])])
            #expect(try !isRung())
        }
    }

    @Test func `who has company rings`() async throws {
        try await logs(2) { logs in
            _ = try await logs[0].append([Append(events, [NewRecord("a", "1")])])
            #expect(try isRung())
        }
    }

    @Test func `whoever has opened the log sees another version after each commit, and no other between`() async throws
    {
        try await logs(2) { logs in
            var seen: Set<LogVersion> = []
            for round in 0..<200 {
                _ = try await logs[round % 2].append([Append(events, [NewRecord("a", "\(round)")])])
                let version = try #require(logs[0].version)
                #expect(logs[1].version == version)
                #expect(seen.insert(version).inserted)
                _ = try await logs[1 - round % 2].bounds(of: [events])
                #expect(logs[0].version == version)
            }
            // It is closed again below, which does nothing.
            await logs[1].close()
            #expect(logs[1].version == nil)
            #expect(logs[0].version != nil)
        }
    }

    @Test(arguments: [1, 2])
    func `an append that comes while the writer is about to rest is not forgotten`(processes: Int) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        try await logs(processes) { logs in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for appender in 0..<4 {
                    var random = SeededRandom(seed &+ UInt64(appender))
                    let pauses = (0..<200).map { _ in Int.random(in: 0..<200, using: &random) }
                    group.addTask {
                        for (round, pause) in pauses.enumerated() {
                            let record = NewRecord("appender-\(appender)", "\(round)")
                            _ = try await logs[appender % processes].append([Append(events, [record])])
                            try await Task.sleep(for: .microseconds(pause))
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await logs[0].bounds(of: [events])[events] == 0..<800)
        }
    }

    /// Readers take from memory what their own process wrote last, and the rest from the database.
    @Test(arguments: [1, 2])
    func `readers see each record once and in order, whoever wrote it and however much`(processes: Int) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededRandom(seed)
        try await logs(processes) { logs in
            try await logs[0].create([Topic("more", partitions: 2, key: "key", schema: "test.Event", owner: "tests")])
            let partitions = [events, TopicPartition("more", 0), TopicPartition("more", 1)]
            // Now and then more than is kept of one commit, or of all.
            let appends = (0..<300).map { _ in
                partitions.filter { _ in Bool.random(using: &random) }.map { partition in
                    let size = Int.random(in: 0..<40, using: &random) == 0 ? 100_000 : 10
                    return Append(
                        partition,
                        (0..<Int.random(in: 1...60, using: &random)).map {
                            NewRecord(key: Bytes("\($0)"), value: Bytes(repeating: 7, count: size), timestamp: noon)
                        })
                }
            }
            let total = appends.joined().reduce(0) { $0 + $1.records.count }
            let limits = (0..<4).map { _ in Int.random(in: 1...500, using: &random) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (i, max) in limits.enumerated() {
                    let reader = try await logs[i % processes].reader(
                        from: Dictionary(uniqueKeysWithValues: partitions.map { ($0, 0) }))
                    group.addTask {
                        let haul = try await reader.gather(total, max: max)
                        await reader.close()
                        #expect(haul.count == total)
                        for partition in partitions {
                            #expect(haul[partition].map(\.offset.rawValue) == Array(0..<Int64(haul[partition].count)))
                        }
                    }
                }
                for (i, append) in appends.enumerated() {
                    _ = try await logs[i % processes].append(append)
                    // What retention and compaction do to the tables must not confuse anyone.
                    if i % 50 == 25 { try await logs[0].maintain(at: noon) }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `records of several appends and sizes come back as they were given`() async throws {
        try await logs(1) { logs in
            let sizes = [0, 1, 127, 128, 20_000, 700_000, 800_000]
            let given = sizes.map { size in
                NewRecord(
                    key: Bytes("\(size)"), value: Bytes(repeating: UInt8(size % 251), count: size), timestamp: noon,
                    headers: [Header("id", Bytes("\(size)"))])
            }
            // One append of all, which is cut into frames; then each by itself, whose commits may be shared.
            _ = try await logs[0].append([Append(events, given), Append(events, given)])
            for record in given { _ = try await logs[0].append([Append(events, [record])]) }
            let reader = try await logs[0].reader(from: [events: 0])
            let records = try await reader.gather(3 * given.count)[events]
            await reader.close()
            let expected = given + given + given
            #expect(records.map(\.key) == expected.map(\.key))
            #expect(records.map(\.value) == expected.map(\.value))
            #expect(records.map(\.headers) == expected.map(\.headers))
        }
    }
}
