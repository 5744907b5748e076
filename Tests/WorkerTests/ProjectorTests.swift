import EventLog
import EventModel
import Handling
import Projecting
import ServiceLifecycle
import SwiftProtobuf
import Testing

@testable import HitsDomain

@Suite("A projector", .timeLimit(.minutes(10)))
struct ProjectorTests {
    private let windows = Domain.hits.projections[0]

    /// Appends hits of one site, spread over all partitions, a second apart.
    private func append(_ seconds: Range<Int>, at site: Site) async throws {
        for second in seconds {
            let hit = HitsEvent.OneOf_Kind.hit(.with { ($0.site, $0.visitor) = ("www", "v\(second)") })
            let key = Bytes(Hits.key(of: hit))
            let target = TopicPartition("hits.events", Domain.hits.topics[0].partition(of: key))
            let record = NewRecord(key: key, value: HitsEvent.bytes(hit), timestamp: noon + .seconds(second))
            _ = try await site.log.append([Append(target, [record])])
        }
    }
    private func total(_ site: Site) async throws -> Int64 {
        try await site.views.read(windows) { reader, _ in
            try reader.sums([3], over: Scan(HitWindows.seconds, equal: ["www"]))[0]
        }
    }

    @Test(arguments: Carrier.stores)
    func `goes on from its checkpoint, and folds nothing twice`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            for round in 0..<4 {
                try await append(round * 50..<(round + 1) * 50, at: site)
                try await running(site.projector(of: windows)) { try await site.folded(windows) }
                #expect(try await total(site) == Int64(round + 1) * 50)
            }
            try await running(site.projector(of: windows)) { try await site.folded(windows) }
            #expect(try await total(site) == 200)
        }
    }
    @Test(arguments: Carrier.stores)
    func `that is cancelled while hits come loses and doubles none`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            for round in 0..<3 {
                try await cutting(site.projector(of: windows)) {
                    try await append(round * 60..<(round + 1) * 60, at: site)
                }
            }
            try await running(site.projector(of: windows)) { try await site.folded(windows) }
            #expect(try await total(site) == 180)
        }
    }
    @Test(arguments: Carrier.stores)
    func `shares partitions with another, and both together count every hit once`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await append(0..<100, at: site)
            try await running(site.projector(of: windows)) {
                try await append(100..<150, at: site)
                try await running(site.projector(of: windows)) {
                    try await append(150..<250, at: site)
                    try await site.folded(windows)
                }
                try await append(250..<300, at: site)
                try await site.folded(windows)
            }
            #expect(try await total(site) == 300)
            let seconds = try await site.views.read(windows) { reader, _ in
                try reader.rows(Scan(HitWindows.seconds, equal: ["www"]))
            }
            #expect(seconds.count == 300 && seconds.allSatisfy { $0[3] == 1 })
        }
    }
}
