import Foundation
import TestSupport
import Testing

@Suite("Standard output and standard error", .timeLimit(.minutes(10)))
struct OutputEndTests {
    @Test(arguments: ["2>/dev/full", "2>&-", "2> >(exec head -c 1 >/dev/null)"])
    func `that nobody can write to ends no command with a signal`(_ redirection: String) async throws {
        try await onBus { bus in
            _ = try await bus.run("topics", "apply")
            for (words, exit) in [
                ("query nope LOG", 64), ("verify nope LOG", 64), ("send PlaceOrder --customer c LOG", 65),
                ("lag --wait 1ms LOG", 0), ("send MarkDelivered --order x --timeout 1ms LOG", 75),
            ] {
                let script = "\(Bus.program) \(words.replacing("LOG", with: "--log local:\(bus.log)")) \(redirection)"
                let ended = try await bus.start(program: "/bin/bash", ["-c", script]).end()
                #expect(Int(ended.exit) == exit, "\(words) \(redirection): \(ended)")
            }
        }
    }

    @Test(arguments: ["--help", "--version", "help query", "query --help", "send PlaceOrder --help", "views"])
    func `that is full is told with 74, also of help`(_ words: String) async throws {
        try await onBus { bus in
            let script = "\(Bus.program) \(words) >/dev/full"
            let full = try await bus.start(program: "/bin/bash", ["-c", script]).end()
            #expect(full.exit == 74 && full.err.contains("standard output cannot be written: No space"), "\(full)")
            // Whoever has read enough has closed it, and that is no error.
            let gone = "exec 3> >(exec true); wait $!; \(Bus.program) \(words) >&3"
            let closed = try await bus.start(program: "/bin/bash", ["-c", gone]).end()
            #expect(closed.exit == 0 && closed.err.isEmpty, "\(closed)")
        }
    }

    @Test func `that nobody can write to lets workers work`() async throws {
        try await onBus { bus in
            let place = "--log local:\(bus.log)"
            let script = """
                \(Bus.program) up --no-http --verbose \(place) 2> >(exec head -c 1 >/dev/null) & up=$!
                \(Bus.program) send PlaceOrder --order o --customer c --timeout 60s \(place) >/dev/null 2>&1; sent=$?
                kill -TERM $up; wait $up; echo "$sent $?"
                """
            let ended = try await bus.start(program: "/bin/bash", ["-c", script]).end()
            #expect(ended.out == "0 0\n", "\(ended)")
        }
    }

