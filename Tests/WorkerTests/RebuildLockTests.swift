import EventLog
import EventModel
import SwiftProtobuf
import Synchronization
import TestSupport
import Testing

@testable import HitsDomain
@testable import Projecting
@testable import TicketsDomain

@Suite("Rebuilds of one view at once", .timeLimit(.minutes(10)))
struct RebuildLockTests {
    private static let windows = Domain.hits.projections[0]
    private static let place = TopicPartition("hits.events", 0)

    private func append(_ count: Int, to log: any EventLog) async throws {
        let records = (0..<count).map { number in
            NewRecord(
                key: "site#0", value: HitsEvent.bytes(.hit(.with { $0.site = "site" })),
                timestamp: noon + .seconds(number))
        }
        _ = try await log.append([Append(Self.place, records)])
    }

    /// Folds everything into the live build, as a projector does that has just claimed it.
    private func foldLive(_ log: any EventLog, _ views: any ViewStore) async throws {
        let bounds = try await log.bounds(of: [Self.place])
        var fold = try await ViewReplay(
            views.live(Self.windows), from: log, starts: bounds.mapValues(\.lowerBound), into: views, owner: "test")
        try await fold.fold(to: bounds.mapValues(\.upperBound))
    }

    private func expectBusy(_ body: () async throws -> Void) async {
        let error = await #expect(throws: ViewError.self) { try await body() }
        #expect(error?.kind == .busy, "\(String(describing: error))")
        #expect(error?.message.contains("another rebuild of hits.windows is under way") == true)
    }

