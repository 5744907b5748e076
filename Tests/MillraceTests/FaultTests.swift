import Foundation
import TestSupport
import Testing

@Suite("What goes wrong is told, and nothing is lost", .serialized, .timeLimit(.minutes(10)))
struct FaultTests {
    private static let hit = #"{"site":"home","visitor":"v"}"# + "\n"

    @Test(arguments: [
        (
            "send HoldSeat --event e1",
            "there is no command HoldSeat; did you mean HoldSeats? All are shown by: millrace events"
        ),
        ("produce Hot", "there is no event Hot"),
        (
            "query hits.windows",
            "there is no query hits.windows; did you mean hits.window? All are shown by: millrace views"
        ),
        ("query hits.window --sight home", "--sight is not a parameter of hits.window, which has --site"),
        ("query hits.window --window soon", "--window soon is no duration, such as 60s"),
        ("query tickets.seats", "tickets.seats needs --event"),
        ("query tickets.seats --event e1 --cursor x", "was not given by an earlier page"),
        ("query tickets.seats --event e1 --limit 0", "--limit must be 1 to 10000"),
        ("query hits.window --after here", "here is not TOPIC/PARTITION@OFFSET"),
        ("query hits.window --after tickets.events/0@1", "hits.window is folded from hits.events, not tickets.events"),
        ("send HoldSeats --sight home", "--sight is not a field of HoldSeats, which has --event"),
        ("send HoldSeats --event", "--event needs a value"),
        // What follows is the next option, as where a script's variable is empty.
        ("send PlaceOrder --order --customer", "--order needs a value"),
        ("query tickets.seats --event --status", "--event needs a value"),
        ("work nobody", "there is no worker, kind or domain nobody; there are accounts.handler"),
        (
            "replay hits.events --into hits.window --views sqlite:x",
            "there is no projection hits.window; did you mean hits.windows?"
        ),
        ("topics list --log file:x", "the log file:x is neither local:FOLDER nor kafka://HOST:PORT"),
        ("topics list --log local:", "is neither local:FOLDER nor kafka://"),
        ("query hits.window --views x", "the views are neither sqlite:FOLDER nor postgres://"),
        ("replay hits.events --csv --format %o", "exclude each other"),
        (
            "query tickets.seats --evnt e1",
            "--evnt is not a parameter of tickets.seats; did you mean --event? It has --event"
        ),
        ("query tickets.seats --event e1 --limti 5", "did you mean --limit?"),
        ("send HoldSeats --evnt e1", "--evnt is not a field of HoldSeats; did you mean --event?"),
        ("replay hits.events --type Hitt", "there is no type Hitt in hits.events. Did you mean Hit? There are Hit"),
        (
            "replay tickets.events --type SeatHold",
            "there is no type SeatHold in tickets.events. Did you mean SeatHeld or SeatSold?"
        ),
        ("replay tickets.events orders.events --type Hit", "there is no type Hit in tickets.events, orders.events."),
        ("replay hits.events --into hits.windows --views sqlite:x --limit 3", "--limit does not go with --into"),
        ("import gps", "millrace import gps needs a file, or - for standard input"),
        ("import gps a b", "b: one file at a time"),
        ("import gps a --wait 1s", "--wait: nothing decides what import gps writes"),
        ("import gps a --format kml", "--format: kml is not one of table, gpx"),
        ("import gps a --drivr ann", "did you mean --driver?"),
        ("import orders a --wait long", "--wait long is no time"),
        ("import follows a --mutual=perhaps", "--mutual perhaps is no flag, such as true"),
        ("import acces-log x", "there is no importer acces-log; did you mean access-log?"),
        ("topics aply", "there is no command aply; did you mean apply?"),
        ("rebuild hits.window", "there is no projection hits.window; did you mean hits.windows?"),
        ("send HoldSeats {} --id a\tb", "--id must be 1 to 128 characters"),
    ])
    func `a wrong use exits with 64 and says what there is`(_ line: String, _ message: String) async throws {
        try await onBus { bus in
            let ended = try await bus.start(line.split(separator: " ").map(String.init)).end()
            #expect(ended.exit == 64 && ended.out.isEmpty)
            #expect(ended.err.contains(message), "\(ended)")
        }
    }

    @Test func `a command that nobody knows exits with 64`() async throws {
        try await onBus { bus in
            let ended = try await bus.plain(["frobnicate"])
            #expect(ended.exit == 64 && ended.err.contains("there is no command frobnicate"), "\(ended)")
            let near = try await bus.plain(["qurey", "tickets.seats"])
            #expect(near.exit == 64 && near.err.contains("did you mean query?"), "\(near)")
            #expect(near.err.split(separator: "\n").count == 1, "\(near)")
        }
    }

