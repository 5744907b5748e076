import EventLog
import EventModel
import Projecting
import SwiftProtobuf
import Synchronization
import Testing

@testable import HitsDomain

@Suite("A view rebuilt beside the live one", .timeLimit(.minutes(10)))
struct RebuildTests {
    private final class Watch: Sendable {
        let seen = Mutex<[TopicPartition: Offset]>([:])
        let done = Mutex(false)
    }

    private static let windows = Domain.hits.projections[0]
    private static let topic = "hits.events"

    private func append(_ numbers: Range<Int>, at site: Site) async throws {
        let batches = Dictionary(grouping: numbers) { TopicPartition(Self.topic, Partition($0 % 8)) }
        _ = try await site.log.append(
            batches.map { partition, numbers in
                Append(
                    partition,
                    numbers.map { number in
                        NewRecord(
                            key: Bytes("site#\(number % 8)"), value: HitsEvent.bytes(.hit(.with { $0.site = "site" })),
                            timestamp: noon + .seconds(number))
                    })
            })
    }

    /// The rows that a fold in one go gives.
    private func fresh(_ site: Site) async throws -> [[Row]] {
        let views = MemoryViews()
        let bounds = try await site.log.bounds(of: site.log.partitions(of: Self.windows.topics))
        var refold = try await ViewReplay(
            Self.windows, from: site.log, starts: bounds.mapValues(\.lowerBound), into: views, owner: "test")
        try await refold.fold(to: bounds.mapValues(\.upperBound))
        return try await Site(log: site.log, views: WatchedViews(views)).rows(of: Self.windows)
    }

    @Test(arguments: Carrier.stores)
    func `takes its place while hits come, and nobody sees less than before`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let rebuild = Rebuild(Self.windows, log: site.log, views: site.views)
            let watch = Watch()
            try await append(0..<400, at: site)
            try await running(site.projector(of: Self.windows), site.projector(of: Self.windows)) {
                try await site.foldedLive(Self.windows)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { [self] in
                        var from = 400
                        while !watch.done.withLock({ $0 }) {
                            try await append(from..<from + 16, at: site)
                            from += 16
                            try await Task.sleep(for: .milliseconds(10))
                        }
                    }
                    group.addTask {
                        while !watch.done.withLock({ $0 }) {
                            let asOf = try await site.views.read(site.views.live(Self.windows)) { _, asOf in asOf }
                            let before = watch.seen.withLock { seen in
                                defer { seen.merge(asOf) { max($0, $1) } }
                                return seen
                            }
                            for (partition, next) in before {
                                #expect(asOf[partition] ?? 0 >= next, "\(partition) goes back")
                            }
                            try await Task.sleep(for: .milliseconds(1))
                        }
                    }
                    for build in 1...3 {
                        let made = try await rebuild.build()
                        #expect(made.build == build && made.comparison.isEqual)
                        try await rebuild.swap(to: build)
                        let builds = try await site.views.builds(of: Self.windows)
                        #expect(builds == Builds(live: build, previous: build - 1, all: [build - 1, build]))
                        try await site.foldedLive(Self.windows)
                    }
                    watch.done.withLock { $0 = true }
                    try await group.waitForAll()
                }
                try await site.foldedLive(Self.windows)
            }
            let live = try await site.views.live(Self.windows)
            #expect(live.build == 3)
            #expect(try await site.rows(of: live) == fresh(site))
        }
    }

    @Test(arguments: Carrier.stores)
    func `shows what was wrong, puts it right, and can be taken back`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await append(0..<100, at: site)
            try await running(site.projector(of: Self.windows)) { try await site.foldedLive(Self.windows) }
            // Somebody changes a row.
            let row: Row = ["site", .integer(noon.second + 3), 3, 7, 0]
            let epochs = try await site.views.claim(Self.windows, [TopicPartition(Self.topic, 3)], owner: "vandal")
            try await site.views.commit(
                Self.windows, to: [TopicPartition(Self.topic, 3): 13], under: epochs.mapValues(\.epoch)
            ) { $0.put(HitWindows.seconds, row) }
            let rebuild = Rebuild(Self.windows, log: site.log, views: site.views)
            let (build, folded, comparison) = try await rebuild.build()
            #expect(folded == 100 && build == 1)
            #expect(comparison.first.map(\.found) == [row] && comparison.first[0].columns == [3])
            #expect(try await site.views.live(Self.windows).build == 0)
            try await rebuild.swap(to: build)
            #expect(try await site.rows(of: site.views.live(Self.windows)) == fresh(site))
            // What comes afterwards is folded into the old one too when it is taken back.
            try await append(100..<180, at: site)
            let back = try await rebuild.rollBack()
            #expect(back.build == 0 && back.folded == 80)
            let old = try await site.rows(of: site.views.live(Self.windows))[0]
            let count = try await fresh(site)[0].count
            #expect(old.contains(row) && old.count == count)
            #expect(try await rebuild.rollBack().build == 1, "and forth")
            #expect(try await site.rows(of: site.views.live(Self.windows)) == fresh(site))
        }
    }

    @Test(arguments: Carrier.stores)
    func `fences whoever has the old one in hand`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await append(0..<16, at: site)
            let place = TopicPartition(Self.topic, 0)
            let epochs = try await site.views.claim(Self.windows, [place], owner: "old").mapValues(\.epoch)
            try await site.views.commit(Self.windows, to: [place: 1], under: epochs) { _ in }
            let rebuild = Rebuild(Self.windows, log: site.log, views: site.views)
            try await rebuild.swap(to: rebuild.build().build)
            let error = await #expect(throws: ViewError.self) {
                try await site.views.commit(Self.windows, to: [place: 2], under: epochs) { _ in }
            }
            #expect(error?.kind == .fenced)
            let none = await #expect(throws: ViewError.self) { try await rebuild.swap(to: 9) }
            #expect(none?.message.contains("there is no hits.windows@1+9") == true)
            #expect(try await site.views.live(Self.windows).build == 1)
        }
    }
}

extension Site {
    fileprivate func rows(of projection: AnyProjection) async throws -> [[Row]] {
        try await views.read(projection) { reader, _ in
            try projection.tables.map { try reader.rows(Scan($0, limit: .max)) }
        }
    }

    /// Waits until the live build has folded all that is on the log now.
    fileprivate func foldedLive(_ projection: AnyProjection) async throws {
        let ends = try await log.bounds(of: log.partitions(of: projection.topics)).mapValues(\.upperBound).filter {
            $0.value > 0
        }
        try await views.bell.until("\(projection.name) was up to date") {
            let asOf = try await views.read(views.live(projection)) { _, asOf in asOf }
            return ends.allSatisfy { partition, end in asOf[partition].map { $0 >= end } ?? false }
        }
    }
}
