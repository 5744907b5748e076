import EventLog
import EventModel
import Foundation
import GRDB
import LocalLog
import Testing

/// The local log's batches, where what is in its database is not what was written there.
@Suite("The local log's frames", .timeLimit(.minutes(10)))
struct LocalFramesTests {
    @Test func `a read that is cancelled is told as cancelled, whenever it is`() async throws {
        let site = LocalSite()
        defer { site.clear() }
        try await site.withLog { log in
            try await log.create([Topic("t", 1)])
            let place = TopicPartition("t", 0)
            for n in 0..<40 {
                let records = (0..<50).map { NewRecord(key: Bytes("\(n)"), value: Bytes("\($0)"), timestamp: noon) }
                _ = try await log.append([Append(place, records)])
            }
            var cancelled = 0
            for n in 0..<300 {
                let read = Task {
                    let reader = try await log.reader(from: [place: 0])
                    let read = await Result { try await reader.next(max: 2000, wait: .zero) }
                    await reader.close()
                    return try read.get()
                }
                try await Task.sleep(for: .microseconds(n * 10))
                read.cancel()
                do {
                    _ = try await read.value
                } catch is CancellationError {
                    cancelled += 1
                }
            }
            #expect(cancelled > 0)
        }
    }

    @Test func `large records come some at a time, whatever number is asked for`() async throws {
        let site = LocalSite()
        defer { site.clear() }
        try await site.withLog { log in
            try await log.create([Topic("t", 2)])
            let places = [TopicPartition("t", 0), TopicPartition("t", 1)]
            let value = Bytes(String(repeating: "x", count: 1_000_000))
            for n in 0..<40 {
                let record = NewRecord(key: Bytes("\(n)"), value: value, timestamp: noon)
                _ = try await log.append(places.map { Append($0, [record]) })
            }
            let reader = try await log.reader(from: [places[0]: 0, places[1]: 0])
            var (reads, keys) = ([Int](), Set<String>())
            while keys.count < 80 {
                let batches = try await reader.next(max: 10_000, wait: patience)
                reads.append(batches.reduce(0) { $0 + $1.records.count })
                for batch in batches {
                    for record in batch.records { keys.insert("\(batch.source) \(record.key.text)") }
                }
            }
            #expect(reads.reduce(0, +) == 80 && reads.allSatisfy { 1...69 ~= $0 }, "\(reads)")
            await reader.close()
        }
    }

    private let directory = NSTemporaryDirectory() + "millrace-test-" + UUID().uuidString
    private let events = [TopicPartition("events", 0), TopicPartition("events", 1)]

    private func log<R>(_ body: (LocalLog) async throws -> R) async throws -> R {
        let log = try await LocalLog.open(directory: directory)
        try await log.create([Topic("events", partitions: 2, key: "key", schema: "test.Event", owner: "tests")])
        return try await log.closed(after: body)
    }

    /// Three batches of three records in each partition, ten seconds apart.
    private func fill() async throws {
        try await log { log in
            for batch in 0..<3 {
                for partition in events {
                    let records = (0..<3).map {
                        NewRecord("k", "\(batch).\($0)", at: noon + .seconds(batch * 10 + $0))
                    }
                    _ = try await log.append([Append(partition, records)])
                }
            }
        }
    }

    private func database<R>(_ body: (Database) throws -> R) throws -> R {
        try DatabaseQueue(path: directory + "/log.sqlite").write(body)
    }

    private func row(_ partition: Int, _ base: Int) -> Int { (partition + 1) << 40 | base }

    private func exchange(_ one: Int, _ other: Int) throws {
        try database { db in
            func frame(_ row: Int) throws -> Data {
                try #require(try Data.fetchOne(db, sql: "SELECT frame FROM batches WHERE id = ?", arguments: [row]))
            }
            let (first, second) = (try frame(one), try frame(other))
            try db.execute(sql: "UPDATE batches SET frame = ? WHERE id = ?", arguments: [second, one])
            try db.execute(sql: "UPDATE batches SET frame = ? WHERE id = ?", arguments: [first, other])
        }
    }

    private func texts(
        _ log: LocalLog, _ partition: Int = 0, within times: ClosedRange<Timestamp>? = nil
    ) async throws -> [String] {
        var texts: [String] = []
        try await log.scan(events[partition], from: 0, to: 9, within: times) { texts += $0.records.map(\.value.text) }
        return texts
    }