    @Test func `a topic that is not there is told to be made only where it is declared`() async throws {
        try await onBus { bus in
            for words in [["replay"], ["topics", "describe"], ["verify", "--topic"]] {
                let near = try await bus.start(words + ["ticket.events"]).end()
                #expect(near.exit == 64 && near.err.contains("did you mean tickets.events?"), "\(near)")
                #expect(!near.err.contains("topics apply"), "\(near)")
                let far = try await bus.start(words + ["qqqqqqqqqqqq"]).end()
                #expect(far.exit == 64 && far.err.contains("all are shown by: millrace topics"), "\(far)")
            }
        }
    }

    @Test func `only the records of a known type are shown, and the count alone where it was asked for`() async throws {
        try await onBus { bus in
            try await bus.run("produce", "Hit", stdin: Self.hit + Self.hit)
            #expect(try await bus.run("replay", "hits.events", "--type", "Hit", "--count").out == "2\n")
            #expect(try await bus.run("replay", "hits.events", "--type", "unknown-9", "--count").out == "0\n")
            #expect(try await bus.run("replay", "hits.events", "--csv", "--count").out == "2\n")
            #expect(try await bus.run("replay", "orders.commands", "--type", "EtaRevised").exit == 0, "a fact")
            #expect(try await bus.run("replay", "orders.outcomes", "--type", "Anything").exit == 0)
        }
    }

    @Test(arguments: [
        ("hits.window --window 2h", "window: must be whole seconds, 1s to 1h"),
        ("hits.window --window 0", "window: must be whole seconds, 1s to 1h"),
        ("hits.window --window soon", "--window"), ("social.trends --window 0", "window: must be whole minutes"),
        ("social.moments --window 0s", "window: must be 1m to 7d"), ("hits.window --limit 0", "--limit must be"),
    ])
    func `a value that a query cannot mean exits with 64`(_ words: String, _ message: String) async throws {
        try await onBus { bus in
            _ = try await bus.run("topics", "apply")
            let now = try await bus.start(["query"] + words.split(separator: " ").map(String.init)).end()
            #expect(now.exit == 64 && now.err.contains(message), "\(now)")
            let past = try await bus.start(
                ["query"] + words.split(separator: " ").map(String.init) + ["--as-of", "@-1s"]
            ).end()
            #expect(past.exit == 64 && past.err.contains(message), "\(past)")
        }
    }

