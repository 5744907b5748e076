import Domains
import EventModel
import Foundation
import TestSupport
import Testing

@testable import MillraceApp
@testable import MillraceBus

@Suite("Completion", .timeLimit(.minutes(10)))
struct CompletionTests {
    /// What is typed before the tabulator, and what the line has then.
    private static let lines = [
        ("send Hold", "HoldSeats"), ("send HoldSeats --sec", "--section"),
        ("send HoldSeats --event e1 --sec", "--section"),
        ("produce Hi", "Hit"), ("query hits.w", "hits.window"), ("query hits.window --si", "--site"),
        ("query hits.window --site home --wi", "--window"), ("query tickets.seats --status fr", "free"),
        ("import acc", "access-log"), ("replay hits.ev", "hits.events"), ("replay hits.events --type H", "Hit"),
        ("replay hits.events --from st", "start"), ("replay hits.events --to en", "end"),
        ("replay --into hits.", "hits.windows"), ("verify tickets.se", "tickets.seatmap"),
        ("verify --topic tickets.ev", "tickets.events"), ("work tickets.h", "tickets.handler"), ("work rea", "reactor"),
        ("events tick", "tickets"), ("topics describe social.h", "social.home"), ("topics decl", "declare"),
        ("qua", "quarantine"), ("quarantine redr", "redrive"), ("query --lim", "--limit"),
        ("demo --only tick", "tickets"), ("query hits.window --after hits.events/", "hits.events/"),
        ("produce Hit --file lin", "lines.ndjson"), ("import access-log lin", "lines.ndjson"),
        ("lag --kafka-config lin", "lines.ndjson"), ("send --file lin", "lines.ndjson"),
    ]

    /// A shell that somebody sits at: what is typed is completed as there, and a key of its own writes the line into a file.
    private struct Sitting {
        static let key = "\u{f}"  // Control-O

        let shell: String
        let terminal: PseudoTerminal
        let process: Running
        let line: String

        init(_ shell: String, on bus: Bus) async throws {
            let script = try await bus.plain(["--generate-completion-script", shell])
            let file = try bus.file("completion.\(shell)", script.out)
            let path = URL(fileURLWithPath: Bus.program).deletingLastPathComponent().path
            (self.shell, line) = (shell, bus.folder + "/line")
            let setup =
                switch shell {
                case "bash":
                    """
                    PATH=\(path):$PATH; source \(file); bind 'set bell-style none'
                    line() { printf '%s\\n' "$READLINE_LINE" > \(line); READLINE_LINE=; READLINE_POINT=0; }
                    bind -x '"\\C-o": line'
                    """
                case "zsh":
                    """
                    PATH=\(path):$PATH; unsetopt beep; autoload -Uz compinit; compinit -u -D; source \(file)
                    line() { print -r -- "$BUFFER" > \(line); BUFFER=; }; zle -N line; bindkey '^O' line
                    """
                default:
                    """
                    set -gx PATH \(path) $PATH; source \(file)
                    function line; commandline > \(line); commandline ''; end; bind \\co line
                    """
                }
            let start = try bus.file("start.\(shell)", setup + "\n")
            terminal = try PseudoTerminal(columns: 120)
            let program: [String] =
                switch shell {
                case "bash": ["bash", "--noprofile", "--rcfile", start, "-i"]
                case "zsh": ["zsh", "-f", "-i"]
                default: ["fish", "--private", "--init-command", "source \(start)"]
                }
            // A shell wants the terminal to itself.
            process = try Running(
                "setsid", ["--ctty", "--wait"] + program,
                environment: [
                    "HOME": bus.folder, "TERM": "xterm", "MILLRACE_LOG": bus.url, "XDG_DATA_HOME": bus.folder,
                ],
                cwd: bus.folder, scratch: bus.folder, terminal: terminal, errorsToo: true, isInteractive: true)
            if shell == "zsh" { terminal.type("source \(start)\n") }
        }

        /// The line that comes of one that is typed, with the tabulator at its end.
        func complete(_ typed: String) async throws -> String {
            try? FileManager.default.removeItem(atPath: line)
            terminal.type("\(typed)\t\(Self.key)")
            return try await eventually("the line: \(terminal.text.suffix(2000))", within: .seconds(300)) {
                let text = try? String(contentsOfFile: line, encoding: .utf8)
                return text.flatMap { $0.hasSuffix("\n") ? $0.trimmingCharacters(in: .whitespacesAndNewlines) : nil }
            }
        }

