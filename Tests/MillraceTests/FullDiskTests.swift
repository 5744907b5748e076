import Foundation
import TestSupport
import Testing

extension SmallDisk {
    static func with(megabytes: Int, _ test: (Bus, SmallDisk) async throws -> Void) async throws {
        let disk = try SmallDisk(megabytes: megabytes)
        defer { disk.remove() }
        try await onBus(log: disk.folder + "/log") { bus in try await test(bus, disk) }
    }
}

@Suite(
    "A full disk", .serialized, .timeLimit(.minutes(10)),
    .enabled(if: SmallDisk.isPossible, Comment(rawValue: SmallDisk.missing)))
struct FullDiskTests {
    private func hits(_ count: Int) -> String {
        (0..<count).map { i in
            let noise = String(UInt64(i) &* 0x9e37_79b9_7f4a_7c15, radix: 36)
            return #"{"site":"home","visitor":"v\#(noise)","path":"/\#(noise)","@time":\#(1_793_491_200 + i % 3000)}"#
        }.joined(separator: "\n")
    }

    @Test func `stops producing with 74, and goes on without loss when there is room`() async throws {
        try await SmallDisk.with(megabytes: 8) { bus, disk in
            try await bus.run("produce", "Hit", stdin: hits(1000))
            try disk.fill(leaving: 400)
            let full = try await bus.run("produce", "Hit", stdin: hits(20_000))
            #expect(full.exit == 74 && full.err.contains("no room is left on the device"), "\(full)")
            disk.free()
            let kept = try await bus.count("hits.events")
            // Whole batches were written before, or nothing.
            #expect(kept >= 1000 && kept < 21_000)
            let more = try await bus.run("produce", "Hit", stdin: hits(500))
            #expect(more.exit == 0, "\(more)")
            #expect(try await bus.count("hits.events") == kept + 500)
            #expect(try await bus.sh("sqlite3 \(bus.log)/log.sqlite 'PRAGMA integrity_check'").out.hasPrefix("ok"))
        }
    }

    @Test(.enabled(if: Weblogs.areHere, Weblogs.absent))
    func `stops an import with 74, and the next one completes it without doubling`() async throws {
        try await SmallDisk.with(megabytes: 12) { bus, disk in
            let file = try await Weblogs.nasa(bus)
            #expect(try await bus.run("topics").exit == 0)
            try disk.fill(leaving: 150)
            let full = try await bus.run("import", "access-log", file)
            #expect(full.exit == 74 && full.err.contains("no room is left on the device"), "\(full)")
            disk.free()
            let rest = try await bus.run("import", "access-log", file)
            #expect(rest.exit == 0, "\(rest)")
            #expect(try await bus.count("hits.events") == 9_999)
        }
    }

    @Test func `stops a projector, which goes on from where it was`() async throws {
        try await SmallDisk.with(megabytes: 12) { bus, disk in
            try await bus.run("produce", "Hit", stdin: hits(8000))
            try disk.fill(leaving: 200)
            let full = try await bus.run("work", "hits.windows", within: .seconds(300))
            #expect(full.exit == 74 && full.err.contains("no room is left"), "\(full)")
            disk.free()
            _ = try await bus.work("hits.windows")
            try await bus.settle()
            let into = "\(bus.folder)/fresh"
            try await bus.run("replay", "hits.events", "--into", "hits.windows", "--views", "sqlite:" + into)
            let (live, fresh) = (
                try Tables("\(bus.log)/views/hits.windows@1.sqlite"), try Tables("\(into)/hits.windows@1.sqlite")
            )
            #expect(live.folded == 8000 && live.hash == fresh.hash)
        }
    }
}
