import Foundation
import TestSupport
import Testing

/// Inputs that can be read once, are damaged, or are parts of others.
@Suite("Importing from anywhere", .serialized, .timeLimit(.minutes(10)))
struct ImportStreamTests {
    private static func line(_ i: Int) -> String {
        let time = "17/May/2015:10:\(i / 50 % 50 + 10):\(i % 50 + 10) +0000"
        return #"192.0.2.\#(i % 250) - - [\#(time)] "GET /\#(i) HTTP/1.1" 200 \#(i)"#
    }
    private static func log(_ lines: Range<Int>) -> String { lines.map { line($0) + "\n" }.joined() }

    private func tally(_ ended: Ended, exit: Int32 = 0, at place: SourceLocation = #_sourceLocation) throws -> [Int] {
        try #require(ended.exit == exit, "\(ended)", sourceLocation: place)
        let summary = try JSON(ended.out)
        return ["lines", "imported", "alreadyImported", "bad"].map { summary[$0].int }
    }

    /// Runs an import at the end of a pipe, or with a path that the shell makes.
    private func pipe(_ bus: Bus, _ script: String, _ kind: String, _ path: String, _ rest: String = "") async throws
        -> Ended
    {
        let command = "\(Bus.program) import \(kind) \(path) --json --log \(bus.url) \(rest)"
        return try await bus.plain(["-c", script.isEmpty ? command : "\(script) | \(command)"], program: "/bin/bash")
    }

    @Test func `a pipe, a FIFO and a process's output are imported as files are, and known again as such`() async throws
    {
        try await onBus { bus in
            let file = try bus.file("access.log", Self.log(0..<3000))
            let site = "--site www"
            let first = try await pipe(bus, "head -n 1500 \(file)", "access-log", "-", site)
            #expect(try tally(first) == [1500, 1500, 0, 0])
            let grown = try await pipe(bus, "head -n 2500 \(file)", "access-log", "/dev/stdin", site)
            #expect(try tally(grown) == [2500, 1000, 1500, 0])
            let same = try await pipe(bus, "", "access-log", "<(head -n 2500 \(file))", site)
            #expect(try tally(same) == [2500, 0, 2500, 0])
            let whole = try await bus.run("import", "access-log", file, "--site", "www")
            #expect(try tally(whole) == [3000, 500, 2500, 0])
            let fifo = bus.folder + "/fifo"
            try #require(mkfifo(fifo, 0o600) == 0)
            let packing = "\(site) & gzip -c \(file) > \(fifo); wait $!"
            let packed = try await pipe(bus, "", "access-log", fifo, packing)
            #expect(try tally(packed) == [3000, 0, 3000, 0])
            #expect(try await bus.count("hits.events") == 3000)
            let nameless = try await pipe(bus, "cat \(file)", "access-log", "-")
            #expect(nameless.exit == 64 && nameless.err.contains("say whose log it is with --site"), "\(nameless)")
        }
    }