    @Test(arguments: [
        ("send HoldSeats {", "HoldSeats: is not JSON"), ("send HoldSeats {}", "event: is missing"),
        (#"send HoldSeats {"seat":1}"#, "seat: is not a field of HoldSeats"),
        (#"send HoldSeats {"seats":1}"#, "seats: must be a list of string"),
        ("send ListEvent --event e1 --starts-at tomorrow", "startsAt: must be timestamp"),
        ("send Increment --key k --by five", "by: must be int64"),
        // One option says one field.
        (#"send Put --key k --if-absent true,"text":"v""#, "ifAbsent: must be bool"),
        (#"send ListEvent --event e1 --sections [],"title":"t""#, "sections: must be a list of"),
        (
            "send ConfirmPurchase --event e --section s --hold h --holder a --payment-token 4111111111111111",
            "looks like a card number"
        ),
    ])
    func `bad data exits with 65, and nothing comes onto the log`(_ line: String, _ message: String) async throws {
        try await onBus { bus in
            let ended = try await bus.start(line.split(separator: " ").map(String.init)).end()
            #expect(ended.exit == 65 && ended.err.contains(message), "\(ended)")
            #expect(!ended.err.contains("4111111111111111"))
            #expect(try await bus.count("tickets.commands") == 0)
        }
    }

    @Test func `a damaged log is told, left as it is, and whole again once it is restored`() async throws {
        try await onBus { bus in
            let lines = (0..<20_000).map {
                #"{"site":"home","path":"/\#($0)/\#(($0 &* 2_654_435_761) % 1_000_003)","visitor":"v\#($0)"}"#
            }
            try await bus.run("produce", "Hit", stdin: lines.joined(separator: "\n"))
            let database = URL(fileURLWithPath: bus.log + "/log.sqlite")
            #expect(try await bus.sh("sqlite3 \(database.path) 'PRAGMA wal_checkpoint(TRUNCATE)'").exit == 0)
            let whole = try Data(contentsOf: database)
            var damaged = whole
            for i in damaged.count * 2 / 5..<damaged.count * 3 / 5 { damaged[i] = 0xaa }
            try damaged.write(to: database)
            let replay = try await bus.run("replay", "hits.events", "--count")
            #expect(replay.exit == 65 && replay.err.contains("damaged"), "\(replay)")
            #expect(replay.err.contains("from a copy"))
            try whole.write(to: database)
            #expect(try await bus.count("hits.events") == 20_000)
        }
    }

    @Test func `a file that is no database is told and not touched`() async throws {
        try await onBus { bus in
            try FileManager.default.createDirectory(atPath: bus.log, withIntermediateDirectories: true)
            let file = URL(fileURLWithPath: bus.log + "/log.sqlite")
            let text = Data(String(repeating: "This is not a database. ", count: 1000).utf8)
            try text.write(to: file)
            for command in [["topics"], ["produce", "Hit"], ["work"], ["up"], ["lag"], ["replay", "hits.events"]] {
                let ended = try await bus.start(command, stdin: Array(Self.hit.utf8)).end(within: .seconds(300))
                #expect(
                    ended.exit == 65 && ended.err.contains("is damaged (file is not a database)"), "\(command) \(ended)"
                )
            }
            #expect(try Data(contentsOf: file) == text)
        }
    }

    @Test func `a damaged view is told, and built again once it is deleted`() async throws {
        try await onBus { bus in
            try await bus.run("produce", "Hit", stdin: String(repeating: Self.hit, count: 300))
            let worker = try await bus.work("projector")
            try await bus.settle()
            try await worker.stop()
            let path = "\(bus.log)/views/hits.windows@1.sqlite"
            let good = try Tables(path)
            try Data(repeating: 0xaa, count: 40_000).write(to: URL(fileURLWithPath: path))
            let query = try await bus.run("query", "hits.window")
            #expect(
                query.exit == 65 && query.err.contains("delete it, and its worker will build it again"), "\(query)")
            // Its worker stops, and the others of the process go on; one that is alone ends it.
            let others = try bus.start("work", "projector")
            try await eventually("the damage to be told: \(others.err)") {
                others.err.contains("hits.windows has stopped, and the other workers go on") ? true : nil
            }
            let stopped = try await others.stop()
            #expect(stopped.exit == 65 && stopped.err.contains("is damaged"), "\(stopped)")
            let failed = try await bus.run("work", "hits.windows")
            #expect(failed.exit == 65 && failed.err.contains("is damaged"), "\(failed)")
            try FileManager.default.removeItem(atPath: path)
            _ = try await bus.work("projector")
            try await bus.settle()
            #expect(try Tables(path) == good)
        }
    }

    @Test(arguments: [["topics", "list"], ["produce", "Hit"], ["work"]])
    func `a broker that does not answer is told within a bounded time`(_ command: [String]) async throws {
        try await onBus { bus in
            let ended = try await bus.start(command + ["--log", "kafka://127.0.0.1:1"], stdin: Array(Self.hit.utf8))
                .end(within: .seconds(300))
            #expect(ended.exit == 69 && ended.err.contains("no Kafka broker answers at 127.0.0.1:1"), "\(ended)")
        }
    }

    @Test func `a folder that cannot be made, and an output that cannot be written, are told`() async throws {
        try await onBus { bus in
            let file = try bus.file("file", "")
            let log = try await bus.run("topics", "--log", "local:\(file)/log")
            #expect(log.exit == 77 && log.err.contains("cannot be made"), "\(log)")
            let views = try await bus.run("query", "hits.window", "--views", "sqlite:\(file)/views")
            #expect(views.exit == 77 && views.err.contains("cannot be made"), "\(views)")
            try await bus.run("produce", "Hit", stdin: Self.hit)
            let full = try await bus.sh("\(Bus.program) replay hits.events --log local:\(bus.log) > /dev/full")
            #expect(full.exit == 74 && full.err.contains("standard output cannot be written: No space left"), "\(full)")
            let enough = try await bus.sh(
                "\(Bus.program) replay hits.events --log local:\(bus.log) --follow | head -n 1")
            #expect(enough.lines.count == 1 && enough.err.isEmpty)
        }
    }

    @Test(.enabled(if: geteuid() != 0, "root may write into every folder"))
    func `a folder that may not be written to is told`() async throws {
        try await onBus { bus in
            try await bus.run("produce", "Hit", stdin: Self.hit)
            #expect(try await bus.sh("chmod -R a-w \(bus.log)").exit == 0)
            let ended = try await bus.run("produce", "Hit", stdin: Self.hit)
            #expect(ended.exit == 77, "\(ended)")
            #expect(try await bus.sh("chmod -R u+w \(bus.log)").exit == 0)
            #expect(try await bus.count("hits.events") == 1)
        }
    }

    @Test func `a view that nobody folds is waited for, and then said so`() async throws {
        try await onBus { bus in
            let ended = try await bus.run("query", "hits.window", "--after", "hits.events/0@0", "--timeout", "200ms")
            #expect(ended.exit == 75 && ended.err.contains("is a projector running?"), "\(ended)")
        }
    }
}
