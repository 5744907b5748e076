import EventLog
import EventModel
import Handling
import PostgresServer
import Projecting
import Quarantining
import ServiceLifecycle
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing

@testable import HitsDomain

@Suite("A projector's quarantine", .timeLimit(.minutes(10)))
struct QuarantineTests {
    private let windows = Domain.hits.projections[0]
    private let fragile = AnyProjection(Fragile.self, domain: "test")
    private let source = TopicPartition("hits.events", 0)

    private func seconds(_ site: Site, of name: String) async throws -> Int64 {
        let name = Value(name)
        return try await site.views.read(windows) { reader, _ in
            try reader.sums([3], over: Scan(HitWindows.seconds, equal: [name]))[0]
        }
    }

    @Test(arguments: Carrier.stores)
    func `an event that cannot be decoded stops its key, and nothing else`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await site.hit([("a", "v"), ("b", "v")])
            let bad = try await site.garbage("a", in: source)
            try await site.hit([("a", "w"), ("b", "w"), ("a", "x"), ("b", "x")])
            try await running(site.projector(of: windows)) {
                try await site.folded(windows)
                #expect(try await seconds(site, of: "a") == 1)
                #expect(try await seconds(site, of: "b") == 3)
                let waiting = try await eventually("the topic to say so") {
                    let waiting = try await site.waiting("hits.windows", source)
                    return waiting.count == 3 ? waiting : nil
                }
                #expect(waiting.keys == ["a"] && waiting.parked.map(\.offset) == [bad, bad + 1, bad + 3])
                #expect(waiting.parked[0].reason.contains("millrace.hits.Event") && waiting.parked[0].attempts == 1)
                #expect(waiting.parked[1].reason.isEmpty && waiting.parked[1].attempts == 0)
                // What comes later of the key waits too.
                try await site.hit([("a", "y"), ("b", "y")])
                try await site.folded(windows)
                #expect(try await seconds(site, of: "a") == 1)
                #expect(try await seconds(site, of: "b") == 4)
                let vain = try await site.redrive("hits.windows", source, "a")
                #expect((vain.redriven, vain.dropped, vain.left) == (0, 0, 4))
                #expect(try await site.waiting("hits.windows", source)[bad]?.attempts == 2)
            }
            // Another worker knows, and does what is asked.
            try await running(site.projector(of: windows)) {
                try await site.hit([("a", "z")])
                let end = try await site.redrive("hits.windows", source, "a", drop: 1)
                #expect((end.dropped, end.left) == (1, 0), "\(end)")
                try await site.folded(windows)
                #expect(
                    try await eventually("all to be counted") { try await seconds(site, of: "a") == 5 ? 5 : nil } == 5)
                let now = try await site.waiting("hits.windows", source)
                #expect(now.count == 0 && now.dropped == [bad])
                // The key flows again.
                try await site.hit([("a", "z")])
                try await site.folded(windows)
                #expect(try await seconds(site, of: "a") == 6)
            }
        }
    }

    @Test(arguments: Carrier.stores, [Fragile.Fault.apply, .finish])
    func `an event at which the code fails leaves nothing half done, and is folded once the code is mended`(
        on carrier: Carrier, _ fault: Fragile.Fault
    ) async throws {
        try await failing(carrier, fault)
    }

    @Test(.enabled(if: PostgresServer.isHere, "PostgreSQL is not installed"))
    func `an event of which a row cannot be stored waits too`() async throws { try await failing(.postgres, .row) }

    private func failing(_ carrier: Carrier, _ fault: Fragile.Fault) async throws {
        try await site(carrier) { site in
            let (one, two) = ("one-\(UInt64.random(in: 0 ... .max))", "two-\(UInt64.random(in: 0 ... .max))")
            Fragile.faults.withLock { $0["\(one)/x"] = fault }
            try await site.views.open(fragile)
            let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)
            for letter in letters { try await site.hit([(one, letter), (two, letter)]) }
            try await running(site.projector(of: fragile)) {
                try await site.folded(fragile)
                #expect(try await site.visitors(fragile) == [one: "abcdefghijklmnopqrstuvw", two: letters.joined()])
                let vain = try await site.redrive("test.fragile", source, Bytes(one))
                #expect((vain.redriven, vain.left) == (0, 3) && !vain.reason.isEmpty, "\(vain)")
                _ = Fragile.faults.withLock { $0.removeValue(forKey: "\(one)/x") }
                let end = try await site.redrive("test.fragile", source, Bytes(one))
                #expect((end.redriven, end.left) == (3, 0), "\(end)")
                #expect(try await site.visitors(fragile) == [one: letters.joined(), two: letters.joined()])
            }
            // Folded afresh in the order of the log, it is the same.
            let bounds = try await site.log.bounds(of: site.log.partitions(of: fragile.topics))
            let fresh = MemoryViews()
            var refold = try await ViewReplay(
                fragile, from: site.log, starts: bounds.mapValues(\.lowerBound), into: fresh, owner: "test")
            let comparison = try await refold.comparison(with: fragile, in: site.views, leavingOutAlike: true)
            #expect(comparison.isEqual && comparison.tables[0].rows == 2)
        }
    }

    @Test(arguments: Carrier.stores)
    func `a fresh fold leaves out what the view does, and a rebuild tries again`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let (one, two) = ("one-\(UInt64.random(in: 0 ... .max))", "two-\(UInt64.random(in: 0 ... .max))")
            Fragile.faults.withLock { $0["\(one)/b"] = .apply }
            try await site.views.open(fragile)
            try await site.hit([(one, "a"), (two, "a"), (one, "b"), (two, "b"), (one, "c")])
            let dropped = try await site.garbage(Bytes(two), in: source)
            try await site.hit([(two, "c")])
            try await running(site.projector(of: fragile)) {
                try await site.folded(fragile)
                let end = try await site.redrive("test.fragile", source, Bytes(two), drop: 1)
                #expect((end.redriven, end.dropped, end.left) == (1, 1, 0))
            }
            #expect(try await site.visitors(fragile) == [one: "a", two: "abc"])
            let bounds = try await site.log.bounds(of: site.log.partitions(of: fragile.topics))
            func compare(_ alike: Bool) async throws -> Comparison {
                var refold = try await ViewReplay(
                    fragile, from: site.log, starts: bounds.mapValues(\.lowerBound), into: MemoryViews(), owner: "test")
                return try await refold.comparison(with: fragile, in: site.views, leavingOutAlike: alike)
            }
            #expect(try await compare(true).isEqual)
            _ = Fragile.faults.withLock { $0.removeValue(forKey: "\(one)/b") }
            #expect(try await compare(true).isEqual)
            #expect(
                try await compare(false).tables[0].differences == 2, "what waited is folded, what was dropped is tried")

            let rebuild = Rebuild(fragile, log: site.log, views: site.views)
            let (build, _, _) = try await rebuild.build()
            try await rebuild.swap(to: build)
            #expect(try await site.visitors(fragile.build(build)) == [one: "abc", two: "abc"])
            // The topic is told of the new build's own, once a projector has it.
            try await running(site.projector(of: fragile)) {
                let known: Bool = try await eventually("the topic to know") {
                    let waiting = try await site.waiting("test.fragile", source)
                    return waiting.count == 0 && waiting.dropped == [dropped] ? true : nil
                }
                #expect(known)
            }
        }
    }

    @Test func `events without a key wait alone`() async throws {
        try await site(.local) { site in
            let bad = try await site.garbage("", in: source)
            try await site.hit([("a", "v")])
            let worse = try await site.garbage("", in: source)
            try await running(site.projector(of: windows)) {
                try await site.folded(windows)
                #expect(try await seconds(site, of: "a") == 1)
                let end = try await site.redrive("hits.windows", source, "", drop: 1, only: worse)
                #expect((end.dropped, end.left) == (1, 0))
                #expect(try await site.waiting("hits.windows", source).parked.map(\.offset) == [bad])
            }
        }
    }

    @Test func `over the limit the worker stops, and keeps what it has`() async throws {
        try await site(.memory) { site in
            let records = (0...Quarantine.limit).map {
                NewRecord(key: Bytes("k\($0)"), value: "garbage", timestamp: noon)
            }
            _ = try await site.log.append([Append(source, Array(records[..<Quarantine.limit]))])
            try await running(site.projector(of: windows)) { try await site.folded(windows) }
            #expect(try await site.waiting("hits.windows", source).count == Quarantine.limit)
            _ = try await site.log.append([Append(source, [records[Quarantine.limit]])])
            let projector = site.projector(of: windows)
            let error = await #expect(throws: ViewError.self) { try await projector.run() }
            #expect(
                error?.message.contains("quarantine list; then redrive or drop") ?? false,
                "\(String(describing: error))")
        }
    }
}