    @Test func `tables, tweets and edges come through pipes too`() async throws {
        try await onBus { bus in
            let places = (0..<40).map { "d\($0 % 3),\(1_211_018_404 + $0),37.7,-122.4\n" }.joined()
            let gps = try bus.file("gps.csv", "driver,time,lat,lng\n" + places)
            #expect(try tally(try await pipe(bus, "cat \(gps)", "gps", "-")) == [41, 40, 0, 0])
            #expect(try tally(try await bus.run("import", "gps", gps)) == [41, 0, 41, 0])
            let lines: [String] = (0..<30).map { i in
                #"{"id":\#(i + 1),"t":\#(1_388_538_563 + i),"s":"ann","text":"a"}"# + "\n"
            }
            let tweets = try bus.file("tweets.ndjson", lines.joined())
            #expect(
                try tally(try await pipe(bus, "cat \(tweets)", "tweets", "/dev/stdin", "--wait 0s")) == [30, 30, 0, 0])
            #expect(try tally(try await pipe(bus, "cat \(tweets)", "tweets", "-", "--wait 0s"))[1] == 0)
            let edges = try bus.file("edges.txt", (0..<30).map { "a\($0) b\($0)\n" }.joined())
            #expect(try tally(try await pipe(bus, "cat \(edges)", "follows", "-", "--wait 0s")) == [30, 30, 0, 0])
            #expect(try tally(try await bus.run("import", "follows", edges, "--wait", "0s"))[1] == 0)
            #expect(try await bus.count("rides.locations") == 40)
            #expect(try await bus.count("social.commands") == 60)
        }
    }

    @Test func `a shorter copy has nothing new and says why, wherever it ends`() async throws {
        try await onBus { bus in
            let text = Self.log(0..<2000)
            let site = ["--site", "www"]
            let file = try bus.file("access.log", text)
            #expect(try tally(try await bus.start(["import", "access-log", file] + site).end()) == [2000, 2000, 0, 0])
            for count in [1, 2, 700, 1999] {
                let copy = try bus.file("copy.log", Self.log(0..<count))
                let ended = try await bus.start(["import", "access-log", copy] + site).end()
                #expect(try tally(ended) == [count, 0, count, 0])
                #expect(
                    try JSON(ended.out)["notes"][0].string
                        == "it is a shorter copy of access.log, of which 2000 lines were imported: nothing in it is new"
                )
            }
            // Cut within a line, and read from a pipe.
            let cut = try bus.file("cut.log", Array(text.utf8.prefix(100_000)))
            let ended = try await pipe(bus, "cat \(cut)", "access-log", "-", "--site www")
            #expect(try tally(ended)[1] == 0 && ended.out.contains("it is a shorter copy of access.log"))
            // Another file that begins alike is another file.
            let other = try bus.file("other.log", Self.log(0..<3) + Self.log(5000..<5010))
            #expect(try tally(try await bus.start(["import", "access-log", other] + site).end()) == [13, 13, 0, 0])
            #expect(try await bus.count("hits.events") == 2013)
        }
    }

    @Test func `gzip that is cut is taken as far as it goes, and the rest when it is whole`() async throws {
        try await onBus { bus in
            let file = try bus.file("access.log", Self.log(0..<5000))
            #expect(try await bus.sh("gzip -k \(file) && head -c 30000 \(file).gz > \(bus.folder)/cut.gz").exit == 0)
            let site = ["--site", "www"]
            let cut = try await bus.start(["import", "access-log", "\(bus.folder)/cut.gz"] + site).end()
            let taken = try tally(cut, exit: 65)
            #expect(taken[0] == taken[1] && taken[1] > 100 && taken[1] < 5000 && taken[3] == 0)
            #expect(cut.err.contains("cut.gz ends before its gzip data does"), "\(cut)")
            #expect(try await bus.sh("head -c -8 \(file).gz > \(bus.folder)/cut.gz").exit == 0)
            let bare = try await bus.start(["import", "access-log", "\(bus.folder)/cut.gz"] + site).end()
            #expect(try tally(bare, exit: 65) == [5000, 5000 - taken[1], taken[1], 0])
            #expect(try tally(try await bus.start(["import", "access-log", "\(file).gz"] + site).end())[1] == 0)
            #expect(try await bus.count("hits.events") == 5000)
        }
    }

    @Test func `events and commands of cut gzip are taken, and the cut is told`() async throws {
        try await onBus { bus in
            let hits: [String] = (0..<3000).map { i in
                #"{"site":"home","path":"/\#(i &* 2_654_435_761 % 99_991)","visitor":"v"}"# + "\n"
            }
            let file = try bus.file("hits.ndjson", hits.joined())
            #expect(try await bus.sh("gzip -k \(file) && head -c 8000 \(file).gz > \(bus.folder)/cut.gz").exit == 0)
            let cut = try await bus.run("produce", "Hit", "--file", "\(bus.folder)/cut.gz")
            let produced = try JSON(cut.out)["produced"].int
            #expect(cut.exit == 65 && cut.err.contains("ends before its gzip data does") && produced > 100, "\(cut)")
            #expect(try await bus.count("hits.events") == produced)
            _ = try await bus.work("orders.handler")
            let orders = try bus.file("orders.ndjson", "\u{feff}" + #"{"order":"o1","customer":"ann"}"# + "\n")
            #expect(try await bus.sh("gzip -k \(orders) && head -c -4 \(orders).gz > \(bus.folder)/cut.gz").exit == 0)
            let sent = try await bus.run(
                "send", "PlaceOrder", "--file", "\(bus.folder)/cut.gz", "--timeout", "40s")
            #expect(sent.exit == 65 && sent.err.contains("were decided: 1"), "\(sent)")
            #expect(try await bus.send("PlaceOrder", "--order", "o1", "--customer", "ann")["events"].array.isEmpty)
        }
    }

    @Test func `a file of which nothing can be read is told once, and is not known afterwards`() async throws {
        try await onBus { bus in
            let text = (0..<5000).map { "nonsense \($0)\n" }.joined()
            let file = try bus.file("nonsense.log", text)
            for _ in 0..<2 {
                let ended = try await bus.run("import", "access-log", file)
                #expect(try tally(ended, exit: 65) == [5000, 0, 0, 5000])
                #expect(ended.err.split(separator: "\n").count <= 5 + 2, "\(ended)")
                #expect(ended.err.contains("and \(5000 - 5) more lines: unknown-format"))
                #expect(ended.err.contains("no line of \(file) could be read"))
            }
            // Tables, and events that are produced.
            let rows: [String] = (0..<100).map { i in "d,\(i)x,1,2\n" }
            let gps = try bus.file("gps.csv", "driver,time,lat,lng\n" + rows.joined())
            #expect(try tally(try await bus.run("import", "gps", gps), exit: 65) == [101, 0, 0, 100])
            let events = try await bus.run("produce", "Hit", "--on-error", "skip", "--file", file)
            #expect(events.exit == 65 && events.err.split(separator: "\n").count <= 5 + 2, "\(events)")
            #expect(try JSON(events.out)["bad"] == 5000)
        }
    }

    @Test func `bad lines stay bad, and are imported once they can be read`() async throws {
        try await onBus { bus in
            // Too far ahead of this machine's clock at first.
            let soon = Date.now.addingTimeInterval(70)
            let header = "driver,time,lat,lng\n"
            let rows = [
                "d,1211018404,1,2", "d,oops,1,2", "d,\(Int(soon.timeIntervalSince1970)),1,2", "d,1211018405,1,2",
            ]
            let file = try bus.file("gps.csv", header + rows.joined(separator: "\n") + "\n")
            #expect(try tally(try await bus.run("import", "gps", file)) == [5, 2, 0, 2])
            #expect(try tally(try await bus.run("import", "gps", file)) == [5, 0, 3, 2])
            let later = try await eventually("the line's time to come", within: .seconds(300)) {
                let tally = try tally(try await bus.run("import", "gps", file))
                return tally[1] > 0 ? tally : nil
            }
            #expect(later == [5, 1, 3, 1])
            #expect(try tally(try await bus.run("import", "gps", file)) == [5, 0, 4, 1])
            #expect(try await bus.count("rides.locations") == 3)
        }
    }

    @Test func `a byte order mark is no part of the first line, in every importer`() async throws {
        try await onBus { bus in
            let log = try bus.file("access.log", "\u{feff}" + Self.log(0..<3))
            #expect(try tally(try await bus.run("import", "access-log", log)) == [3, 3, 0, 0])
            let visitors = try await bus.replay("hits.events").map { $0["event"]["visitor"].string }
            #expect(Set(visitors) == ["192.0.2.0", "192.0.2.1", "192.0.2.2"])
            // The same without the mark is the same.
            let plain = try bus.file("access.log", Self.log(0..<3))
            #expect(try tally(try await bus.run("import", "access-log", plain)) == [3, 0, 3, 0])
            let edges = try bus.file("edges.txt", "\u{feff}ann bob\n")
            #expect(try tally(try await bus.run("import", "follows", edges, "--wait", "0s")) == [1, 1, 0, 0])
            let tweets = try bus.file("t.ndjson", "\u{feff}" + #"{"id":1,"t":1388538563,"s":"ann","text":"a"}"#)
            #expect(try tally(try await bus.run("import", "tweets", tweets, "--wait", "0s")) == [1, 1, 0, 0])
            let produced = try await bus.run("produce", "Hit", stdin: "\u{feff}" + #"{"site":"b","visitor":"v"}"#)
            #expect(produced.exit == 0, "\(produced)")
            let wide = try bus.file("wide.log", Array(Self.log(0..<3).data(using: .utf16)!))
            let no = try await bus.run("import", "access-log", wide)
            #expect(no.exit == 65 && no.err.contains("is text in UTF-16LE"), "\(no)")
        }
    }

    @Test func `a quoted field with a line break is one record, and quoted names are names`() async throws {
        try await onBus { bus in
            let table = #"""
                driver,time,lat,lng,note
                a,1211018404,37.7,-122.4,"one
                two, b,1211018404,37.7,-122.4
                three"
                "c ""x""",1211018405,37.7,-122.4,
                d,1211018406,37.7,-122.4,"never closed
                e,1211018407,37.7,-122.4,ok

                """#
            let file = try bus.file("gps.csv", table.replacing("\n", with: "\r\n"))
            let ended = try await bus.run("import", "gps", file)
            #expect(try tally(ended) == [7, 4, 0, 2])
            #expect(
                ended.err.contains("line 5: driver: has a space") && ended.err.contains("line 6: ends within quotes"))
            let drivers = try await bus.replay("rides.locations").map { $0["key"].string }
            #expect(drivers.sorted() == ["a", "e"])
            #expect(try tally(try await bus.run("import", "gps", file)) == [7, 0, 5, 2])
            // One whose end is not there yet is bad, until it is.
            let begun = "driver,time,lat,lng,note\na,1211018404,1,2,\nb,1211018405,1,2,\"so\n"
            let growing = try bus.file("growing.csv", begun)
            #expect(try tally(try await bus.run("import", "gps", growing, "--prefix", "g")) == [3, 1, 0, 1])
            _ = try bus.file("growing.csv", begun + "far\"\n")
            #expect(try tally(try await bus.run("import", "gps", growing, "--prefix", "g")) == [4, 2, 2, 0])
            #expect(try tally(try await bus.run("import", "gps", growing, "--prefix", "g")) == [4, 0, 4, 0])

            let edges = try bus.file("edges.csv", "who,whom\n\"ann\",\"bob\"\n\"ann\",carl\n# say \"hi\n")
            let follows = try await bus.run("import", "follows", edges, "--skip-header", "--wait", "0s")
            #expect(try tally(follows) == [4, 2, 0, 0])
            #expect(
                try await bus.replay("social.commands").map { $0["event"]["followee"].string }.sorted() == [
                    "bob", "carl",
                ])
        }
    }

    @Test(.enabled(if: Weblogs.areHere, Weblogs.absent))
    func `an import of a pipe that is killed goes on where it stopped`() async throws {
        try await onBus { bus in
            let once = try await Weblogs.nasa(bus)
            let file = bus.folder + "/long.log"
            #expect(try await bus.sh("cat \(once) \(once) \(once) > \(file)").exit == 0)
            let fifo = bus.folder + "/fifo"
            try #require(mkfifo(fifo, 0o600) == 0)
            let killed = try bus.start("import", "access-log", fifo, "--site", "nasa")
            let writer = try bus.start(program: "/bin/sh", ["-c", "cat \(file) > \(fifo)"])
            try await eventually("the first commit of the import") {
                try await bus.count("hits.events") > 0 ? true : nil
            }
            try await killed.crash()
            _ = try await writer.end()
            let before = try await bus.count("hits.events")
            #expect(before > 0 && before < 29_997)
            let rest = try await pipe(bus, "cat \(file)", "access-log", "-", "--site nasa")
            #expect(try tally(rest) == [29_997, 29_997 - before, before, 0])
            // Two at once: one of them waits, and finds nothing new. Where it has waited for long, it says so.
            let arguments = ["import", "access-log", file, "--site", "other"]
            let both = try (0..<2).map { _ in try bus.start(arguments) }
            var imported = 0
            for one in both {
                var ended = try await one.end()
                while ended.exit == 75 && ended.err.contains("is under way") {
                    ended = try await bus.start(arguments).end()
                }
                imported += try tally(ended)[1]
            }
            #expect(imported == 29_997)
            #expect(try await bus.count("hits.events") == 2 * 29_997)
        }
    }
}
