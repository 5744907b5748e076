import EventModel
import Foundation
import MillraceTestKit
import PostgresServer
import TestSupport
import Testing

@Suite("Snapshots for a view's past", .serialized, .timeLimit(.minutes(10)))
struct SnapshotTests {
    /// Hits in eight partitions, one a second.
    private func hits(_ bus: Bus, _ range: Range<Int>) async throws {
        let lines = range.map {
            #"{"site":"s\#($0 % 40)","path":"/","visitor":"v","@time":\#(1_431_857_100 + $0)}"#
        }
        #expect(try await bus.run("produce", "Hit", stdin: lines.joined(separator: "\n")).exit == 0)
    }

    private func snapshots(_ bus: Bus) async throws -> [JSON] {
        let ended = try await bus.run("snapshot", "hits.windows", "--list")
        #expect(ended.exit == 0, "\(ended)")
        return try ended.lines.map { try JSON($0) }
    }

    /// Asks for a moment of the past, with snapshots and without, and gives how it was folded.
    private func past(
        _ bus: Bus, second: Int, options: [String] = [], at place: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let at = Date(timeIntervalSince1970: Double(1_431_857_100 + second)).formatted(.iso8601)
        let query = ["query", "hits.window", "--site", "*", "--window", "1h", "--as-of", "@\(at)"]
        let quick = try await bus.start(query).end()
        let full = try await bus.start(query + ["--from-start"]).end()
        #expect(quick.exit == 0 && quick.out == full.out, "\(quick)\n\(full)", sourceLocation: place)
        #expect(try JSON(quick.out)["rows"][0]["hits"].int == min(3600, second + 1), sourceLocation: place)
        #expect(full.err.contains("hits.windows is folded from the log's start and \(second + 1) event"))
        return quick.err
    }

    private static let often = ["MILLRACE_SNAPSHOTS_EVERY": "500", "MILLRACE_SNAPSHOTS_KEPT": "5"]

