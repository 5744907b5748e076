import Domains
import EventLog
import EventModel
import Foundation
import Projecting
import Snapshots
import SwiftProtobuf
import TestSupport
import Testing

@testable import HitsDomain

/// A log of which only some records are to be seen: what a fold of its past is held against. It reads all and leaves out.
private struct CutLog: WrappedLog {
    let log: any EventLog
    let counts: @Sendable (TopicPartition, Record) -> Bool
    var promises: Promises { [] }
    func reader(from positions: [TopicPartition: Offset]) async throws -> any LogReader {
        Reader(reader: try await log.reader(from: positions), counts: counts)
    }

    private struct Reader: LogReader {
        let reader: any LogReader
        let counts: @Sendable (TopicPartition, Record) -> Bool
        func next(max: Int, wait: Duration) async throws -> [Batch] {
            try await reader.next(max: max, wait: wait).map { batch in
                var batch = batch
                batch.records.removeAll { !counts(batch.source, $0) }
                return batch
            }
        }
        func close() async { await reader.close() }
    }
}

@Suite("The past of a view whose events came late", .timeLimit(.minutes(10)))
struct LatePastTests {
    /// The rows of a fresh fold of the records that count, by nothing but a fold.
    private func fold(
        _ projection: AnyProjection, _ archive: Archive, counts: @escaping @Sendable (TopicPartition, Record) -> Bool
    ) async throws -> [[Row]] {
        let log = CutLog(log: archive.site.log, counts: counts)
        let ends = try await archive.bounds(projection).mapValues(\.upperBound)
        let views = MemoryViews()
        var refold = try await ViewReplay(
            projection, from: log, starts: ends.mapValues { _ in 0 }, into: views, owner: "test")
        try await refold.fold(to: ends)
        return try views.read(projection) { reader, _ in
            try projection.tables.map { try reader.rows(Scan($0, limit: .max)) }
        }
    }

