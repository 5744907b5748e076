import EventLog
import EventModel
import Handling
import Projecting
import SwiftProtobuf
import Testing

@testable import HitsDomain
@testable import Projecting

@Suite("The group of a view", .serialized, .timeLimit(.minutes(10)))
struct ShowingTests {
    private static let windows = Domain.hits.projections[0]
    private static let partitions = (0..<8).map { TopicPartition("hits.events", Partition($0)) }

    /// Hits in all partitions but the last.
    private func append(_ seconds: Range<Int>, to site: Site) async throws {
        for partition in Self.partitions.dropLast() {
            let records = seconds.map { second in
                let hit = HitsEvent.OneOf_Kind.hit(.with { ($0.site, $0.visitor) = ("www", "v\(second)") })
                return NewRecord(
                    key: Bytes("www"), value: HitsEvent.bytes(hit), timestamp: noon + .seconds(second))
            }
            _ = try await site.log.append([Append(partition, records)])
        }
    }

    private func total(_ views: WatchedViews) async throws -> Int64 {
        try await views.read(Self.windows) { reader, _ in
            try reader.sums([3], over: Scan(HitWindows.seconds, equal: ["www"]))[0]
        }
    }

    private func shown(_ site: Site) async throws -> [TopicPartition: Offset] {
        try await site.log.committed(Projector.group(of: Self.windows), Self.partitions)
    }

    private func shown(_ site: Site, _ wanted: [TopicPartition: Offset]) async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while try await shown(site) != wanted {
            if .now > deadline { Issue.record("\(try await shown(site)) is shown, not \(wanted)"); return }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    @Test(arguments: Carrier.kafkas)
    func `is told how far the rows are, while its projector works and when it stops`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let ends: (Int64) -> [TopicPartition: Offset] = { end in
                Dictionary(uniqueKeysWithValues: Self.partitions.map { ($0, Offset($0.partition == 7 ? 0 : end)) })
            }
            try await append(0..<20, to: site)
            try await running(site.projector(of: Self.windows)) {
                try await site.folded(Self.windows)
                try await shown(site, ends(20))
                try await append(20..<30, to: site)
                try await site.folded(Self.windows)
            }
            #expect(try await shown(site) == ends(30), "what was folded last is told when it stops")
        }
    }

    @Test(arguments: Carrier.kafkas)
    func `does not say where a view begins that is folded again, or stands elsewhere`(on carrier: Carrier) async throws
    {
        try await site(carrier) { site in
            try await append(0..<20, to: site)
            try await running(site.projector(of: Self.windows)) { try await site.folded(Self.windows) }
            #expect(try await total(site.views) == 140)
            // A store that is empty, as after a reset: the group is at the end, and the view begins at the start.
            let fresh = Site(log: site.log, views: WatchedViews(MemoryViews()))
            try await fresh.views.open(Self.windows)
            try await running(fresh.projector(of: Self.windows)) { try await fresh.folded(Self.windows) }
            #expect(try await total(fresh.views) == 140)
            // A group that was told less, or nonsense: the view goes on where it stands.
            let member = try await site.log.join(Projector.group(of: Self.windows), topics: ["hits.events"])
            while true {
                guard case .assigned(let partitions) = try await member.next(max: 1, wait: .seconds(300)) else {
                    continue
                }
                try await member.commit(Dictionary(uniqueKeysWithValues: partitions.map { ($0, 3) }))
                if Set(partitions) == Set(Self.partitions) { break }
            }
            await member.leave()
            try await append(20..<30, to: site)
            try await running(fresh.projector(of: Self.windows)) { try await fresh.folded(Self.windows) }
            #expect(try await total(fresh.views) == 210, "nothing is folded twice")
        }
    }

    @Test(arguments: Carrier.kafkas)
    func `is told by each of two projectors of its own partitions only`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await append(0..<10, to: site)
            try await running(site.projector(of: Self.windows)) {
                try await running(site.projector(of: Self.windows)) {
                    try await append(10..<20, to: site)
                    try await site.folded(Self.windows)
                }
                try await append(20..<25, to: site)
                try await site.folded(Self.windows)
            }
            let wanted = Dictionary(
                uniqueKeysWithValues: Self.partitions.map { ($0, Offset($0.partition == 7 ? 0 : 25)) })
            #expect(try await shown(site) == wanted)
            #expect(try await total(site.views) == 175)
        }
    }

    @Test func `is told now and then, and what is told is told twice, for one may get lost`() {
        var showing = Showing()
        let start = ContinuousClock.now
        let place = TopicPartition("t", 0)
        let (one, two): ([TopicPartition: Offset], [TopicPartition: Offset]) = ([place: 1], [place: 2])
        #expect(showing.due([:], at: start) == [:])
        #expect(showing.due(one, at: start) == one)
        #expect(showing.due(two, at: start + .seconds(4)) == [:], "it is too early")
        #expect(showing.due(two, at: start + .seconds(5)) == two)
        #expect(showing.due(two, at: start + .seconds(10)) == two)
        #expect(showing.due(two, at: start + .seconds(15)) == [:], "it is known")
        showing.stop([place])
        #expect(showing.due(two, at: start + .seconds(20)) == two, "it went to another and came back")
    }
}
