import Domains
import EventLog
import EventModel
import Foundation
import Projecting
import Snapshots
import Synchronization
import Testing

@testable import HitsDomain

/// A log, a live view store and a folder of snapshots, for one test.
struct Archive: Sendable {
    let site: Site
    let folder: SnapshotFolder
    let scratch: String
    var limits = SnapshotLimits()

    /// Folds the live view of a projection up to some offsets.
    func fold(_ projection: AnyProjection, to ends: [TopicPartition: Offset]) async throws {
        var refold = try await ViewReplay(
            projection, from: site.log, starts: ends.mapValues { _ in 0 }, into: site.views, owner: "test")
        try await refold.fold(to: ends)
    }

    /// Keeps a snapshot of the live view as it stands.
    @discardableResult
    func keep(_ projection: AnyProjection) async throws -> Snapshot? {
        try await site.views.withSnapshot(projection) {
            try await folder.keep($0, of: projection, from: site.log, limits: limits)
        }
    }

    func bounds(_ projection: AnyProjection) async throws -> [TopicPartition: Range<Offset>] {
        try await site.log.bounds(of: site.log.partitions(of: projection.topics))
    }

    struct Shown {
        var rows: [[Row]]
        var origin: Past.Origin
        var complaints: [String]
    }

    /// All rows of the view up to some offsets.
    func past(
        _ projection: AnyProjection, to ends: [TopicPartition: Offset], at moment: Timestamp = Timestamp(.max),
        withSnapshots: Bool = true
    ) async throws -> Shown {
        let ranges = try await bounds(projection).reduce(into: [TopicPartition: Range<Offset>]()) { ranges, entry in
            ranges[entry.key] = entry.value.lowerBound..<max(entry.value.lowerBound, ends[entry.key] ?? 0)
        }
        return try await past(projection, Extent(at: moment, of: ranges), withSnapshots: withSnapshots)
    }

    /// All rows of the view of what counts.
    func past(_ projection: AnyProjection, _ extent: Extent, withSnapshots: Bool = true) async throws -> Shown {
        let place = "\(scratch)/\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        let complaints = Mutex<[String]>([])
        let past = Past(of: projection, on: site.log, snapshots: withSnapshots ? folder : nil)
        let (rows, origin) = try await past.read(
            extent, scratch: place, complain: { text in complaints.withLock { $0.append(text) } }
        ) { reader in try projection.tables.map { try reader.rows(Scan($0, limit: .max)) } }
        return Shown(rows: rows, origin: origin, complaints: complaints.withLock { $0 })
    }
}

func archive(_ carrier: Carrier = .local, _ test: (Archive) async throws -> Void) async throws {
    try await folder { folder in
        try await site(carrier) { site in
            try await test(
                Archive(site: site, folder: SnapshotFolder(folder + "/snapshots"), scratch: folder + "/scratch"))
        }
    }
}

/// A projection of the same name and version as ``HitWindows``, with other tables.
private struct OtherShape: Lender {
    static let name = HitWindows.name
    static let version = HitWindows.version
    static let tables = [items]
}

@Suite("The past of a view", .timeLimit(.minutes(10)))
struct PastTests {
    @Test(arguments: Carrier.stores)
    func `from snapshots is what folding from the log's start gives, at any place and moment`(
        on carrier: Carrier
    ) async throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        print("the past, on \(carrier.testDescription): seed \(seed)")
        var random = SeededRandom(seed)
        var events = RandomEvents(seed)
        try await archive(carrier) { archive in
            var archive = archive
            archive.limits.kept = 4
            let projections = Domains.all.flatMap(\.projections)
            for _ in 0..<7 {
                try await events.append(250, to: archive.site.log)
                for projection in projections {
                    // Somewhere between where the view is and the end, each partition by itself.
                    let seen = try await archive.site.views.read(projection) { _, asOf in asOf }
                    let ends = try await archive.bounds(projection).reduce(into: [TopicPartition: Offset]()) {
                        ends, entry in
                        let from = seen[entry.key] ?? 0
                        ends[entry.key] = from + Int.random(in: 0...Int(entry.value.upperBound - from), using: &random)
                    }
                    try await archive.fold(projection, to: ends)
                    try await archive.keep(projection)
                }
            }
            var saved = 0
            for projection in projections {
                #expect(try await archive.folder.all(of: projection).count <= 4)
                let bounds = try await archive.bounds(projection)
                for round in 0..<6 {
                    var extent = Extent(at: Timestamp(.max), of: bounds)
                    switch round {
                    case 0: break
                    case 1...3: extent.moment = noon + .seconds(Int64.random(in: 0...900, using: &random))
                    default:
                        for (place, range) in bounds {
                            extent.ranges[place] =
                                0..<Offset(Int64.random(in: 0...range.upperBound.rawValue, using: &random))
                        }
                    }
                    let (quick, full) = (
                        try await archive.past(projection, extent),
                        try await archive.past(projection, extent, withSnapshots: false)
                    )
                    #expect(quick.rows == full.rows, "\(projection.name) of \(extent), seed \(seed)")
                    #expect(quick.origin.shown == full.origin.shown, "\(projection.name) of \(extent), seed \(seed)")
                    #expect(quick.complaints == [] && quick.origin.gaps.isEmpty && full.origin.snapshot == nil)
                    saved += full.origin.folded - quick.origin.folded
                    if round == 0 { #expect(quick.origin.snapshot != nil, "\(projection.name), seed \(seed)") }
                }
            }
            #expect(saved > 1000, "snapshots spared the fold of \(saved) events, seed \(seed)")
        }
    }

    private static let windows = Domain.hits.projections[0]

