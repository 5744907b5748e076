import EventLog
import EventModel
import Foundation
import GRDB
import Testing

@testable import LocalLog

/// The log's database with bytes that nobody wrote. Nothing here may end the process: all of it is in this one.
@Suite("A damaged local log", .timeLimit(.minutes(10)))
struct DamageTests {
    private static let topics = [
        Topic("events", 3), Topic("states", 2, cleanup: .compact), Topic("commands", 2, clock: .log),
    ]
    private static let partitions = topics.flatMap { topic in
        (0..<topic.partitions).map { TopicPartition(topic.name, Partition($0)) }
    }

    /// A small log with several commits, all in its database file; gives the file and the log's records.
    private func whole(_ site: LocalSite) async throws -> (
        file: [UInt8], records: [TopicPartition: [EventModel.Record]]
    ) {
        try await site.withLog { log in
            try await log.create(Self.topics)
            let worker = try await Worker { try await log.join("group", topics: ["events"]) }
            try await drive(worker, until: "its partitions") { worker.owned.count == 3 }
            for round in 0..<12 {
                _ = try await log.append(
                    Self.partitions.map { partition in
                        Append(
                            partition,
                            (0..<(1 + round % 4)).map { i in
                                NewRecord(
                                    key: Bytes("key-\(i)"),
                                    value: Bytes(repeating: UInt8(round), count: 20 + 150 * (round % 5)),
                                    timestamp: noon + .seconds(round), headers: [Header("id", Bytes("\(round)"))])
                            })
                    })
            }
            try await drive(worker, until: "records") { worker.haul.count > 20 }
            try await worker.commit()
            await worker.member.leave()
        }
        let path = site.folder + "/log.sqlite"
        let queue = try DatabaseQueue(path: path)
        try await queue.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
        try queue.close()
        let records = try await site.withLog { log in
            var records: [TopicPartition: [EventModel.Record]] = [:]
            for (partition, range) in try await log.bounds(of: Self.partitions) {
                try await log.scan(partition, from: range.lowerBound, to: range.upperBound) {
                    records[partition, default: []] += $0.records
                }
            }
            return records
        }
        return (Array(try Data(contentsOf: URL(filePath: path))), records)
    }