    @Test(arguments: [(0, 3), (0, 6), (3, 6)])
    func `exchanged within a partition are damage`(one: Int, other: Int) async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await fill()
        try exchange(row(0, one), row(0, other))
        try await log { log in
            let error = await #expect(throws: LogError.self) { try await texts(log) }
            #expect(error?.kind == .damaged)
            #expect(
                error?.message.contains("the batch at events/0@\(one) is damaged") == true,
                "\(String(describing: error))")
            let audit = try await log.audit(events[0], 0..<9, isContiguous: true) { _ in nil }
            #expect(audit.problem?.contains("events/0@\(one)") == true)
            #expect(try await texts(log, 1).count == 9)
        }
    }

    @Test func `of another partition at the same offset are damage`() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await fill()
        // Alike in every byte but the checksum.
        try exchange(row(0, 3), row(1, 3))
        for partition in 0...1 {
            try await log { log in
                let error = await #expect(throws: LogError.self) { try await texts(log, partition) }
                #expect(error?.message.contains("events/\(partition)@3 is damaged") == true)
            }
        }
    }

    @Test func `whose rows took each other's place are damage`() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await fill()
        try database { db in
            for (from, to) in [(row(0, 0), 1), (row(0, 3), row(0, 0)), (1, row(0, 3))] {
                try db.execute(sql: "UPDATE batches SET id = ? WHERE id = ?", arguments: [to, from])
            }
        }
        try await log { log in
            let error = await #expect(throws: LogError.self) { try await texts(log) }
            #expect(error?.kind == .damaged)
        }
    }

    @Test(arguments: [
        "last = last - 1", "last = last + 1", "newest = newest - 1", "newest = newest + 1", "reached = reached - 1",
        "reached = reached - 5000", "last = last - 100",
    ])
    func `whose row says something else are damage`(change: String) async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await fill()
        try database { try $0.execute(sql: "UPDATE batches SET \(change) WHERE id = ?", arguments: [row(0, 3)]) }
        try await log { log in
            let error = await #expect(throws: LogError.self) { try await texts(log) }
            #expect(error?.kind == .damaged && error?.message.contains("events/0@3 is damaged") == true, "\(change)")
            let audit = try await log.audit(events[0], 0..<9, isContiguous: true) { _ in nil }
            #expect(audit.problem != nil)
        }
    }

    @Test func `an index that ends too early is found by an audit`() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await fill()
        try database {
            try $0.execute(sql: "UPDATE partitions SET newest = ? WHERE id = 1", arguments: [noon.rawValue])
        }
        try await log { log in
            let audit = try await log.audit(events[0], 0..<9, isContiguous: true) { _ in nil }
            #expect(audit.problem?.contains("but its index says 2025-01-01T12:00:00Z at most") == true, "\(audit)")
            #expect(try await log.audit(events[1], 0..<9, isContiguous: true) { _ in nil }.problem == nil)
        }
    }

    /// What need not be decoded is not: damage that is there is not met.
    @Test func `outside of the times asked for are not decoded`() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await fill()
        try database { db in
            for base in [0, 6] {
                let id = row(0, base)
                var frame = try #require(
                    try Data.fetchOne(db, sql: "SELECT frame FROM batches WHERE id = ?", arguments: [id]))
                frame[frame.count - 2] ^= 1
                try db.execute(sql: "UPDATE batches SET frame = ? WHERE id = ?", arguments: [frame, id])
            }
        }
        try await log { log in
            let times = noon + .seconds(10)...noon + .seconds(11)
            let found = try await texts(log, within: times)
            #expect(found == ["1.0", "1.1"])
            await refuses(.damaged) { try await texts(log, within: noon + .seconds(10)...noon + .seconds(20)) }
            await refuses(.damaged) { try await texts(log) }
        }
    }

    /// As a version before wrote them: neither their times nor their place.
    private func makeOld() throws {
        try database { db in
            for (id, frame) in try Row.fetchAll(db, sql: "SELECT id, frame FROM batches").map({
                ($0[0] as Int64, $0[1] as Data)
            }) {
                try db.execute(
                    sql: "UPDATE batches SET frame = ? WHERE id = ?",
                    arguments: [Data(firstVersion([UInt8](frame))), id])
            }
            try db.execute(sql: "PRAGMA user_version = 1")
        }
    }

    @Test func `of the first version are read, also by time, and new ones come after them`() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await fill()
        try makeOld()
        let all = (0..<9).map { "\($0 / 3).\($0 % 3)" }
        try await log { log in
            #expect(try await texts(log) == all)
            #expect(try await texts(log, within: noon + .seconds(2)...noon + .seconds(11)) == ["0.2", "1.0", "1.1"])
            #expect(try await log.offsets(of: [events[0]], at: noon + .seconds(11))[events[0]] == 4)
            #expect(try await log.reached(before: [events[0]: 5])[events[0]] == noon + .seconds(11))
            _ = try await log.append([Append(events[0], [NewRecord("k", "new", at: noon + .seconds(11))])])
            #expect(try await log.audit(events[0], 0..<10, isContiguous: true) { _ in nil }.problem == nil)
        }
        let version = try database { try Int.fetchOne($0, sql: "PRAGMA user_version") }
        #expect(version == 2)
        try await log { log in
            var texts: [String] = []
            try await log.scan(events[0], from: 0, to: 10, within: noon + .seconds(11)...noon + .seconds(11)) {
                texts += $0.records.map(\.value.text)
            }
            #expect(texts == ["1.1", "new"])
        }
    }

    @Test func `of the first version are compacted`() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await fill()
        try makeOld()
        try await log { log in
            var topic = try #require(try await log.topics().first)
            topic.cleanup = .compact
            try await log.configure([topic])
            for _ in 0..<2 {
                try await log.maintain(at: noon)
                #expect(try await texts(log) == ["2.2"])
                #expect(try await texts(log, within: noon + .seconds(22)...noon + .seconds(22)) == ["2.2"])
                #expect(try await texts(log, within: noon + .seconds(20)...noon + .seconds(21)) == [])
            }
            // What comes last goes too, and the row follows its frame.
            _ = try await log.append([
                Append(events[0], [NewRecord("a", "1"), NewRecord("b", "2"), NewRecord("k", "3")])
            ])
            _ = try await log.append([Append(events[0], [NewRecord("k", "4")])])
            try await log.maintain(at: noon)
            var texts: [String] = []
            try await log.scan(events[0], from: 0, to: 13) { texts += $0.records.map(\.value.text) }
            #expect(texts == ["1", "2", "4"])
        }
    }
}

extension Result where Failure == any Error {
    /// What an asynchronous call comes to.
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