    @Test(arguments: Carrier.stores)
    func `the first goes on, and the others are told and change nothing`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await append(50, to: site.log)
            try await foldLive(site.log, site.views)
            let other = Rebuild(Self.windows, log: site.log, views: site.views)
            var first = other
            first.cuts = [[:]]
            let met = Mutex(0)
            first.atCut = { [self] build in
                let builds = try await site.views.builds(of: Self.windows)
                #expect(builds.all == [0, build.build])
                await expectBusy { _ = try await other.build() }
                await expectBusy { try await other.swap(to: build.build) }
                await expectBusy { _ = try await other.rollBack() }
                #expect(try await site.views.builds(of: Self.windows) == builds)
                met.withLock { $0 += 1 }
            }
            let made = try await first.alone { rebuild in
                let made = try await rebuild.build()
                await expectBusy { _ = try await other.build() }
                try await rebuild.swap(to: made.build)
                return made
            }
            #expect(made.comparison.isEqual && met.withLock { $0 } == 1)
            #expect(try await site.views.builds(of: Self.windows) == Builds(live: 1, previous: 0, all: [0, 1]))
            // One that ended, and one that failed, leave the view to others.
            await #expect(throws: Overdue.self) { try await other.alone { _ in throw Overdue(description: "") } }
            try await other.swap(to: other.build().build)
            #expect(try await site.views.live(Self.windows).build == 2)
        }
    }

    @Test(arguments: Carrier.stores)
    func `builds are locked by one, of one projection's version, until it lets them go`(on carrier: Carrier)
        async throws
    {
        try await folder { folder in
            let views = try carrier.views(folder)
            // Another process, where the store can be shared at all.
            let others = carrier.isKept ? try carrier.views(folder) : views
            let lock = try await views.lockBuilds(of: Self.windows)
            await expectBusy { _ = try await others.lockBuilds(of: Self.windows.build(3)) }
            await expectBusy { _ = try await views.lockBuilds(of: Self.windows) }
            let another = try #require(Domain.tickets.projections.first)
            let free = try await others.lockBuilds(of: another)
            await free.release()
            await lock.release()
            await lock.release()
            for _ in 0..<200 {
                let (a, b) = (try await others.lockBuilds(of: Self.windows), views)
                await expectBusy { _ = try await b.lockBuilds(of: Self.windows) }
                await a.release()
            }
            await views.close()
            if carrier.isKept { await others.close() }
        }
    }

    private final class Count: Sendable {
        let holders = Mutex(0)
        let taken = Mutex(0)
    }

    @Test(arguments: Carrier.stores)
    func `of many that want builds at the same moment one has them`(on carrier: Carrier) async throws {
        try await folder { folder in
            let views = try carrier.views(folder)
            let count = Count()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        for _ in 0..<30 {
                            let lock: any BuildLock
                            do {
                                lock = try await views.lockBuilds(of: Self.windows)
                            } catch let error as ViewError where error.kind == .busy {
                                continue
                            }
                            let isAlone = count.holders.withLock { holders in
                                holders += 1
                                return holders == 1
                            }
                            #expect(isAlone)
                            await Task.yield()
                            count.holders.withLock { $0 -= 1 }
                            count.taken.withLock { $0 += 1 }
                            await lock.release()
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(count.taken.withLock { $0 } > 0)
            await views.close()
        }
    }

    /// A store where something happens before the live build is held, and before another is promoted, and where the next build's commits last
    /// for as long as the live one is held, so many times.
    private final class Slow: WrappedViews {
        let views: any ViewStore
        let beforeHold: @Sendable () async throws -> Void
        let beforePromotion: @Sendable () async throws -> Void
        private let state: Mutex<(slow: Int, until: ContinuousClock.Instant?, holds: [Duration])>
        var holds: [Duration] { state.withLock { $0.holds } }

        init(
            _ views: any ViewStore, slow: Int = 0, beforeHold: @escaping @Sendable () async throws -> Void = {},
            beforePromotion: @escaping @Sendable () async throws -> Void = {}
        ) {
            self.views = views
            (self.beforeHold, self.beforePromotion) = (beforeHold, beforePromotion)
            state = Mutex((slow, nil, []))
        }
        func hold(_ projection: AnyProjection, for time: Duration) async throws {
            if time > .zero { try await beforeHold() }
            state.withLock { state in
                state.holds.append(time)
                state.until = time > .zero && state.slow > 0 ? .now + time : nil
                if state.until != nil { state.slow -= 1 }
            }
            try await views.hold(projection, for: time)
        }
        func commit(
            _ tables: any StoredTables, to offsets: [TopicPartition: Offset], under epochs: [TopicPartition: Epoch],
            fold: @escaping @Sendable (ViewBatch) throws -> Void
        ) async throws {
            if let until = state.withLock({ $0.until }) { try await Task.sleep(until: until) }
            try await views.commit(tables, to: offsets, under: epochs, fold: fold)
        }
        func promote(_ build: Int, of projection: AnyProjection) async throws {
            try await beforePromotion()
            try await views.promote(build, of: projection)
        }
    }

    @Test(arguments: Carrier.stores)
    func `one that is too slow lets the live build go, and tries again`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await append(10, to: site.log)
            try await foldLive(site.log, site.views)
            let (log, views) = (site.log, site.views)
            let slow = Slow(views, slow: 2) { [self] in
                try await append(10, to: log)
                try await foldLive(log, views)
            }
            var rebuild = Rebuild(Self.windows, log: log, views: slow)
            rebuild.hold = .seconds(3)
            try await rebuild.swap(to: rebuild.build().build)
            let held = Duration.seconds(3)
            #expect(slow.holds.prefix(5) == [held, .zero, held, .zero, held])
            #expect(try await views.live(Self.windows).build == 1)
            let sum = try await views.read(Self.windows.build(1)) { reader, _ in
                try reader.sums([3], over: Scan(HitWindows.seconds, equal: ["*"]))[0]
            }
            #expect(sum == Int64(10 + 10 * slow.holds.count { $0 > .zero }))
        }
    }

    @Test(arguments: Carrier.stores)
    func `one that is always too slow gives up, and the view is as it was`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await append(10, to: site.log)
            try await foldLive(site.log, site.views)
            let (log, views) = (site.log, site.views)
            let slow = Slow(views, slow: .max) { [self] in
                try await append(10, to: log)
                try await foldLive(log, views)
            }
            var rebuild = Rebuild(Self.windows, log: log, views: slow)
            rebuild.hold = .milliseconds(200)
            let made = try await rebuild.build()
            let error = await #expect(throws: ViewError.self) { try await rebuild.swap(to: made.build) }
            #expect(error?.kind == .busy && error?.message.contains("did not catch up") == true)
            let builds = try await views.builds(of: Self.windows)
            #expect(builds.live == 0 && !builds.isHeld, "projectors go on")
            try await foldLive(log, views)
        }
    }

    @Test(arguments: Carrier.stores)
    func `who took the live build while another was put in its place is fenced`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await append(10, to: site.log)
            try await foldLive(site.log, site.views)
            let views = site.views
            let epochs = Mutex<[TopicPartition: Epoch]>([:])
            let slow = Slow(
                views,
                beforePromotion: {
                    // The process stood still, and the live build was held no longer.
                    let late = try await views.claim(Self.windows, [Self.place], owner: "late").mapValues(\.epoch)
                    epochs.withLock { $0 = late }
                })
            let rebuild = Rebuild(Self.windows, log: site.log, views: slow)
            try await rebuild.swap(to: rebuild.build().build)
            let error = await #expect(throws: ViewError.self) {
                try await views.commit(Self.windows, to: [Self.place: 10], under: epochs.withLock { $0 }) { _ in }
            }
            #expect(error?.kind == .fenced)
        }
    }
}
