import Foundation
import TestSupport
import Testing

/// What docs/recordings.md shows is what a terminal shows. `MILLRACE_WRITE_RECORDINGS=1 swift test --filter RecordingTests`
/// writes the page anew.
@Suite("Recordings", .serialized, .timeLimit(.minutes(10)))
struct RecordingTests {
    private static let page = Bus.package + "/docs/recordings.md"
    private static let widths = [80, 200]

    private struct Recording {
        var line: String
        var about: String
        /// Whether people's doings and times differ from run to run: only what is said of them is compared.
        var isLive = false
    }
    private static let recordings = [
        Recording(line: "--help", about: "What there is"),
        Recording(line: "send HoldSeats --help", about: "Made from the comments in the domain's `.proto`"),
        Recording(line: "query tickets.sections --event gala", about: "A view"),
        Recording(line: "query tickets.seats --event gala --limit 4", about: "One with more to come"),
        Recording(
            line: "query social.user --user ann",
            about: "One that is wider than the terminal: the widest column gives way"),
        Recording(
            line: "demo --seconds 2 --size 10", about: "Every domain at once: the numbers are of one run", isLive: true
        ),
    ]

    /// A log of which every recorded query has something to show, always the same.
    private static func onStage(_ test: (Bus) async throws -> Void) async throws {
        try await onBus { bus in
            let workers = try await bus.work()
            let rows = ["A", "B"].map { #"{"label":"\#($0)","seats":4}"# }.joined(separator: ",")
            try await bus.send(
                "ListEvent", "--event", "gala", "--title", "New Year Gala", "--venue", "Opera", "--starts-at",
                "2030-12-31T19:30:00Z", "--sections",
                #"[{"name":"stalls","rows":[\#(rows)],"price":{"amount":4500,"currency":"EUR"}}]"#)
            try await eventually("the section to open") {
                try await bus.query("tickets.sections", "--event", "gala")["rows"].array.isEmpty ? nil : true
            }
            let text =
                "Tosca tonight, and the whole house is on its feet: what a voice, what an orchestra, what an evening"
            try await bus.send(
                "PostTweet", "--user", "ann", "--tweet", "t1", "--text", text, "--at", "2026-11-01T20:00:00Z")
            try await bus.settle()
            try await workers.stop()
            try await test(bus)
        }
    }

    private static func record(_ recording: Recording, _ columns: Int, on bus: Bus) async throws -> String {
        let words = recording.line.split(separator: " ").map(String.init)
        let terminal = try PseudoTerminal(columns: columns)
        // A shell finds the program by its name.
        let folder = URL(fileURLWithPath: Bus.program).deletingLastPathComponent().path
        let path = folder + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
        let process = try Running(
            Bus.program, words,
            environment: [
                "HOME": bus.folder, "TERM": "xterm-256color", "NO_COLOR": "1", "COLUMNS": "", "PATH": path,
                "MILLRACE_LOG": bus.url, "TMPDIR": "/tmp",
            ], cwd: bus.folder, scratch: bus.folder, terminal: terminal)
        let ended = try await process.end()
        let text = try await terminal.end()
        try #require(ended.exit == 0, "\(recording.line): \(ended)\n\(text)")
        return text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.replacing(/\s+$/, with: "") }.joined(separator: "\n").trimmingCharacters(in: .newlines)
    }

    private static func heading(_ recording: Recording, _ columns: Int) -> String {
        "### `millrace \(recording.line)`, \(columns) columns"
    }

    /// What the page shows under a heading.
    private static func shown(under heading: String, in page: String) -> String? {
        page.components(separatedBy: heading + "\n").dropFirst().first?.components(separatedBy: "```text\n").dropFirst()
            .first?.components(separatedBy: "\n```").first
    }

    /// What is said of what is shown: a title and the sentence under it, without numbers.
    private static func said(_ text: String) -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return zip(lines, lines.dropFirst()).filter { $0.1.contains(#/^  [A-Z][a-z']* [a-z].*\.$/#) }
            .flatMap { [$0.0, $0.1] }.map { $0.replacing(/[0-9]+(ms|s)?/, with: "N") }
    }

    @Test func `the page of recordings shows what a terminal shows`() async throws {
        let isWriting = ProcessInfo.processInfo.environment["MILLRACE_WRITE_RECORDINGS"] == "1"
        let page = isWriting ? "" : try String(contentsOfFile: Self.page, encoding: .utf8)
        var written = """
            # Recordings

            What a terminal of 80 and one of 200 columns show. A test runs these commands in a terminal of that width and compares;
            of the demo, whose numbers differ from run to run, it compares what is said.

            """
        try await Self.onStage { bus in
            for recording in Self.recordings {
                written += "\n## \(recording.about)\n"
                for columns in Self.widths {
                    let heading = Self.heading(recording, columns)
                    let real = try await Self.record(recording, columns, on: bus)
                    #expect(!real.isEmpty)
                    if isWriting {
                        written += "\n\(heading)\n\n```text\n\(real)\n```\n"
                    } else if let shown = Self.shown(under: heading, in: page) {
                        if recording.isLive {
                            #expect(Self.said(shown).count > 5 && Self.said(shown) == Self.said(real), "\(heading)")
                        } else {
                            #expect(shown == real, "\(heading)")
                        }
                    } else {
                        Issue.record("docs/recordings.md does not have \(heading)")
                    }
                }
            }
        }
        if isWriting { try written.write(toFile: Self.page, atomically: true, encoding: .utf8) }
    }
}