    /// What snapshots do on any store.
    private func workAlone(_ bus: Bus, folder: String) async throws {
        let up = try bus.start(["up"], environment: Self.often)
        for round in 0..<8 {
            try await hits(bus, round * 500..<(round + 1) * 500)
            try await eventually("a snapshot of round \(round): \(up.err)") {
                try await snapshots(bus).last?["events"].int == (round + 1) * 500 ? true : nil
            }
        }
        let kept = try await snapshots(bus)
        #expect((1...5).contains(kept.count) && kept.last?["time"] == "2015-05-17T11:11:39Z", "\(kept)")
        #expect(FileManager.default.fileExists(atPath: "\(folder)/hits.windows@1"))
        #expect(
            try await past(bus, second: 3999).contains(
                "hits.windows is folded from the snapshot at 2015-05-17T11:11:39Z, 4000 events and 0 events since"))
        for second in [0, 700, 2600, 3800] { _ = try await past(bus, second: second) }
        try await hits(bus, 4000..<4200)
        #expect(try await past(bus, second: 4199).contains("4000 events and 200 events since"))
        try await up.stop()
        #expect(!up.err.contains("no snapshot"), "\(up.err)")
    }

    @Test func `are kept by the workers, few and spread, and the past is folded from them`() async throws {
        try await onBus { bus in try await workAlone(bus, folder: bus.views + "/snapshots") }
    }

    @Test(.enabled(if: PostgresServer.isHere))
    func `are kept as files of views in PostgreSQL too`() async throws {
        let url = try PostgresServer.shared().url(for: "snapshots")
        try await onBus(viewsURL: url) { bus in try await workAlone(bus, folder: bus.views + "/snapshots") }
    }

    @Test func `of a log that is older are made by the command, also after it was killed at any moment`() async throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        print("killing millrace snapshot: seed \(seed)")
        var random = SeededRandom(seed)
        try await onBus { bus in
            try await hits(bus, 0..<3000)
            #expect(try await past(bus, second: 2999).contains("is folded from the log's start and 3000 events since"))
            for kill in 0..<12 {
                let command = try bus.start("snapshot", "hits.windows", "--every", "100")
                try await Task.sleep(for: .milliseconds(Int.random(in: 5...700, using: &random)))
                try await command.crash()
                let second = Int.random(in: 0..<3000, using: &random)
                let said = try await past(bus, second: second)
                #expect(!said.contains("damaged") && !said.contains("not used"), "kill \(kill), seed \(seed): \(said)")
            }
            let ended = try await bus.run("snapshot", "hits.windows", "--every", "100", "--table")
            #expect(ended.exit == 0 && ended.lines[0].hasPrefix("PROJECTION"), "\(ended)")
            let kept = try await snapshots(bus)
            #expect(kept.count == 24 && kept.last?["events"].int == 3000, "\(kept.count)")
            let files = try FileManager.default.contentsOfDirectory(atPath: "\(bus.views)/snapshots/hits.windows@1")
            #expect(files.count == 2 * 24 + 1 && !files.contains { $0.hasSuffix(".partial") }, "\(files)")
            #expect(try await past(bus, second: 2950).contains("2900 events and 51 events since"))
            // Again it finds them all there; without --every a view that nobody folds has nothing to keep.
            #expect(try await bus.run("snapshot", "hits.windows", "--every", "100").exit == 0)
            #expect(try await bus.run("snapshot", "hits.windows").exit == 0)
            let again = try await snapshots(bus).map { $0["events"].int }
            #expect(again == kept.map { $0["events"].int })
        }
    }

    @Test func `that are damaged are told, and the past is right all the same`() async throws {
        try await onBus { bus in
            try await hits(bus, 0..<1000)
            #expect(try await bus.run("snapshot", "hits.windows", "--every", "400").exit == 0)
            #expect(try await past(bus, second: 999).contains("800 events and 200 events since"))
            let folder = "\(bus.views)/snapshots/hits.windows@1"
            let name = try #require(
                try FileManager.default.contentsOfDirectory(atPath: folder).first {
                    $0.hasPrefix("800-") && $0.hasSuffix(".sqlite")
                })
            #expect(
                try await bus.sh("printf x | dd of=\(folder)/\(name) bs=1 seek=5000 conv=notrunc").exit == 0)
            let said = try await past(bus, second: 999)
            #expect(
                said.contains("\(folder)/\(name) is damaged") && said.contains("400 events and 600 events since"),
                "\(said)")
        }
    }

    @Test func `of a build that a rebuild makes are its own`() async throws {
        try await onBus { bus in
            let projector = try await bus.work("projector")
            try await hits(bus, 0..<1000)
            try await bus.settle()
            try await projector.stop()
            #expect(try await bus.run("snapshot", "hits.windows").exit == 0)
            let rebuilt = try await bus.run("rebuild", "hits.windows", environment: ["MILLRACE_SNAPSHOTS_EVERY": "300"])
            #expect(rebuilt.exit == 0, "\(rebuilt)")
            #expect(try await snapshots(bus).map { $0["events"].int } == [300, 600, 900])
            #expect(try await past(bus, second: 999).contains("900 events and 100 events since"))
            #expect(try await bus.run("rebuild", "hits.windows", "--rollback").exit == 0)
            #expect(try await snapshots(bus).map { $0["events"].int } == [1000], "those of the first build count again")
            for _ in 0..<2 { #expect(try await bus.run("rebuild", "hits.windows").exit == 0) }
            let folders = try FileManager.default.contentsOfDirectory(atPath: "\(bus.views)/snapshots")
            #expect(!folders.contains("hits.windows@1"), "a build that is gone has none")
        }
    }

    @Test(arguments: [
        (["snapshot", "tickets.seats"], [:], Int32(64), "there is no projection tickets.seats"),
        (["snapshot", "--every", "0"], [:], 64, "--every must be at least 1"),
        (["snapshot", "--every", "5", "--list"], [:], 64, "--list and --every exclude each other"),
        (["snapshot"], ["MILLRACE_SNAPSHOTS_KEPT": "0"], 64, "MILLRACE_SNAPSHOTS_KEPT is 0"),
        (
            ["up"], ["MILLRACE_SNAPSHOTS_EVERY": "few"], 78,
            "MILLRACE_SNAPSHOTS_EVERY: is few, it must be a whole number"
        ),
        (["query", "hits.window", "--from-start"], [:], 64, "--from-start goes with --as-of"),
    ])
    func `of what cannot be is told`(
        arguments: [String], environment: [String: String], exit: Int32, message: String
    ) async throws {
        try await onBus { bus in
            let ended = try await bus.start(arguments, environment: environment).end()
            #expect(ended.exit == exit && (ended.err + ended.out).contains(message), "\(ended)")
        }
    }
}
