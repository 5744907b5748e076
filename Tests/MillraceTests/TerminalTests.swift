import Foundation
import TestSupport
import Testing

@testable import MillraceApp

@Suite("On a terminal", .serialized, .timeLimit(.minutes(10)))
struct TerminalTests {
    /// An evening of which every table has something.
    private static func onCity(_ test: (Bus) async throws -> Void) async throws {
        try await onBus { bus in
            let workers = try await bus.work()
            try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#)
            let text = "家族 👨‍👩‍👧 and 🇩🇪 all together in the city tonight, listening to music and seeing old friends"
            try await bus.send("PostTweet", "--user", "ann", "--tweet", "t1", "--text", text)
            try await bus.send("PlaceOrder", "--order", "o1", "--customer", "ann")
            try await bus.settle()
            try await workers.stop()
            try await test(bus)
        }
    }

    private static func widest(_ text: String) -> Int {
        text.split(separator: "\n").map { DisplayWidth.of(String($0)) }.max() ?? 0
    }

    @Test func `tables are no wider than it`() async throws {
        try await Self.onCity { bus in
            for line in [
                "topics", "topics check", "topics apply", "topics describe hits.events", "work --list", "lag --sum",
                "lag",
                "query social.user --user ann", "query orders.status --order o1", "replay social.events",
                "replay orders.events", "quarantine list", "snapshot --list", "events", "views",
                "send HoldSeats --help",
                "query tickets.seats --help", "import access-log --help", "produce OrderStatusChanged --help",
            ] {
                let words = line.split(separator: " ").map(String.init)
                for columns in [60, 80, 200] {
                    let ended = try await bus.inTerminal(columns, words)
                    #expect(ended.exit == 0 && !ended.out.isEmpty, "\(line): \(ended)")
                    #expect(!ended.out.hasPrefix("{"), "\(line) is a table: \(ended)")
                    let long = ended.out.split(separator: "\n").filter {
                        DisplayWidth.of(String($0)) > columns && !$0.contains("millrace ")
                    }
                    #expect(long.isEmpty, "\(line) at \(columns): \(long)")
                }
            }
        }
    }

    @Test func `a table that goes into a pipe has its full width`() async throws {
        try await Self.onCity { bus in
            let ended = try await bus.run("query", "social.user", "--user", "ann", "--table")
            #expect(ended.out.contains("seeing old friends") && Self.widest(ended.out) > 120, "\(ended)")
        }
    }

    @Test func `words of good and bad news have colours, unless these are not wanted`() async throws {
        try await Self.onCity { bus in
            let lines = ["verify --topic hits.events", "topics apply", "send Nothing --id 1"]
            for (line, coloured) in zip(lines, ["\u{1b}[32mok\u{1b}[0m", "", "\u{1b}[31mmillrace:\u{1b}[0m"]) {
                let words = line.split(separator: " ").map(String.init)
                let shown = try await bus.inTerminal(100, words, errorsToo: true)
                #expect(coloured.isEmpty || shown.out.contains(coloured), "\(line): \(shown)")
                var plain = [
                    try await bus.inTerminal(100, words, errorsToo: true, environment: ["NO_COLOR": "1"]),
                    try await bus.inTerminal(100, words, errorsToo: true, environment: ["TERM": "dumb"]),
                    try await bus.inTerminal(100, words + ["--no-color"], errorsToo: true),
                    try await bus.inTerminal(100, words + ["--json"], errorsToo: true, environment: ["NO_COLOR": "1"]),
                ]
                plain.append(try await bus.start(words + ["--table"]).end())
                for ended in plain { #expect(!(ended.out + ended.err).contains("\u{1b}[3"), "\(line): \(ended)") }
            }
            for shape in ["--json", "--csv"] {
                let rows = try await bus.inTerminal(100, ["verify", "--topic", "hits.events", shape])
                #expect(!rows.out.contains("\u{1b}"), "\(rows)")
            }
        }
    }

    @Test func `up says in one line which workers there are, and names them where it is asked to`() async throws {
        try await onBus { bus in
            for (more, named) in [([], false), (["--verbose"], true)] {
                let up = try bus.start(["up"] + more)
                try await eventually("up: \(up.err)") { up.err.contains("the views are") ? true : nil }
                #expect(
                    up.err.contains(/up after \d+ ms: \d+ handlers, \d+ reactors, \d+ projectors of \d+ domains/),
                    "\(up.err)")
                #expect(up.err.contains(#/ready after ([a-z.-]+ \d+ ms, )*hits\.windows \d+ ms, /#) == named)
                try await up.stop()
            }
        }
    }

    @Test func `work names few workers and counts many`() async throws {
        try await onBus { bus in
            let few = try await bus.work("tickets.handler", "tickets.seatmap")
            #expect(few.err.contains("working: tickets.handler, tickets.seatmap\n"), "\(few.err)")
            let many = try await bus.work("projectors")
            #expect(many.err.contains(/working: \d+ projectors of \d+ domains; --verbose names them\n/), "\(many.err)")
            try await eventually("the many: \(many.err)") {
                many.err.contains(/ready after \d+ ms: \d+ projectors of \d+ domains/) ? true : nil
            }
        }
    }

    @Test func `an import shows how much of the file is read, and how long the rest takes`() async throws {
        #expect(
            Progress.text("importing a.log", 500, unit: "lines", rate: 250, share: 0.25, seconds: 2)
                == "importing a.log  25%  500 lines  250/s  7 s left  [#######.......................]")
        #expect(
            Progress.text("importing -", 500, unit: "lines", rate: 250, share: nil, seconds: 2)
                == "importing -  500 lines  250/s")
        try await onBus { bus in
            let line = #"192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /index.html HTTP/1.1" 200 2326"#
            let file = try bus.file("access.log", String(repeating: line + "\n", count: 40_000))
            let ended = try await bus.inTerminal(80, ["import", "access-log", file, "--site", "www"], errorsToo: true)
            #expect(
                ended.exit == 0 && ended.out.contains(#/importing access\.log  \d+%  \d+ lines  \d+/s/#), "\(ended)")
        }
    }
}
