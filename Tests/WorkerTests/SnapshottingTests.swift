import EventLog
import EventModel
import Foundation
import Projecting
import TestSupport
import Testing

@testable import HitsDomain
@testable import Snapshots
@testable import SocialDomain

@Suite("Keeping snapshots", .timeLimit(.minutes(10)))
struct SnapshottingTests {
    private static let windows = Domain.hits.projections[0]

    @Test func `there are never more than the limit, and the older the further apart`() {
        var limits = SnapshotLimits()
        (limits.every, limits.kept, limits.bytes) = (100, 24, .max)
        var kept: [(events: Int64, bytes: Int64)] = []
        for n in 1...5000 as ClosedRange<Int64> {
            kept.append((n * 100, 1))
            for surplus in limits.surplus(kept).reversed() { kept.remove(at: surplus) }
            #expect(kept.count <= 24 && kept.last?.events == n * 100)
            // A fold begins at most so far back: two spacings, or half of how old the moment is.
            for (before, after) in zip([0] + kept.map(\.events), kept.map(\.events)) {
                #expect(after - before <= max(200, (n * 100 - before) / 2), "\(n): \(kept.map(\.events))")
            }
        }
        #expect(kept.suffix(3).map(\.events) == [499_800, 499_900, 500_000])
    }

    @Test func `large ones are fewer, but for two, and the newest stays`() {
        var limits = SnapshotLimits()
        limits.bytes = 1000
        let sizes = { (bytes: Int64) in (1...10).map { (events: Int64($0) * 100_000, bytes: bytes) } }
        #expect(limits.surplus(sizes(100)) == [])
        #expect(limits.surplus(sizes(200)).count == 5)
        #expect(limits.surplus(sizes(5000)).count == 8 && !limits.surplus(sizes(5000)).contains(9))
        limits.kept = 1
        #expect(limits.surplus(sizes(1)) == Array(0..<9))
        #expect(limits.surplus([]) == [])
    }

    @Test func `one is due so many events after the one before`() {
        let limits = SnapshotLimits()
        #expect(!limits.isDue(at: 99_999, beside: []) && limits.isDue(at: 100_000, beside: []))
        #expect(!limits.isDue(at: 250_000, beside: [100_000, 200_000]))
        #expect(limits.isDue(at: 300_000, beside: [100_000, 200_000]))
        // Those ahead are of a view that was folded anew since.
        #expect(limits.isDue(at: 150_000, beside: [900_000]) && !limits.isDue(at: 150_000, beside: [100_000, 900_000]))
    }

    private func hits(_ archive: Archive, _ count: Int, seed: UInt64) async throws {
        var events = RandomEvents(seed)
        try await events.append(count, to: archive.site.log)
        try await archive.fold(Self.windows, to: try await archive.bounds(Self.windows).mapValues(\.upperBound))
    }

