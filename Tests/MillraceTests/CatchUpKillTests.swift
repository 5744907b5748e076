import EventLog
import EventModel
import Foundation
import LocalLog
import Projecting
import SQLiteViews
import SwiftProtobuf
import TestSupport
import Testing

@testable import HitsDomain

/// A projector that is far behind commits much at once and keeps a long write-ahead log: it is killed amid that.
@Suite("Catching up while killed", .timeLimit(.minutes(10)))
struct CatchUpKillTests {
    private static let seed =
        ProcessInfo.processInfo.environment["MILLRACE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...999_999)
    private static let hits = 400_000
    private let windows = Domain.hits.projections[0]

    /// Each hit of a site of its own, so that every row tells whether its hit was counted once.
    private func append(_ bus: Bus) async throws {
        _ = try await bus.run("topics", "apply")
        let log = try await LocalLog.open(directory: bus.folder + "/log")
        for first in stride(from: 0, to: Self.hits, by: 10_000) {
            let records = (first..<first + 10_000).map { number in
                let site = "s\(number * 7919 % Self.hits)"
                let hit = HitsEvent.OneOf_Kind.hit(.with { ($0.site, $0.visitor) = (site, "v") })
                return NewRecord(
                    key: Bytes(site), value: HitsEvent.bytes(hit), timestamp: Timestamp(1_793_534_400_000))
            }
            _ = try await log.append([Append(TopicPartition("hits.events", Partition(first / 10_000 % 2)), records)])
        }
        await log.close()
    }

    @Test func `every hit is counted once, and the log of the view is short in the end`() async throws {
        print("seed \(Self.seed)")
        var state = Self.seed
        try await onBus { bus in
            try await append(bus)
            let views = try SQLiteViews(directory: bus.folder + "/log/views")
            try await views.open(windows)
            let windows = windows
            func folded() async throws -> Int64 {
                try await views.read(windows) { _, asOf in asOf.reduce(0) { $0 + $1.value.rawValue } }
            }
            let wal = views.path(of: windows) + "-wal"
            func size() -> Int { (try? FileManager.default.attributesOfItem(atPath: wal)[.size] as? Int) ?? 0 }
            let program = URL(fileURLWithPath: Bus.program).deletingLastPathComponent().appendingPathComponent("Mortal")
            var (kills, longest) = (0, 0)
            while true {
                let worker = try bus.start(program: program.path, ["projector", bus.folder])
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let (before, wanted) = (try await folded(), Int64(20_000 + (state >> 33) % 100_000))
                let isDone: Bool = try await eventually("more to be folded", within: .seconds(300)) {
                    longest = max(longest, size())
                    let now = try await folded()
                    if now == Int64(Self.hits) { return true }
                    return now - before >= wanted && kills < 4 ? false : nil
                }
                if isDone {
                    try await worker.stop()
                    break
                }
                try await worker.crash()
                kills += 1
            }
            print("killed \(kills) times; the longest log had \(longest >> 20) MiB")
            #expect(kills >= 1 && longest > SQLiteViews.keptLog, "\(kills) kills, the longest log had \(longest) bytes")
            let (once, hits) = try await views.read(windows) { reader, _ in
                var once = 0
                try reader.everyRow(Scan(HitWindows.seconds)) { once += $0[0] != "*" && $0[3] == 1 ? 1 : 0 }
                return (once, try reader.sums([3], over: Scan(HitWindows.seconds, equal: ["*"]))[0])
            }
            #expect(once == Self.hits && hits == Int64(Self.hits))
            await views.close()
            // This test reads all the while, so the log may not have been cut since the last commit near the end.
            #expect(size() <= SQLiteViews.keptLog + 16 << 20, "\(size()) of \(longest)")
        }
    }
}