    @Test(arguments: [Carrier.memory, .local])
    func `is the fold of the records of that time or earlier, in the order of the log`(on carrier: Carrier) async throws
    {
        let seed = UInt64.random(in: 0..<1_000_000)
        print("late pasts, on \(carrier.testDescription): seed \(seed)")
        var random = SeededRandom(seed)
        // Half of it in order, as from a producer, and half in any order, as from imports.
        var (orderly, shuffled) = (RandomEvents(seed), RandomEvents(seed &+ 1, shuffled: 3600))
        try await archive(carrier) { archive in
            let projections = Domains.all.flatMap(\.projections)
            let derived = Domains.all.flatMap(\.derived).map(\.topic)
            for round in 0..<6 {
                if round < 3 {
                    try await orderly.append(150, to: archive.site.log)
                } else {
                    try await shuffled.append(150, to: archive.site.log)
                }
                for projection in projections {
                    try await archive.fold(projection, to: archive.bounds(projection).mapValues(\.upperBound))
                    try await archive.keep(projection)
                }
            }
            var (served, left, looked) = (0, 0, 0)
            for projection in projections {
                let bounds = try await archive.bounds(projection)
                if bounds.values.allSatisfy(\.isEmpty) {
                    // Nobody but a worker writes what it is folded from.
                    #expect(Set(projection.topics).isSubset(of: derived), "\(projection.name) has no events")
                    continue
                }
                looked += 1
                for round in 0..<7 {
                    var extent: Extent
                    let moment = noon + .seconds(Int64.random(in: -60...4000, using: &random))
                    if round < 5 {
                        extent = Extent(at: moment, of: bounds)
                        if round == 3 { extent.moment = noon + .seconds(20) }
                        if round == 4 { extent.moment = Timestamp(.max) }
                    } else {
                        let (place, range) = try #require(
                            bounds.sorted { $0.key < $1.key }.filter { !$0.value.isEmpty }.randomElement(using: &random)
                        )
                        let offset = Offset(Int64.random(in: 0..<range.upperBound.rawValue, using: &random))
                        let record = try #require(try await archive.site.log.record(at: offset, in: place))
                        extent = Extent(upTo: record, in: place, of: bounds)
                    }
                    let (time, own) = (extent.moment, extent.own)
                    let end = own.map { extent.ranges[$0]?.upperBound ?? 0 } ?? 0
                    let expected = try await fold(projection, archive) { source, record in
                        source == own ? record.offset < end : record.timestamp <= time
                    }
                    let quick = try await archive.past(projection, extent)
                    let full = try await archive.past(projection, extent, withSnapshots: false)
                    #expect(quick.rows == expected, "\(projection.name) of \(extent.moment), \(round), seed \(seed)")
                    #expect(full.rows == expected, "\(projection.name) of \(extent.moment), \(round), seed \(seed)")
                    #expect(quick.origin.shown == full.origin.shown, "\(projection.name), seed \(seed)")
                    #expect(quick.complaints == [] && full.complaints == [])
                    if quick.origin.snapshot != nil { served += 1 } else { left += 1 }
                }
            }
            #expect(looked >= 8, "\(looked) views have events")
            #expect(served > 10, "snapshots served \(served) of \(served + left), seed \(seed)")
        }
    }

    private static let windows = Domain.hits.projections[0]

    private func hit(_ site: String, _ second: Int) -> (String, NewRecord) {
        let hit = HitsEvent.OneOf_Kind.hit(.with { ($0.site, $0.path, $0.visitor) = (site, "/", "v") })
        let key = Hits.key(of: hit)
        return (key, NewRecord(key: Bytes(key), value: HitsEvent.bytes(hit), timestamp: noon + .seconds(second)))
    }

    private func append(_ archive: Archive, _ seconds: [Int]) async throws {
        for second in seconds {
            let (key, record) = hit("s", second)
            let count = try await archive.site.log.partitionCounts()["hits.events"] ?? 1
            _ = try await archive.site.log.append([
                Append(TopicPartition("hits.events", Partitioner.partition(of: Bytes(key), among: count)), [record])
            ])
        }
    }

    private func snapshot(_ archive: Archive) async throws -> Snapshot {
        try await archive.fold(Self.windows, to: archive.bounds(Self.windows).mapValues(\.upperBound))
        return try #require(try await archive.keep(Self.windows))
    }

    /// The last record of the partition is early; a later one lies before it.
    @Test(arguments: [Carrier.memory, .local])
    func `is not shown from a snapshot that has something later, wherever that lies`(on carrier: Carrier) async throws {
        try await archive(carrier) { archive in
            try await append(archive, [10, 50, 20])
            let kept = try await snapshot(archive)
            #expect(kept.time == noon + .seconds(50) && kept.sources.map(\.reached).contains(noon + .seconds(50)))
            try await append(archive, [15, 60])
            let bounds = try await archive.bounds(Self.windows)
            for (second, isServed, folded) in [
                (20, false, 3), (49, false, 3), (50, true, 1), (60, true, 2), (9, false, 0),
            ] {
                let shown = try await archive.past(Self.windows, Extent(at: noon + .seconds(second), of: bounds))
                #expect((shown.origin.snapshot != nil) == isServed && shown.origin.folded == folded, "\(second)")
            }
        }
    }

    @Test(arguments: [Carrier.memory, .local])
    func `of a snapshot that does not say how late it goes is shown all the same`(on carrier: Carrier) async throws {
        try await archive(carrier) { archive in
            try await append(archive, [10, 50, 20])
            let kept = try await snapshot(archive)
            // As a version before wrote it.
            let path = "\(archive.folder.directory)/hits.windows@1/\(kept.name).json"
            var old = kept
            for i in old.sources.indices { old.sources[i].reached = nil }
            try JSONEncoder().encode(old).write(to: URL(fileURLWithPath: path))
            #expect(try String(contentsOfFile: path, encoding: .utf8).contains("reached") == false)
            #expect(try await archive.folder.all(of: Self.windows) == [old])
            let bounds = try await archive.bounds(Self.windows)
            let early = try await archive.past(Self.windows, Extent(at: noon + .seconds(20), of: bounds))
            let late = try await archive.past(Self.windows, Extent(at: noon + .seconds(50), of: bounds))
            #expect(early.origin.snapshot == nil && early.origin.folded == 2)
            if carrier.testDescription == "local" {
                // The log knows.
                #expect(late.origin.snapshot == old && late.complaints == [])
            } else {
                #expect(late.origin.snapshot == nil && late.origin.folded == 3)
                #expect(
                    late.complaints.count == 1 && late.complaints[0].contains("1 snapshots of hits.windows do not say"))
            }
        }
    }

    @Test func `is shown from snapshots that go on from what those before know`() async throws {
        try await archive(.memory) { archive in
            try await append(archive, [10, 50, 20])
            _ = try await snapshot(archive)
            try await append(archive, [30])
            let second = try await snapshot(archive)
            #expect(second.time == noon + .seconds(50), "it has what the first has")
            // What is gone from the log cannot be read, but the snapshot before knows it.
            let log = try #require(archive.site.log as? any Maintained)
            var topic = try #require(Domain.hits.topics.first { $0.name == "hits.events" })
            topic.retention = .seconds(10)
            try await log.configure([topic])
            try await append(archive, [40, 41])
            try await log.maintain(at: noon + .seconds(51))
            try await append(archive, [35])
            #expect(try await archive.bounds(Self.windows).values.contains { $0.lowerBound > 0 })
            let third = try await snapshot(archive)
            #expect(third.time == noon + .seconds(50))
        }
    }

    @Test func `has as many cuts as there are moments with events behind nothing that is later`() async throws {
        try await archive(.local) { archive in
            try await append(archive, [10, 20, 90, 30, 40, 50, 100])
            let cuts = try await archive.site.log.cuts(of: Self.windows.topics, every: 1)
            // Nothing stands between what is later and what is earlier.
            #expect(cuts.map { $0.values.reduce(0) { $0 + $1.rawValue } } == [1, 2, 6, 7])
        }
    }
}