    @Test(arguments: Carrier.stores)
    func `a service keeps them while projectors go on, and two of them keep no more`(on carrier: Carrier) async throws {
        try await archive(carrier) { archive in
            var limits = SnapshotLimits()
            (limits.every, limits.look, limits.rest) = (40, .milliseconds(5), 1)
            let services = (0..<2).map { n in
                Snapshotting(
                    [Self.windows], log: archive.site.log, views: archive.site.views, in: archive.folder,
                    limits: limits, logger: archive.site.journal.logger("snapshots\(n)"))
            }
            try await running(archive.site.projector(of: Self.windows), services[0], services[1]) {
                var events = RandomEvents(3)
                for round in 1...4 {
                    try await events.append(200, to: archive.site.log)
                    try await archive.site.folded(Self.windows)
                    let ends = try await archive.bounds(Self.windows).mapValues(\.upperBound).filter { $0.value > 0 }
                    let total = ends.values.reduce(0) { $0 + $1.rawValue }
                    try await until("a snapshot of round \(round)") {
                        try await archive.folder.all(of: Self.windows).last.map { $0.events > total - 40 } ?? false
                    }
                    let shown = try await archive.past(Self.windows, to: ends)
                    #expect(shown.origin.snapshot != nil && shown.complaints == [])
                    #expect(
                        try await shown.rows == archive.past(Self.windows, to: ends, withSnapshots: false).rows)
                }
            }
            let counts = try await archive.folder.all(of: Self.windows).map(\.events)
            #expect(zip(counts, counts.dropFirst()).allSatisfy { $1 - $0 >= 40 }, "\(counts)")
            #expect(archive.site.journal.all.filter { $0.contains("no snapshot") } == [])
        }
    }

    private func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while try await !condition() {
            if .now > deadline { throw Overdue(description: "the time was over before \(what)") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    @Test func `where none can be kept the projector goes on, and it is told`() async throws {
        try await folder { folder in
            // A file is where the folder should be.
            try Data().write(to: URL(fileURLWithPath: folder + ".file"))
            defer { try? FileManager.default.removeItem(atPath: folder + ".file") }
            try await site(.local) { site in
                var limits = SnapshotLimits()
                (limits.every, limits.look) = (1, .milliseconds(5))
                let service = Snapshotting(
                    [Self.windows], log: site.log, views: site.views, in: SnapshotFolder(folder + ".file/snapshots"),
                    limits: limits, logger: site.journal.logger("snapshots"))
                try await running(site.projector(of: Self.windows), service) {
                    var events = RandomEvents(3)
                    try await events.append(100, to: site.log)
                    try await site.journal.bell.until("the complaint") {
                        site.journal.all.contains { $0.contains("no snapshot of hits.windows was kept") }
                    }
                    try await events.append(100, to: site.log)
                    try await site.folded(Self.windows)
                }
            }
        }
    }

    @Test func `one process writes at a time, and removes what a dead one left`() async throws {
        try await archive { archive in
            try await hits(archive, 100, seed: 1)
            let folder = archive.folder.folder(of: Self.windows)
            let lock = try #require(try FileLock(in: folder))
            #expect(try await archive.keep(Self.windows) == nil)
            lock.release()
            for name in ["9-dead.sqlite.partial", "9-dead.sqlite", "9-dead.json.partial"] {
                try Data("half".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            }
            let kept = try #require(try await archive.keep(Self.windows))
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(names == ["\(kept.name).json", "\(kept.name).sqlite", "lock"])
            #expect(try await archive.keep(Self.windows) == nil, "the same is not kept twice")
        }
    }

    @Test func `none is kept where too little room would be left`() async throws {
        try await archive { archive in
            var archive = archive
            archive.limits.room = .max / 2
            try await hits(archive, 100, seed: 1)
            let error = await #expect(throws: ViewError.self) { try await archive.keep(Self.windows) }
            #expect(error?.kind == .full && error?.message.contains("MiB are free") == true)
            #expect(try await archive.folder.all(of: Self.windows).isEmpty)
        }
    }

    @Test func `those of builds that are gone are removed`() async throws {
        try await archive { archive in
            try await hits(archive, 100, seed: 1)
            for build in 0...3 {
                try await archive.site.views.withSnapshot(Self.windows) { view in
                    _ = try await archive.folder.keep(
                        view, of: Self.windows.build(build), from: archive.site.log, limits: archive.limits)
                }
            }
            try await archive.folder.discard(Self.windows, but: Builds(live: 3, previous: 2, all: [2, 3]))
            let left = try FileManager.default.contentsOfDirectory(atPath: archive.folder.directory).sorted()
            #expect(left == ["hits.windows@1+2", "hits.windows@1+3"])
        }
    }

    @Test(arguments: Carrier.all)
    func `cuts of a log are moments, so many events apart`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            var events = RandomEvents(11)
            for _ in 0..<5 { try await events.append(400, to: site.log) }
            let topics = Domain.social.projections[0].topics
            let partitions = try await site.log.partitions(of: topics)
            let total = try await site.log.bounds(of: partitions).values.reduce(0) { $0 + $1.upperBound.rawValue }
            let cuts = try await site.log.cuts(of: topics, every: 30)
            let counts = cuts.map { $0.values.reduce(0) { $0 + $1.rawValue } }
            #expect(counts.count >= total / 60 && total - (counts.last ?? 0) < 60, "\(counts) of \(total)")
            #expect(zip([0] + counts, counts).allSatisfy { $1 > $0 })
            for (a, b) in zip(cuts, cuts.dropFirst()) { #expect(a.allSatisfy { $0.value <= b[$0.key] ?? 0 }) }
            #expect(try await site.log.cuts(of: topics, every: total + 1).isEmpty)
        }
    }
}
