import Domains
import EventModel
import Foundation
import TestSupport
import Testing

@testable import MillraceApp

@Suite("A demo", .serialized, .timeLimit(.minutes(10)))
struct DemoTests {
    /// Starts a demo with temporary folders of its own.
    private func demo(_ bus: Bus, _ arguments: String..., environment: [String: String] = [:]) throws -> Running {
        let temporary = bus.folder + "/tmp"
        try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
        return try Running(
            Bus.program, ["demo"] + arguments,
            environment: ["HOME": bus.folder, "TMPDIR": temporary].merging(environment) { $1 }, cwd: bus.folder,
            scratch: bus.folder + "/scratch")
    }

    private func leftovers(_ bus: Bus) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: bus.folder + "/tmp")
    }

    @Test func `some domains show what they did, in 80 columns, and nothing is left of it`() async throws {
        try await onBus { bus in
            let elsewhere = [
                "MILLRACE_LOG": "local:\(bus.folder)/real", "MILLRACE_VIEWS": "sqlite:\(bus.folder)/views",
            ]
            let ended = try await demo(bus, "--only", "tickets,hits", "--seconds", "2", environment: elsewhere).end()
            try #require(ended.exit == 0, "\(ended)")
            for title in ["HITS of the last 5 s", "SEATS of the gala", "WORK done", "REPLAY of", "THE PAST", "NEXT"] {
                #expect(ended.out.contains(title), "\(title) \(ended)")
            }
            #expect(!ended.out.contains("TIMELINE") && !ended.out.contains("TAXIS"))
            let isOwn = { (line: String) in !line.contains(bus.folder) && !line.contains(Bus.program) }
            #expect(ended.out.split(separator: "\n").map(String.init).filter { isOwn($0) && $0.count > 80 } == [])
            // How far it has come is said while it goes on.
            #expect(ended.err.contains("1 of 2s: ") && ended.err.contains("commands decided"), "\(ended.err)")
            #expect(try leftovers(bus) == [])
            for folder in ["real", "views"] {
                #expect(!FileManager.default.fileExists(atPath: "\(bus.folder)/\(folder)"), "\(folder)")
            }
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `a signal ends it at once, shows nothing and leaves nothing`(_ signal: Int32) async throws {
        try await onBus { bus in
            let running = try demo(bus, "--seconds", "600", "--size", "8")
            try await eventually("the demo to be under way: \(running.err)") {
                running.err.contains("1 of 10m: ") ? true : nil
            }
            #expect(try leftovers(bus).count == 1)
            let told = ContinuousClock.now
            let ended = try await running.stop(signal)
            #expect(.now - told < .seconds(12), "\(ended)")
            #expect(ended.exit == 75, "\(ended)")
            #expect(ended.err.contains("stopped by \(signal == SIGINT ? "SIGINT" : "SIGTERM")"), "\(ended)")
            #expect(!ended.out.contains("WORK done") && !ended.out.contains("NEXT"), "\(ended)")
            #expect(try leftovers(bus) == [])
        }
    }

    /// The lines that a demo says come next, and the output of each that is a command with an answer.
    private func follow(_ ended: Ended, _ bus: Bus) async throws -> [(line: String, answer: String)] {
        let lines = ended.lines.drop { !$0.hasPrefix("NEXT") }.dropFirst().map { String($0.dropFirst(2)) }
        let answering = lines.indices.filter { lines[$0].hasPrefix(Bus.program) && !lines[$0].hasSuffix(" &") }
        let script = lines.indices.map { i in
            answering.contains(i) ? "\(lines[i]) > \(bus.folder)/answer-\(i)" : lines[i]
        }
        let shell = try Running(
            "/bin/sh", ["-c", (["set -e"] + script + ["wait"]).joined(separator: "\n")],
            environment: ["HOME": bus.folder, "TMPDIR": bus.folder + "/tmp"], cwd: bus.folder,
            scratch: bus.folder + "/scratch")
        let done = try await shell.end()
        try #require(done.exit == 0, "\(script.joined(separator: "\n"))\n\(done)")
        return try answering.map {
            (lines[$0], try String(contentsOfFile: "\(bus.folder)/answer-\($0)", encoding: .utf8))
        }
    }

    private func checkAnswers(_ answers: [(line: String, answer: String)]) throws {
        for (line, answer) in answers {
            #expect(!answer.isEmpty, "\(line)")
            if line.contains(" query ") { #expect(try JSON(answer)["rows"][0].members.count > 0, "\(line)\n\(answer)") }
            if line.contains(" send ") { #expect(try JSON(answer)["outcome"] == "accepted", "\(line)\n\(answer)") }
        }
    }

    @Test func `what it says comes next can be pasted into a shell, and each line has an answer`() async throws {
        try await onBus { bus in
            let ended = try await demo(bus, "--seconds", "1").end()
            try #require(ended.exit == 0, "\(ended)")
            let answers = try await follow(ended, bus)
            for word in [" demo ", " query social.timeline ", " query orders.status ", " replay ", " send ", " views"] {
                #expect(answers.contains { $0.line.contains(word) }, "\(word) \(answers.map(\.line))")
            }
            try checkAnswers(answers)
        }
    }

    @Test func `a folder that is kept is whole, and what comes next goes on with it`() async throws {
        try await onBus { bus in
            let ended = try await demo(bus, "--keep", "--only", "rides", "--only", "orders", "--seconds", "1").end()
            try #require(ended.exit == 0, "\(ended)")
            let folder = try #require(try leftovers(bus).first)
            #expect(ended.out.contains("export MILLRACE_LOG=local:\(bus.folder)/tmp/\(folder)"), "\(ended)")
            try checkAnswers(try await follow(ended, bus))
            let log = "local:\(bus.folder)/tmp/\(folder)"
            let verified = try await bus.plain(["verify", "--log", log])
            #expect(verified.exit == 0, "\(verified)")
        }
    }

    @Test func `a log that is given stays, and a domain that is not known is told`() async throws {
        try await onBus { bus in
            let ended = try await bus.run("demo", "--only", "hits", "--seconds", "1", "--fans", "2")
            #expect(ended.exit == 0 && ended.out.contains("export MILLRACE_LOG=\(bus.url)"), "\(ended)")
            #expect(try await bus.count("hits.events") > 100)
            let unknown = try await bus.plain(["demo", "--only", "ticket"])
            #expect(unknown.exit == 64 && unknown.err.contains("tickets"), "\(unknown)")
            let views = try await bus.plain(["demo", "--views", "sqlite:\(bus.folder)/v"])
            #expect(views.exit == 64 && views.err.contains("--views goes with --log"), "\(views)")
        }
    }

    @Test func `a domain that shows nothing of itself is not in it`() throws {
        let all = Domains.all + [Domain("silent", "Shows nothing.", descriptor: "")]
        #expect(try Demo.chosen([], of: all).map(\.name) == Domains.all.map(\.name))
        #expect(throws: Failure.self) { try Demo.chosen(["silent"], of: all) }
        #expect(try Demo.chosen(["tickets", "hits,orders"], of: all).map(\.name) == ["hits", "orders", "tickets"])
        #expect(throws: Failure.self) { try Demo.chosen([","], of: all) }
    }

    @Test func `the command line's demo names no domain`() throws {
        let folder = Bus.package + "/Sources/Serve/MillraceApp/Demo"
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) where file.hasSuffix(".swift") {
            let text = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8).lowercased()
            for name in Domains.all.map(\.name) {
                #expect(!text.contains(try Regex("\\b\(name)\\b")), "\(file) names \(name)")
            }
        }
    }

    @Test func `what does not fit in a line is cut, and a column that is not there is told`() throws {
        let columns = [Column("at", .timestamp), Column("text", .text), Column("amount", .integer)]
        let rows: [Row] = [[Value(Timestamp(1_793_534_400_123)), .text(String(repeating: "x", count: 200)), 7]]
        let page = Page(columns: columns, rows: rows)
        func layout(_ shown: [ShownColumn]) -> ExhibitLayout {
            ExhibitLayout(Exhibit("X", proves: "Y.", query: "q", as: .table(shown)))
        }
        let text = try layout(["amount", ShownColumn("at", as: "at, UTC"), "text"]).text([page, page])
        let lines = text.split(separator: "\n")
        #expect(lines.count == 3 && lines[0].hasPrefix("AMOUNT  AT, UTC   TEXT"), "\(text)")
        #expect(
            lines[1].hasPrefix("     7  12:00:00  xxx") && lines[1].count == 80 && lines[1].hasSuffix("…"), "\(text)")
        #expect(throws: Failure.self) { try layout(["other"]).text([page]) }
        let map = ExhibitLayout(
            Exhibit("X", proves: "Y.", query: "q", as: .map(lines: ["amount"], of: "text", signs: ["a": "A"])))
        let seats: [Row] = [[0, "a", 1], [0, "b", 1], [0, "a", 2]]
        #expect(try map.text([Page(columns: columns, rows: seats)]) == "  1  A?\n  2  A\n")
    }
}