    private func place(_ bytes: [UInt8], in site: LocalSite) throws {
        site.clear()
        try FileManager.default.createDirectory(atPath: site.folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: site.folder + "/log.sqlite"))
    }

    @Test(arguments: ["last", "newest", "reached"])
    func `whose rows hold no numbers is told, and ends nothing`(column: String) async throws {
        let site = LocalSite()
        defer { site.clear() }
        let (file, _) = try await whole(site)
        try place(file, in: site)
        // The table takes numbers only, as long as its own words say so.
        for statement in [
            "UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'batches'",
            "UPDATE batches SET \(column) = x'00ff'",
            "UPDATE sqlite_schema SET sql = sql || ' STRICT' WHERE name = 'batches'",
        ] {
            let queue = try DatabaseQueue(path: site.folder + "/log.sqlite")
            try await queue.writeWithoutTransaction { db in
                try db.execute(sql: "PRAGMA writable_schema = ON")
                try db.execute(sql: statement)
            }
            try queue.close()
        }
        try await site.withLog { log in
            let error = await #expect(throws: LogError.self) {
                // By the time of all; and what only a reader needs, by reading.
                _ = try await log.offsets(of: Self.partitions, at: noon + .seconds(6))
                for (partition, range) in try await log.bounds(of: Self.partitions) {
                    try await log.scan(partition, from: range.lowerBound, to: range.upperBound) { _ in }
                }
            }
            #expect(error?.kind == .damaged, "\(error.map(\.message) ?? "")")
        }
    }

    @Test func `with zeros or other bits anywhere gives what was written, or says what is wrong, and soon`()
        async throws
    {
        let site = LocalSite()
        defer { site.clear() }
        let (file, records) = try await whole(site)
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var random = SeededRandom(seed)
        var (damaged, unharmed, others) = (0, 0, [String: Int]())
        for round in 0..<250 {
            var bytes = file
            let what: String
            if round % 2 == 0 {
                let count = [16, 100, 512, 512, 4096].randomElement(using: &random) ?? 512
                let start = Int.random(in: 0..<(bytes.count - count), using: &random)
                for i in start..<(start + count) { bytes[i] = 0 }
                what = "zeros from \(start), \(count)"
            } else {
                let places = (0..<Int.random(in: 1...40, using: &random)).map { _ in
                    Int.random(in: 0..<bytes.count, using: &random)
                }
                for place in places { bytes[place] ^= UInt8.random(in: 1...255, using: &random) }
                what = "other bits at \(places)"
            }
            try place(bytes, in: site)
            let begun = ContinuousClock.now
            let found = try await use(site, records, what)
            #expect(ContinuousClock.now - begun < .seconds(60), "\(what)")
            if found.contains(where: { $0.kind == .damaged }) { damaged += 1 } else if found.isEmpty { unharmed += 1 }
            for error in found where error.kind != .damaged { others["\(error.message.prefix(60))", default: 0] += 1 }
        }
        print("\(damaged) told of, \(unharmed) unharmed, other words: \(others)")
        #expect(damaged > 20)
    }

    /// Does everything that can be done with a log; gives what it was told.
    private func use(
        _ site: LocalSite, _ records: [TopicPartition: [EventModel.Record]], _ what: String
    ) async throws -> [LogError] {
        var told: [LogError] = []
        func attempt<R>(_ body: () async throws -> R) async throws -> R? {
            do {
                return try await body()
            } catch let error as LogError {
                told.append(error)
                return nil
            } catch is Overdue {
                return nil
            }
        }
        guard let log = try await attempt({ try await site.open() }) else { return told }
        _ = try await attempt { try await log.topics() }
        for partition in Self.partitions {
            let range = try await attempt { try await log.bounds(of: [partition]) }?[partition]
            _ = try await attempt { try await log.offsets(of: [partition], at: noon + .seconds(5)) }
            guard let range else { continue }
            let end = min(range.upperBound, range.lowerBound + 100)
            _ = try await attempt {
                try await log.scan(partition, from: range.lowerBound, to: end) { batch in
                    for record in batch.records {
                        let given = records[partition]?.first { $0.offset == record.offset }
                        #expect(given == record, "\(what): \(partition)@\(record.offset) has come back as another")
                    }
                }
            }
            let audit = try await attempt {
                try await log.audit(partition, range.lowerBound..<end, isContiguous: true) { _ in nil }
            }
            #expect(audit != nil || !told.isEmpty, "\(what)")
        }
        _ = try await attempt { try await log.committed("group", Self.partitions) }
        for partition in Self.partitions {
            _ = try await attempt { try await log.append([Append(partition, [NewRecord("after", "1")])]) }
        }
        _ = try await attempt {
            let member = try await log.join("group", topics: ["events"])
            for _ in 0..<4 { _ = try await member.next(max: 10, wait: .milliseconds(1)) }
            await member.leave()
        }
        _ = try await attempt { try await log.maintain(at: noon) }
        await log.close()
        return told
    }

    @Test(arguments: ["first", "next", "newest", "topic"])
    func `a partition whose row has lost a column is told of, and the others go on`(column: String) async throws {
        try await after("UPDATE partitions SET \(column) = NULL WHERE topic = 'events' AND partition = 1") { log in
            let error = await #expect(throws: LogError.self) { try await log.bounds(of: [TopicPartition("events", 1)]) }
            #expect([.damaged, .unknownTopic].contains(error?.kind), "\(error?.message ?? "")")
            await #expect(throws: LogError.self) {
                try await log.append([Append(TopicPartition("events", 1), [NewRecord("a", "1")])])
            }
            let offsets = try await log.append([Append(TopicPartition("events", 0), [NewRecord("a", "1")])])
            #expect(offsets.count == 1)
        }
    }

    @Test(arguments: [
        "UPDATE batches SET last = NULL WHERE id >> 40 = 2", "UPDATE batches SET frame = NULL WHERE id >> 40 = 2",
        "UPDATE batches SET frame = zeroblob(50) WHERE id >> 40 = 2", "UPDATE batches SET last = -5 WHERE id >> 40 = 2",
        "UPDATE partitions SET next = 9000000000000000000 WHERE id = 2",
        "UPDATE partitions SET first = next + 1 WHERE id = 2",
    ])
    func `a member leaves alone what is damaged, says where, and reads its other partitions`(statement: String)
        async throws
    {
        let site = LocalSite()
        try await after(statement, site) { log in
            let worker = try await Worker { try await log.join("other", topics: ["events"]) }
            let (bad, good) = (TopicPartition("events", 1), [TopicPartition("events", 0), TopicPartition("events", 2)])
            do {
                try await drive(worker, until: "the others' records") { good.allSatisfy { !worker.haul[$0].isEmpty } }
                _ = try await log.append(good.map { Append($0, [NewRecord("later", "later")]) })
                try await drive(worker, until: "what comes later") {
                    good.allSatisfy { worker.haul.texts($0).last == "later" }
                }
                #expect(worker.haul[bad].isEmpty)
                #expect(site.complaints.count == 1 && site.complaints[0].contains("events/1"), "\(site.complaints)")
            } catch let error as LogError {
                // Where it is to begin cannot be told either.
                #expect(error.kind == .damaged && error.message.contains("events/1"), "\(error)")
                #expect(statement.contains("partitions"))
            }
            await worker.member.leave()
        }
    }

    @Test(arguments: [
        "UPDATE topics SET partitions = NULL WHERE name = 'states'", "UPDATE topics SET clock = NULL",
        "UPDATE topics SET retention = -1", "UPDATE topics SET partitions = 2000000000000 WHERE name = 'events'",
        "UPDATE topics SET owner = NULL",
    ])
    func `a topic that is damaged is told of`(statement: String) async throws {
        try await after(statement) { log in
            let error = await #expect(throws: LogError.self) { try await log.topics() }
            #expect(error?.kind == .damaged)
        }
    }

    @Test func `members and owners that are damaged are told of`() async throws {
        for statement in [
            "INSERT INTO owners VALUES ('g', 'events', 0, NULL)", "INSERT INTO members VALUES ('g', 'x', NULL)",
            "INSERT INTO consumed VALUES ('g', 'events', 0, NULL)",
        ] {
            try await after(statement) { log in
                let error = await #expect(throws: LogError.self) {
                    _ = try await log.committed("g", Self.partitions)
                    let worker = try await Worker { try await log.join("g", topics: ["events"]) }
                    try await drive(worker, until: "records") { worker.haul.count > 0 }
                }
                #expect(error?.kind == .damaged, "\(statement): \(error?.message ?? "")")
            }
        }
    }

    /// Uses a log after a statement that its tables would not allow.
    private func after(
        _ statement: String, _ site: LocalSite = LocalSite(), _ test: (LocalLog) async throws -> Void
    ) async throws {
        defer { site.clear() }
        _ = try await whole(site)
        let queue = try DatabaseQueue(path: site.folder + "/log.sqlite")
        try await queue.writeWithoutTransaction { db in
            // As damage does, and not as SQLite would.
            try db.execute(sql: "PRAGMA writable_schema = ON")
            try db.execute(
                sql: """
                    UPDATE sqlite_schema SET sql = replace(replace(replace(replace(sql, ' NOT NULL', ''), ') STRICT', ')'),
                    ', WITHOUT ROWID', ''), 'STRICT, ', '') WHERE type = 'table' AND sql NOT LIKE '%WITHOUT ROWID%'
                    """)
            try db.execute(
                sql: """
                    UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL', '')
                    WHERE type = 'table' AND sql LIKE '%WITHOUT ROWID%'
                    """)
            try db.execute(sql: "PRAGMA writable_schema = RESET")
            try db.execute(sql: statement)
        }
        try queue.close()
        try await site.withLog(test: test)
    }
}

extension LocalSite {
    fileprivate func withLog(test: (LocalLog) async throws -> Void) async throws {
        try await withLog { _ in
        } _: {
            try await test($0)
        }
    }
}
