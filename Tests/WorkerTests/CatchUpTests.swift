import EventLog
import EventModel
import Foundation
import GRDB
import LocalLog
import Quarantining
import SQLiteViews
import SwiftProtobuf
import Synchronization
import Testing

@testable import HitsDomain
@testable import Projecting

@Suite("A view that is far behind", .timeLimit(.minutes(10)))
struct CatchUpTests {
    private let p0 = TopicPartition("events", 0)

    // MARK: How much is taken at once

    @Test func `commits grow while they are full, and are small again at the end`() {
        var pace = CatchUpPace()
        var sizes: [Int] = []
        for _ in 0..<8 {
            sizes.append(pace.size)
            pace.committed(records: pace.size, bytes: pace.size * 100, in: .milliseconds(10))
        }
        let one = Projector.batch
        #expect(sizes == [one, one, one, 2 * one, 4 * one, 8 * one, CatchUp.records, CatchUp.records])
        #expect(pace.isBehind)
        // Less than asked for, and still a batch: no end is in sight.
        pace.committed(records: one, bytes: one * 100, in: .zero)
        #expect(pace.isBehind && pace.size == CatchUp.records)
        pace.committed(records: one - 1, bytes: one * 100, in: .zero)
        #expect(!pace.isBehind && pace.size == one)
    }

    @Test func `records that are large, or slow, are not more at once than before`() {
        func size(bytes: Int, in time: Duration) -> Int {
            var pace = CatchUpPace()
            for _ in 0..<10 { pace.committed(records: pace.size, bytes: pace.size * bytes, in: time) }
            return pace.size
        }
        #expect(size(bytes: 1_000, in: .zero) == CatchUp.bytes / 1_000)
        #expect(size(bytes: 1_000_000, in: .zero) == Projector.batch)
        #expect(size(bytes: 100, in: .seconds(60)) == Projector.batch)
        // A commit that had fewer than it might is slow, or large, all the same.
        var pace = CatchUpPace()
        for _ in 0..<10 { pace.committed(records: pace.size, bytes: pace.size, in: .zero) }
        pace.committed(records: 100_000, bytes: 100_000, in: .seconds(10))
        #expect(pace.size == 50_000)
        pace.committed(records: 50_000, bytes: 50_000 * 2_000, in: .zero)
        pace.committed(records: 30_000, bytes: 30_000, in: .zero)
        #expect(pace.size == CatchUp.bytes / 2_000, "the next may be as large as the largest were")
    }

    @Test func `memory that is shared comes back`() throws {
        let budget = MemoryBudget(100)
        var first = budget.take(atMost: 70)
        let second = try #require(budget.take(atMost: 70))
        #expect(first?.bytes == 70 && second.bytes == 30 && budget.free == 0)
        #expect(budget.take(atMost: 1) == nil)
        first = nil
        #expect(budget.take(atMost: 100, least: 71) == nil && budget.free == 70)
        withExtendedLifetime(second) {}
    }

    /// What a projector commits, and what it says to its store.
    private final class Spy: WrappedViews {
        let views: any ViewStore
        let told = Mutex<[Bool]>([])
        let commits = Mutex<[Int64]>([])
        let slowest = Mutex(Duration.zero)
        init(_ views: any ViewStore) { self.views = views }

        func catchUp(_ tables: any StoredTables, _ isBehind: Bool, tidies: Bool) async throws {
            told.withLock { $0.append(isBehind) }
            try await views.catchUp(tables, isBehind, tidies: tidies)
        }
        func commit(
            _ tables: any StoredTables, to offsets: [TopicPartition: Offset], under epochs: [TopicPartition: Epoch],
            fold: @escaping @Sendable (ViewBatch) throws -> Void
        ) async throws {
            let began = ContinuousClock.now
            try await views.commit(tables, to: offsets, under: epochs, fold: fold)
            let took = ContinuousClock.now - began
            slowest.withLock { $0 = max($0, took) }
            commits.withLock { $0.append(offsets.values.reduce(0) { $0 + $1.rawValue }) }
        }
    }

    /// Hits of as many sites, all in one partition.
    private func append(_ count: Int, to log: any EventLog) async throws {
        for first in stride(from: 0, to: count, by: 10_000) {
            let records = (first..<first + 10_000).map { number in
                let hit = HitsEvent.OneOf_Kind.hit(.with { ($0.site, $0.visitor) = ("s\(number * 7919 % count)", "v") })
                return NewRecord(key: "s#0", value: HitsEvent.bytes(hit), timestamp: noon)
            }
            _ = try await log.append([Append(TopicPartition("hits.events", 0), records)])
        }
    }

