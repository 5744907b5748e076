import EventModel
import Foundation
import TestSupport
import Testing

/// One write that somebody was told is done, and where on the log it says so.
private struct Acknowledged: Hashable {
    var id: String
    /// -1 where it was so already: a key that is taken away twice.
    var partition: Int
    var offset: Int
    var place: String { "cache.events/\(partition)@\(offset)" }
    var isOnLog: Bool { partition >= 0 }

    /// All that a process said. Whole lines only: the last may have been cut off by a kill.
    static func all(by process: Running) throws -> [Acknowledged] {
        try process.out.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map { try Acknowledged(String($0)) }
    }

    private init(_ line: String) throws {
        let outcome = try JSON(line)
        let event = outcome["events"][0]
        guard outcome["outcome"] == "accepted", event == .null || event["type"] == "EntryWritten" else {
            throw Overdue(description: "not an accepted write: \(line)")
        }
        (id, partition, offset) = (outcome["id"].string, event["partition"].int, event["offset"].int)
    }
}

/// A write that is on the log.
private struct Written {
    var key: String
    var value: String
    var revision: Int

    init(_ record: JSON) {
        let event = record["event"]
        (key, value, revision) = (event["key"].string, event["value"].string, event["revision"].int)
    }
}

/// Nodes that write through the cache, in portions, their values named for the command that brings them.
private struct Nodes {
    static let keys = 12
    static let count = 3
    static let portions = 20
    static let size = 60
    static let writes = portions * size
    let bus: Bus
    var random: SeededRandom
    private var running: [Running] = []
    /// Which portion each is at.
    private var at = [Int](repeating: 0, count: count)
    /// All that wrote, those too that were killed.
    private(set) var said: [Running] = []
    /// What is wrong with those that ended by themselves.
    private(set) var failures: [String] = []

    init(_ bus: Bus, seed: UInt64) throws {
        (self.bus, random) = (bus, SeededRandom(seed))
        for node in 0..<Self.count {
            for portion in 0..<Self.portions {
                let lines = (0..<Self.size).map { line in
                    let id = "n\(node)-\(portion)-\(line)"
                    let key = "page-\(random.number(0...Self.keys - 1))"
                    // Now and then a key is taken away.
                    let value = random.chance(5) ? "" : id
                    return #"{"@id":"\#(id)","key":"\#(key)","node":"n\#(node)","value":"\#(value)"}"#
                }
                _ = try bus.file("n\(node)-\(portion).ndjson", lines.joined(separator: "\n"))
            }
            running.append(try start(node))
        }
        said = running
    }

    private func start(_ node: Int) throws -> Running {
        let file = "\(bus.folder)/n\(node)-\(at[node]).ndjson"
        return try bus.start("send", "WriteEntry", "--file", file, "--timeout", "120s")
    }

    /// Whoever is through with a portion begins the next. False where all are through.
    mutating func goOn() async throws -> Bool {
        var isBusy = false
        for node in 0..<Self.count where at[node] < Self.portions {
            isBusy = true
            if !running[node].hasEnded { continue }
            let ended = try await running[node].end()
            if ended.exit != 0 { failures.append("\(ended)") }
            at[node] += 1
            if at[node] < Self.portions { try restart(node) }
        }
        return isBusy
    }

    private mutating func restart(_ node: Int) throws {
        running[node] = try start(node)
        said.append(running[node])
    }

    var acknowledged: [Acknowledged] {
        get throws { try said.flatMap { try Acknowledged.all(by: $0) } }
    }

    /// Kills one as it begins, or once more was acknowledged; it begins its portion anew. False where none is busy by then.
    mutating func kill() async throws -> Bool {
        guard try await goOn() else { return false }
        let busy = (0..<Self.count).filter { at[$0] < Self.portions }
        if busy.isEmpty { return false }
        let node = random.one(of: busy)
        if random.chance(50) {
            let (before, victim) = (try acknowledged.count, running[node])
            _ = try await eventually("more acknowledgements", within: .seconds(300)) {
                try victim.hasEnded || acknowledged.count > before ? true : nil
            }
        }
        if running[node].hasEnded { return false }
        try await running[node].crash()
        try restart(node)
        return true
    }
}

