import Foundation
import TestSupport
import Testing

/// The program on a machine that it shares: with other users, other clocks, little room and folders that are not its own.
@Suite("On a machine that others use", .serialized, .timeLimit(.minutes(10)))
struct SharedMachineTests {
    private func mode(_ path: String) -> String {
        var status = stat()
        return stat(path, &status) == 0 ? String(status.st_mode & 0o777, radix: 8) : "missing"
    }

    @Test func `the log, the views, the checkpoints and the snapshots are their owner's alone`() async throws {
        try await onBus { bus in
            let up = try bus.start("up", environment: ["MILLRACE_SNAPSHOTS_EVERY": "1"])
            try await eventually("up to be ready: \(up.err)") { up.err.contains("the views are") ? true : nil }
            try await bus.list()
            try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#)
            try await bus.settle()
            try await eventually("a snapshot") {
                FileManager.default.fileExists(atPath: "\(bus.views)/snapshots/hits.windows@1") ? true : nil
            }
            #expect(try await up.stop().exit == 0)
            #expect(!up.err.contains("can look into"), "\(up.err)")
            var seen: [String] = []
            for case let name as String in try #require(FileManager.default.enumerator(atPath: bus.log)) {
                let path = "\(bus.log)/\(name)"
                var isFolder: ObjCBool = false
                guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else { continue }
                #expect(mode(path) == (isFolder.boolValue ? "700" : "600"), "\(name)")
                seen.append(name)
            }
            #expect(mode(bus.log) == "700")
            for part in ["log.sqlite", "views/tickets.handler@2.sqlite", "views/snapshots/hits.windows@1"] {
                #expect(seen.contains(part), "\(seen)")
            }
        }
    }

    @Test(arguments: ["up", "work"])
    func `a folder that others can look into is pointed out once, and left as it is`(command: String) async throws {
        try await onBus { bus in
            try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#)
            chmod(bus.log, 0o755)
            let worker = try bus.start(command)
            try await eventually("\(command) to be ready: \(worker.err)") {
                worker.err.contains("ready after") || worker.err.contains("up after") ? true : nil
            }
            let said =
                "others on this machine can look into \(bus.log) (its mode is 755); unless that is meant: chmod -R go= \(bus.log)"
            #expect(worker.err.components(separatedBy: said).count == 2, "\(worker.err)")
            #expect(mode(bus.log) == "755")
            #expect(try await worker.stop().exit == 0)
        }
    }

    @Test(.enabled(if: ReadOnlyFolder.isPossible, Comment(rawValue: ReadOnlyFolder.missing)))
    func `a folder that cannot be written to can be asked and replayed, while it is written to elsewhere and after`()
        async throws
    {
        try await onBus { bus in
            let up = try bus.start("up")
            try await eventually("up to be ready: \(up.err)") { up.err.contains("the views are") ? true : nil }
            for _ in 0..<3 { try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#) }
            try await bus.settle()
            let seen = try ReadOnlyFolder(of: bus.log)
            defer { seen.remove() }
            try await ask(bus, seen.path, hits: 3)
            // What is written meanwhile is seen.
            try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#)
            try await bus.settle()
            try await ask(bus, seen.path, hits: 4)
            #expect(try await up.stop().exit == 0)
            try await ask(bus, seen.path, hits: 4)
            // Nobody has left anything beside the databases.
            for place in [bus.log, bus.views] {
                for file in try FileManager.default.contentsOfDirectory(atPath: place) where file.hasSuffix(".sqlite") {
                    _ = try await bus.sh(
                        "sqlite3 '\(place)/\(file)' 'PRAGMA wal_checkpoint(TRUNCATE)' && rm -f '\(place)/\(file)-shm' '\(place)/\(file)-wal'"
                    )
                }
            }
            try await ask(bus, seen.path, hits: 4)
        }
    }

    private func ask(_ bus: Bus, _ folder: String, hits: Int) async throws {
        let log = ["--log", "local:\(folder)"]
        let counted = try await bus.start(["replay", "hits.events", "--count"] + log).end()
        #expect(counted.exit == 0 && counted.out == "\(hits)\n", "\(counted)")
        let asked = try await bus.start(["query", "hits.window", "--site", "home", "--window", "1h"] + log).end()
        #expect(asked.exit == 0, "\(asked)")
        let counts = try JSON(asked.out)["rows"].array.map { $0["hits"].int }
        #expect(counts.reduce(0, +) == hits, "\(asked)")
        for command in [["topics", "list"], ["lag", "--sum"], ["verify"]] {
            let ended = try await bus.start(command + log).end()
            #expect(ended.exit == 0, "\(command): \(ended)")
        }
        let refused = try await bus.start(
            ["produce", "Hit"] + log, stdin: Array(#"{"site":"home"}"#.utf8)
        ).end()
        #expect(refused.exit == 77 && refused.err.contains("may only be read here"), "\(refused)")
    }

    @Test func `a log whose newest commits cannot be read says so`() async throws {
        guard ReadOnlyFolder.isPossible else { return }
        try await onBus { bus in
            let worker = try await bus.work("tickets.handler")
            try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#)
            try await worker.crash()
            unlink("\(bus.log)/log.sqlite-shm")
            let seen = try ReadOnlyFolder(of: bus.log)
            defer { seen.remove() }
            let ended = try await bus.start(["replay", "hits.events", "--log", "local:\(seen.path)"]).end()
            #expect(ended.exit == 77 && ended.err.contains("log.sqlite-wal, which cannot be read without"), "\(ended)")
        }
    }

    static let canLimitWatchers = shell("unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_inotify_instances' 2>&1").isDone

    @Test(
        .enabled(
            if: SharedMachineTests.canLimitWatchers,
            "the number of watchers cannot be limited here (it takes user namespaces)"))
    func `where no more files can be watched, commands are sent and answered all the same`() async throws {
        try await onBus { bus in
            let limited = "echo 0 > /proc/sys/user/max_inotify_instances; exec \"$@\""
            func start(_ arguments: String...) throws -> Running {
                try bus.start(
                    program: "/usr/bin/unshare",
                    ["-Ur", "sh", "-c", limited, "-", Bus.program] + arguments + ["--log", bus.url])
            }
            let up = try start("up")
            try await eventually("up to be ready: \(up.err)") { up.err.contains("the views are") ? true : nil }
            let sent = try start(
                "send", "PlaceOrder", "--order", "o1", "--customer", "ann", "--id", "i1", "--timeout", "30s")
            let ended = try await sent.end()
            #expect(ended.exit == 0 && ended.out.contains("accepted"), "\(ended)")
            let asked = try await start("query", "orders.open", "--after", "orders.events/0@0").end()
            #expect(asked.exit != 74, "\(asked)")
            #expect(try await up.stop().exit == 0)
        }
    }

    /// Built beside the program: a clock for one process.
    static let clock = (Bus.program as NSString).deletingLastPathComponent + "/libSkewedClock.so"

    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: SharedMachineTests.clock),
            "libSkewedClock.so is not built, or not for this system"),
        arguments: [400 * 86_400, -400 * 86_400])
    func `one process with another clock changes nobody's time`(ahead: Int) async throws {
        try await onBus { bus in
            let skewed = ["LD_PRELOAD": Self.clock, "SKEWED_CLOCK": "\(ahead)"]
            let worker = try await bus.work()
            try await bus.list()
            try await bus.send(
                "HoldSeats", "--event", "e1", "--section", "stalls", "--hold", "h1", "--holder", "ann", "--seats", "A-1"
            )
            let other = try await bus.start(
                [
                    "send", "HoldSeats", "--event", "e1", "--section", "stalls", "--hold", "h2", "--holder", "ben",
                    "--seats",
                    "A-2", "--timeout", "40s",
                ], environment: skewed
            ).end()
            #expect(other.exit == 0 && other.err.contains("the clock of process"), "\(other)")
            // Ann's hold is as good as before, and a later one is as long as any.
            try await bus.send(
                "ConfirmPurchase", "--event", "e1", "--section", "stalls", "--hold", "h1", "--holder", "ann",
                "--payment-token", "tok_1")
            for topic in ["tickets.commands", "tickets.events", "tickets.outcomes"] {
                for record in try await bus.replay(topic) {
                    let time = record["timestamp"].string
                    #expect(time.hasPrefix(String(Date().formatted(.iso8601).prefix(4))), "\(topic): \(record)")
                }
            }
            // Telemetry has the time of its writer, who is told the machine's.
            let hit = try await bus.start(
                ["produce", "Hit"], stdin: Array(#"{"site":"home","visitor":"v"}"#.utf8), environment: skewed
            ).end()
            #expect(hit.exit == 0, "\(hit)")
            try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#)
            try await bus.settle()
            let rows = try await bus.query("hits.window", "--site", "home", "--window", "1h")["rows"].array
            #expect(rows.map { $0["hits"].int }.reduce(0, +) == 2 && rows.allSatisfy { $0["late"].int == 0 }, "\(rows)")
            #expect(try await worker.stop().exit == 0)
        }
    }
}
