import Foundation
import Testing

/// A file system of a few megabytes, which only root can make.
enum SmallDisk {
    static let missing: Comment = "a small tmpfs cannot be mounted here (it takes root, and a container that allows it)"
    static let isPossible: Bool = {
        guard geteuid() == 0, let folder = try? place() else { return false }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        guard mount("none", folder, "tmpfs", 0, "size=1m") == 0 else { return false }
        umount2(folder, Int32(MNT_DETACH))
        return true
    }()

    private static func place() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("small-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    static func with(megabytes: Int, _ test: (Bus, String) async throws -> Void) async throws {
        let folder = try place()
        guard mount("none", folder, "tmpfs", 0, "size=\(megabytes)m") == 0 else {
            throw Overdue(description: "mount: \(String(cString: strerror(errno)))")
        }
        defer {
            umount2(folder, Int32(MNT_DETACH))
            try? FileManager.default.removeItem(atPath: folder)
        }
        try await onBus(log: folder + "/log") { bus in try await test(bus, folder) }
    }

    /// Leaves so many kilobytes free, in a file that can be removed.
    static func fill(_ folder: String, leaving kilobytes: Int, _ bus: Bus) async throws -> String {
        let ballast = folder + "/ballast"
        let filled = try await bus.sh(
            "free=$(df -k --output=avail \(folder) | tail -n 1); head -c $(((free - \(kilobytes)) * 1024)) /dev/zero > \(ballast)"
        )
        try #require(filled.exit == 0, "\(filled)")
        return ballast
    }
}

@Suite("A full disk", .serialized, .timeLimit(.minutes(2)), .enabled(if: SmallDisk.isPossible, SmallDisk.missing))
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
            let ballast = try await SmallDisk.fill(disk, leaving: 400, bus)
            let full = try await bus.run("produce", "Hit", stdin: hits(20_000))
            #expect(full.exit == 74 && full.err.contains("no room is left on the device"), "\(full)")
            try FileManager.default.removeItem(atPath: ballast)
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
            let ballast = try await SmallDisk.fill(disk, leaving: 150, bus)
            let full = try await bus.run("import", "access-log", file)
            #expect(full.exit == 74 && full.err.contains("no room is left on the device"), "\(full)")
            try FileManager.default.removeItem(atPath: ballast)
            let rest = try await bus.run("import", "access-log", file)
            #expect(rest.exit == 0, "\(rest)")
            #expect(try await bus.count("hits.events") == 9_999)
        }
    }

    @Test func `stops a projector, which goes on from where it was`() async throws {
        try await SmallDisk.with(megabytes: 12) { bus, disk in
            try await bus.run("produce", "Hit", stdin: hits(8000))
            let ballast = try await SmallDisk.fill(disk, leaving: 200, bus)
            let full = try await bus.run("work", "hits.windows", within: .seconds(30))
            #expect(full.exit == 74 && full.err.contains("no room is left"), "\(full)")
            try FileManager.default.removeItem(atPath: ballast)
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