    @Test(.serialized, arguments: [true, false])
    func `is told once to its store, and once that it is over`(isRebuilt: Bool) async throws {
        let windows = Domain.hits.projections[0]
        let count = 240_000
        try await folder { folder in
            let log = try await Carrier.local.log(folder)
            try await log.create(Domain.hits.topics + [QuarantineLog.topic])
            try await append(count, to: log)
            let spy = Spy(try SQLiteViews(directory: folder + "/views"))
            let site = Site(log: log, views: WatchedViews(spy))
            if isRebuilt {
                _ = try await Rebuild(windows, log: log, views: spy).build()
            } else {
                try await running(site.projector(of: windows)) { try await site.folded(windows) }
            }
            let told = spy.told.withLock { $0 }
            #expect(told == [true, false])
            let ends = spy.commits.withLock { $0 }
            let most = zip(ends.dropFirst(), ends).map { $0 - $1 }.max() ?? 0
            // Where commits are slow, they have fewer.
            let isSlow = spy.slowest.withLock { $0 } > CatchUp.patience / 4
            #expect(isSlow || most >= 4 * Int64(Projector.batch), "\(ends)")
            #expect(most <= Int64(CatchUp.records), "\(ends)")
            let build = isRebuilt ? windows.build(1) : windows
            let (rows, hits) = try await spy.read(build) { reader, _ in
                var rows = 0
                try reader.everyRow(Scan(HitWindows.seconds)) { rows += $0[0] != "*" && $0[3] == 1 ? 1 : 0 }
                return (rows, try reader.sums([3], over: Scan(HitWindows.seconds, equal: ["*"]))[0])
            }
            #expect(rows == count && hits == Int64(count))
            await spy.close()
            await log.close()
        }
    }

    // MARK: What SQLite does with it

    private func size(_ path: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    }
    /// Commits rows of a kilobyte each, a thousand unless told.
    private func commit(_ number: Int, rows: Int = 1_000, _ shelf: Shelf) async throws {
        try await shelf.commit([p0: Offset(Int64(number + 1))]) { view in
            for row in 0..<rows {
                let place = (number * 1_000 + row) * 7919 % 1_000_003
                view.put(items, [.text("k\(place)"), 1, .text(String(repeating: "x", count: 1_000)), .null])
            }
        }
    }

    @Test func `its log grows, comes back to nothing, and later commits cut one that was read meanwhile`() async throws
    {
        let projection = AnyProjection(ShelfOne.self, domain: "test")
        try await folder { folder in
            let views = try SQLiteViews(directory: folder)
            let shelf = Shelf(views: views, projection: projection)
            let log = views.path(of: projection) + "-wal"
            try await commit(0, shelf)
            try await commit(1, shelf)
            let (usual, first) = (size(log), 2)
            try await views.catchUp(projection, true, tidies: false)
            for number in first..<first + 30 { try await commit(number, shelf) }
            #expect(size(log) > SQLiteViews.keptLog && size(log) > 3 * usual, "\(size(log)) after \(usual)")
            try await views.catchUp(projection, false, tidies: true)
            #expect(size(log) == 0)
            // Another time, and somebody reads what the log has.
            try await views.catchUp(projection, true, tidies: false)
            for number in 32..<62 { try await commit(number, shelf) }
            let snapshot = try await views.snapshot(projection)
            try await commit(62, shelf)
            let before = ContinuousClock.now
            try await views.catchUp(projection, false, tidies: true)
            #expect(.now - before < .seconds(20), "nobody waits for a reader")
            #expect(size(log) > SQLiteViews.keptLog)
            #expect(snapshot.asOf == [p0: 62])
            try await commit(63, shelf)
            #expect(try await snapshot.read { try $0.sums([1], over: Scan(items))[0] } == 62_000)
            await snapshot.close()
            // What a commit itself writes stays beside that.
            for number in 64..<68 { try await commit(number, rows: 10, shelf) }
            #expect(size(log) <= SQLiteViews.keptLog)
            #expect(try await shelf.sums([1], Scan(items)) == [64_040])
            await views.close()
        }
    }

    @Test func `is near the end once all its workers are, and one that was discarded stays away`() async throws {
        let projection = AnyProjection(ShelfOne.self, domain: "test")
        try await folder { folder in
            let views = try SQLiteViews(directory: folder)
            let shelf = Shelf(views: views, projection: projection)
            let log = views.path(of: projection) + "-wal"
            for _ in 0..<2 { try await views.open(projection) }
            try await views.catchUp(projection, true, tidies: false)
            try await views.catchUp(projection, true, tidies: false)
            for number in 0..<20 { try await commit(number, shelf) }
            try await views.catchUp(projection, false, tidies: true)
            #expect(size(log) > SQLiteViews.keptLog)
            try await views.catchUp(projection, false, tidies: true)
            #expect(size(log) == 0)
            try await views.catchUp(projection, false, tidies: true)
            try await views.catchUp(projection, true, tidies: false)
            try await views.discard(projection)
            try await views.catchUp(projection, false, tidies: true)
            #expect(!FileManager.default.fileExists(atPath: views.path(of: projection)))
            await views.close()
        }
    }
}