    /// Hits in all partitions, with a snapshot after each portion; gives the ends after each.
    private func portions(_ archive: Archive, _ count: Int, seed: UInt64 = 7) async throws -> [[TopicPartition: Offset]]
    {
        var events = RandomEvents(seed)
        var ends: [[TopicPartition: Offset]] = []
        for _ in 0..<count {
            try await events.append(200, to: archive.site.log)
            ends.append(try await archive.bounds(Self.windows).mapValues(\.upperBound))
            try await archive.fold(Self.windows, to: ends[ends.count - 1])
            try await archive.keep(Self.windows)
        }
        return ends
    }

    private func change(_ path: String, _ change: (inout Data) -> Void) throws {
        var data = try Data(contentsOf: URL(fileURLWithPath: path))
        change(&data)
        try data.write(to: URL(fileURLWithPath: path))
    }

    @Test func `of a damaged snapshot is folded from an older one, or from the log's start, and that is told`()
        async throws
    {
        try await archive { archive in
            let ends = try await portions(archive, 4)
            let full = try await archive.past(Self.windows, to: ends[3], withSnapshots: false)
            let snapshots = try await archive.folder.all(of: Self.windows)
            let path = { (i: Int, ending: String) in
                "\(archive.folder.directory)/hits.windows@1/\(snapshots[i].name).\(ending)"
            }
            try change(path(3, "sqlite")) { $0[$0.count / 2] ^= 1 }
            try change(path(2, "sqlite")) { $0.removeLast(100) }
            var shown = try await archive.past(Self.windows, to: ends[3])
            #expect(shown.rows == full.rows && shown.origin.snapshot?.name == snapshots[1].name)
            #expect(shown.complaints.count == 2 && shown.complaints[0].contains("\(path(3, "sqlite")) is damaged"))
            try FileManager.default.removeItem(atPath: path(1, "sqlite"))
            try Data("{}".utf8).write(to: URL(fileURLWithPath: path(0, "json")))
            shown = try await archive.past(Self.windows, to: ends[3])
            #expect(shown.rows == full.rows && shown.origin.snapshot == nil && shown.complaints.count == 3)
            // Whoever keeps the next one removes what is none.
            var events = RandomEvents(8)
            try await events.append(50, to: archive.site.log)
            try await archive.fold(Self.windows, to: try await archive.bounds(Self.windows).mapValues(\.upperBound))
            try await archive.keep(Self.windows)
            #expect(!FileManager.default.fileExists(atPath: path(0, "json")))
        }
    }

    @Test func `of another log's snapshots is not folded from them`() async throws {
        try await archive { one in
            _ = try await portions(one, 2, seed: 1)
            try await archive { other in
                // So much more that the first snapshot's places are all in it.
                let ends = try await portions(other, 8, seed: 2)
                let mixed = Archive(site: other.site, folder: one.folder, scratch: other.scratch)
                let shown = try await mixed.past(Self.windows, to: ends[7])
                #expect(shown.origin.snapshot == nil && !shown.complaints.isEmpty)
                #expect(shown.complaints.allSatisfy { $0.contains("is of another log and is not used") })
                #expect(try await shown.rows == other.past(Self.windows, to: ends[7], withSnapshots: false).rows)
            }
        }
    }

    @Test func `of one build or shape is not folded from snapshots of another`() async throws {
        try await archive { archive in
            let ends = try await portions(archive, 1)
            #expect(try await archive.past(Self.windows, to: ends[0]).origin.snapshot != nil)
            #expect(try await archive.past(Self.windows.build(1), to: ends[0]).origin.snapshot == nil)
            let other = AnyProjection(OtherShape.self, domain: "hits")
            #expect(other.storage == Self.windows.storage)
            #expect(try await archive.folder.all(of: other).isEmpty)
        }
    }

    @Test func `whose events are past their retention is what a snapshot has, and what is missing is told`()
        async throws
    {
        try await archive { archive in
            let ends = try await portions(archive, 3)
            let full = try await archive.past(Self.windows, to: ends[2], withSnapshots: false)
            let log = try #require(archive.site.log as? any Maintained)
            var topic = try #require(Domain.hits.topics.first { $0.name == "hits.events" })
            topic.retention = .seconds(1)
            try await log.configure([topic])
            // The log forgets what the second snapshot has, and not all of what came after it.
            let age = try await { () async throws -> Timestamp in
                var times: [Timestamp] = []
                for (place, end) in ends[1] where end > 0 {
                    try await log.scan(place, from: 0, to: end) { times += $0.records.map(\.timestamp) }
                }
                return times.max() ?? noon
            }()
            try await log.maintain(at: age + .seconds(1))
            let bounds = try await archive.bounds(Self.windows)
            #expect(bounds.values.contains { $0.lowerBound > 0 })
            let shown = try await archive.past(Self.windows, to: ends[2])
            #expect(shown.origin.snapshot?.offsets == ends[2].filter { $0.value > 0 })
            #expect(shown.rows == full.rows && shown.origin.gaps.isEmpty, "exact, though its events are gone")
            // Without snapshots the first events are missing.
            let bare = try await archive.past(Self.windows, to: ends[2], withSnapshots: false)
            #expect(bare.rows != full.rows)
            #expect(bare.origin.gaps == bounds.filter { $0.value.lowerBound > 0 }.mapValues { 0..<$0.lowerBound })
            // Of a moment before all that is left, only what is surely not later counts.
            let before = bounds.mapValues(\.lowerBound)
            let early = try await archive.past(Self.windows, to: before, at: noon - .seconds(86_400))
            #expect(early.origin.snapshot == nil)
        }
    }
}