    @Test func `who reads the first line of verify is told by the exit code what was found behind it`() async throws {
        try await onBus { bus in
            _ = try await bus.run("topics", "apply")
            #expect(try await bus.run("produce", "Hit", stdin: #"{"site":"s","visitor":"v","path":"/"}"#).exit == 0)
            let worker = try await bus.work("hits.windows")
            try await bus.settle()
            _ = try await worker.stop()
            let view = try #require(
                try FileManager.default.contentsOfDirectory(atPath: bus.views).first {
                    $0.hasPrefix("hits.windows") && $0.hasSuffix(".sqlite")
                })
            let altered = try await bus.start(
                program: "/usr/bin/env",
                [
                    "python3", "-c",
                    "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.execute('UPDATE hits_seconds SET hits = 7'); c.commit()",
                    "\(bus.views)/\(view)",
                ]
            ).end()
            #expect(altered.exit == 0, "\(altered)")
            for more in ["", "--table"] {
                let script =
                    "\(Bus.program) verify \(more) --log local:\(bus.log) 2>/dev/null | head -n 1 >/dev/null; echo ${PIPESTATUS[0]}"
                let ended = try await bus.start(program: "/bin/bash", ["-c", script]).end()
                #expect(ended.out == "65\n", "\(more) \(ended)")
            }
        }
    }

    @Test(arguments: ["topics apply", "topics check", "topics check --table", "health"])
    func `who has closed standard output is told by the exit code what was found`(words: String) async throws {
        try await onBus { bus in
            _ = try await bus.run("topics", "apply")
            #expect(try await bus.run("produce", "Hit", stdin: #"{"site":"s","visitor":"v","path":"/"}"#).exit == 0)
            let place = "--log local:\(bus.log)"
            let others = words == "health" ? "--max-lag 0" : "--topics \(bus.log)/others.yaml"
            let script = """
                \(Bus.program) topics declare | sed 's/partitions: .*/partitions: 3/' >\(bus.log)/others.yaml
                exec 3> >(exec true); wait $!
                \(Bus.program) \(words) \(others) \(place) >&3 2>/dev/null; echo $?
                """
            let ended = try await bus.start(program: "/bin/bash", ["-c", script]).end()
            #expect(ended.out == (words == "health" ? "69\n" : "78\n"), "\(ended)")
        }
    }

    @Test func `a pipe that does not block is waited for`() async throws {
        try await onBus { bus in
            _ = try await bus.run("topics", "apply")
            let lines = (0..<3000).map { #"{"site":"s","visitor":"v","path":"/\#($0)"}"# }.joined(separator: "\n")
            #expect(try await bus.run("produce", "Hit", stdin: lines).exit == 0)
            let script = """
                import fcntl, os, subprocess, sys, time
                r, w = os.pipe()
                fcntl.fcntl(w, fcntl.F_SETFL, fcntl.fcntl(w, fcntl.F_GETFL) | os.O_NONBLOCK)
                p = subprocess.Popen(sys.argv[1:], stdout=w)
                os.close(w)
                time.sleep(1)
                n = 0
                while True:
                    b = os.read(r, 65536)
                    if not b: break
                    n += b.count(b"\\n")
                print(n, p.wait())
                """
            let ended = try await bus.start(
                program: "/usr/bin/env",
                ["python3", "-c", script, Bus.program, "replay", "hits.events", "--log", "local:\(bus.log)"]
            ).end()
            #expect(ended.out == "3000 0\n", "\(ended)")
        }
    }

    @Test func `an option with one value is given once`() async throws {
        try await onBus { bus in
            _ = try await bus.run("topics", "apply")
            for words in [
                [
                    "query", "tickets.sections", "--event", "a", "--as-of", "@2030-01-01T00:00:00Z",
                    "--as-of=@2000-01-01T00:00:00Z",
                ],
                ["replay", "orders.events", "--partition", "0", "--partition", "1"],
                ["replay", "orders.events", "--type", "EtaRevised", "--type", "OrderStatusChanged"],
                ["send", "PlaceOrder", "--order", "o", "--customer", "c", "--id", "a", "--id", "b"],
            ] {
                let ended = try await bus.start(words).end()
                #expect(ended.exit == 64 && ended.err.contains("is given twice; give it once"), "\(words) \(ended)")
            }
            let after = try await bus.run(
                "query", "orders.status", "--order", "o", "--after", "orders.events/0@0", "--after",
                "orders.events/1@0",
                "--timeout", "1ms")
            #expect(!after.err.contains("twice"), "\(after)")
            let counted = try await bus.run("replay", "orders.events", "--follow", "--count")
            #expect(counted.exit == 64 && counted.err.contains("needs --limit"), "\(counted)")
        }
    }

    @Test func `a line or a table that says something twice is bad`() async throws {
        try await onBus { bus in
            _ = try await bus.run("topics", "apply")
            let tweets = bus.folder + "/tweets.jsonl"
            let tweet = #"{"id":"201","user":"ann","text":"one","user":"ben","created_at":"2026-01-01T00:00:00Z"}"#
            try (tweet + "\n").write(toFile: tweets, atomically: true, encoding: .utf8)
            let twice = try await bus.run("import", "tweets", tweets)
            #expect(twice.exit == 65 && twice.err.contains("user: is there twice"), "\(twice)")
            // Spaces before an object change nothing, whoever reads it.
            let hit = #" {"remote_addr":"192.0.2.7","time_iso8601":"2026-01-01T00:00:00Z","request":"GET / HTTP/1.1"}"#
            for (importer, line, word) in [
                ("tweets", "  " + tweet, "user: is there twice"),
                ("clicks", #" {"h":"a","t":1368832205,"t":1368832206}"#, "t: is there twice"),
                ("access-log", String(hit.dropLast()) + #","status":200,"status":404}"#, "status: is there twice"),
            ] {
                let spaced = bus.folder + "/spaced-\(importer)"
                try (line + "\n").write(toFile: spaced, atomically: true, encoding: .utf8)
                let ended = try await bus.run("import", importer, spaced)
                #expect(ended.exit == 65 && ended.err.contains(word), "\(ended)")
            }
            let once = bus.folder + "/once.log"
            try (hit + "\n").write(toFile: once, atomically: true, encoding: .utf8)
            #expect(try await bus.run("import", "access-log", once).exit == 0)
            let table = bus.folder + "/positions.csv"
            try "driver,time,lat,lon,lat\na,2026-01-01T00:00:00Z,1,2,3\n".write(
                toFile: table, atomically: true, encoding: .utf8)
            let columns = try await bus.run("import", "gps", table)
            #expect(columns.exit == 65 && columns.err.contains("names the column lat twice"), "\(columns)")
        }
    }
}