/// `WriteEntry` is done when it is on the log. Nodes, handlers and projectors are killed without a word while many write.
@Suite("Write-behind while processes die", .serialized, .timeLimit(.minutes(10)))
struct CacheKillTests {
    private static let seed =
        ProcessInfo.processInfo.environment["MILLRACE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...999_999)

    @Test func `every acknowledged write is on the log and in the store, in the order of versions, whoever is killed`()
        async throws
    {
        print("write-behind while processes die: seed \(Self.seed)")
        try await onBus { bus in
            var workers = [try await bus.work("handler"), try await bus.work("projector")]
            var nodes = try Nodes(bus, seed: Self.seed)
            var (kills, told, round) = ([0, 0, 0], 0, [Int]())
            while try await nodes.goOn() {
                // Each kill comes after more was acknowledged than before it.
                let next = told + nodes.random.number(1...200)
                told = try await eventually("acknowledgements: \(workers.map(\.err))", within: .seconds(300)) {
                    let isBusy = try await nodes.goOn()
                    let now = try nodes.acknowledged.count
                    return now >= next || !isBusy ? now : nil
                }
                // Of each kind one before any is killed again: a fast machine leaves time for few.
                if round.isEmpty { round = [0, 1, 2] }
                let victim = nodes.random.one(of: round)
                round.removeAll { $0 == victim }
                if victim == 2 {
                    kills[2] += try await nodes.kill() ? 1 : 0
                } else {
                    kills[victim] += 1
                    try await workers[victim].crash()
                    workers[victim] = try bus.start(["work", victim == 0 ? "handler" : "projector"])
                    if victim == 1 { try await readOwn(try nodes.acknowledged.suffix(1), bus) }
                }
            }
            #expect(nodes.failures.isEmpty, "\(nodes.failures)")
            // Once more, all at once.
            for worker in workers { try await worker.crash() }
            _ = try await bus.work()
            try await readOwn(try nodes.said.compactMap { try Acknowledged.all(by: $0).last }, bus)
            try await bus.settle()
            try await compare(nodes, bus)
            print("\(told) acknowledged; killed: \(kills[0]) handlers, \(kills[1]) projectors, \(kills[2]) nodes")
            #expect(kills.allSatisfy { $0 > 0 }, "\(kills)")
            #expect(try await bus.run("verify", "--invariants").exit == 0)
        }
    }

    /// Who has written reads, after the place of that, what it wrote or what came later.
    private func readOwn(_ writes: [Acknowledged], _ bus: Bus) async throws {
        for write in writes where write.isOnLog {
            let record = try await bus.replay(
                "cache.events", "--partition", "\(write.partition)", "--from", "\(write.offset)", "--limit", "1")
            let written = Written(try #require(record.first))
            let page = try await bus.query(
                "cache.entry", "--key", written.key, "--after", write.place, "--timeout", "60s")
            let row = page["rows"][0]
            if row == .null { continue }
            #expect(row["revision"].int >= written.revision, "seed \(Self.seed): \(written) is read as \(row)")
            if row["revision"].int == written.revision { #expect(row["value"].string == written.value) }
        }
    }

    /// The log has each write once, each key's revisions without a gap, and the store is what the log comes to.
    private func compare(_ nodes: Nodes, _ bus: Bus) async throws {
        let records = try await bus.replay("cache.events")
        var (places, revisions, last): ([String: Written], [String: Int], [String: Written]) = ([:], [:], [:])
        for record in records {
            let written = Written(record)
            places["cache.events/\(record["partition"].int)@\(record["offset"].int)"] = written
            let next = (revisions[written.key] ?? 0) + 1
            #expect(written.revision == next, "seed \(Self.seed): \(written)")
            revisions[written.key] = written.revision
            last[written.key] = written
        }
        let values = records.map { $0["event"]["value"].string }.filter { !$0.isEmpty }
        #expect(Set(values).count == values.count, "seed \(Self.seed): a write is on the log twice")
        var known: [String: String] = [:]
        for write in try nodes.acknowledged {
            if !write.isOnLog {
                known[write.id] = write.place
                continue
            }
            let written = try #require(places[write.place], "seed \(Self.seed): \(write) is not on the log")
            #expect(written.value.isEmpty || written.value == write.id, "seed \(Self.seed): \(write) is \(written)")
            // Asked again after a kill it is the same write.
            #expect(known.updateValue(write.place, forKey: write.id) ?? write.place == write.place)
        }
        #expect(known.count == Nodes.count * Nodes.writes)
        let rows = try Tables("\(bus.views)/cache.store@1.sqlite", without: ["at", "node"]).rows["cache_entries"] ?? []
        let expected = last.values.filter { !$0.value.isEmpty }.map {
            #""\#($0.key)"|"\#($0.value)"|\#($0.revision)"#
        }
        #expect(Set(rows) == Set(expected) && rows.count == expected.count, "seed \(Self.seed)")
    }
}