        func end() async throws {
            try await process.crash()
            _ = try? await terminal.end()
        }
    }

    static func isThere(_ program: String) -> Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return path.split(separator: ":").contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
    }

    @Test(
        "bash completes what is typed there",
        .enabled(if: isThere("bash") && isThere("setsid"), "bash or setsid is not installed"))
    func bash() async throws { try await Self.sit(at: "bash") }

    @Test(
        "zsh completes what is typed there",
        .enabled(if: isThere("zsh") && isThere("setsid"), "zsh is not installed: apt-get install zsh"))
    func zsh() async throws { try await Self.sit(at: "zsh") }

    @Test(
        "fish completes what is typed there",
        .enabled(if: isThere("fish") && isThere("setsid"), "fish is not installed: apt-get install fish"))
    func fish() async throws { try await Self.sit(at: "fish") }

    private static func sit(at shell: String) async throws {
        try await onBus { bus in
            try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#)
            _ = try bus.file("lines.ndjson", "")
            let sitting = try await Sitting(shell, on: bus)
            do {
                for (typed, candidate) in lines {
                    let line = try await sitting.complete("millrace \(typed)")
                    let words = line.split(separator: " ")
                    #expect(words.last.map(String.init)?.hasPrefix(candidate) == true, "\(typed): \(line)")
                    // All of it stands there; nothing was completed where nothing was meant.
                    #expect(line.hasPrefix("millrace \(typed)"), "\(typed): \(line)")
                }
            } catch {
                try await sitting.end()
                throw error
            }
            try await sitting.end()
        }
    }

    // MARK: What is offered

    private static func offered(_ words: String...) async -> [String] {
        await Application(domains: Domains.all).completions(for: ["---completion"] + words) ?? []
    }

    @Test func `positions are offered in all their forms`() async {
        let from = await Self.offered("replay", "--", "--from", "3", "0", "millrace", "replay", "hits.events", "--from")
        for form in ["start", "end", "+10", "-10", "@-1h", "first@-1h"] { #expect(from.contains(form), "\(from)") }
        #expect(from.contains { $0.wholeMatch(of: /@\d{4}-\d\d-\d\dT\d\d:00:00Z/) != nil }, "\(from)")
        // Every one of them is read as what it is.
        for form in from { #expect(throws: Never.self) { try Bound.parse(form, now: now()) } }
    }

    @Test func `partitions are those of the topic that is named`() async throws {
        let counts = Domains.all.builtInTopics.reduce(into: [:]) { $0[$1.name] = $1.partitions }
        let words = [
            "replay", "--", "--partition", "3", "0", "millrace", "replay", "tickets.events", "--partition", "",
        ]
        let offered = await Application(domains: Domains.all).completions(for: ["---completion"] + words)
        #expect(offered == (0..<(try #require(counts["tickets.events"]))).map(String.init))
    }

    @Test func `places of a query are the last records of its topics on the log that the line names`() async throws {
        try await onBus { bus in
            try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#)
            let there = try await bus.replay("hits.events")[0]
            let place = "hits.events/\(there["partition"].int)@\(there["offset"].int)"
            for option in ["--after", "--as-of"] {
                let words = ["query", "hits.window", "--log", bus.url, option, ""]
                let found = await Self.offered(
                    "query", "--", option, "5", "0", "millrace", words[0], words[1], words[2], words[3], words[4],
                    words[5])
                #expect(found.contains(place), "\(option): \(found)")
                #expect(found.contains("@-1h") == (option == "--as-of"))
            }
            let elsewhere = await Self.offered(
                "query", "--", "--after", "5", "0", "millrace", "query", "hits.window", "--log", "kafka://nowhere:1",
                "--after", "")
            #expect(elsewhere.contains("hits.events/0@"), "\(elsewhere)")
        }
    }

    @Test func `an option's values come behind it, and an option once`() async {
        let values = await Self.offered(
            "query", "--", "positional@1", "4", "0", "millrace", "query", "tickets.seats", "--status", "")
        #expect(values.contains("free") && !values.contains("--event"), "\(values)")
        let rest = await Self.offered(
            "query", "--", "positional@1", "5", "0", "millrace", "query", "tickets.seats", "--status", "free", "")
        #expect(rest.contains("--event") && !rest.contains("--status"), "\(rest)")
        // As fish asks in a script: it does not say where the cursor is.
        let fish = await Self.offered("query", "--", "positional@1", "3", "millrace", "query", "tickets.seats", "")
        #expect(fish.contains("--event") && fish.contains("--status"), "\(fish)")
    }
}
