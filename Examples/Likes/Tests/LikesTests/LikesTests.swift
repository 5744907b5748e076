import Foundation
import Millrace
import MillraceBus
import Testing

@testable import LikesDomain

@Suite("Likes, embedded", .timeLimit(.minutes(10)))
struct LikesEmbedded {
    @Test func `a program sends, reads its own writes, and follows the events`() async throws {
        try await withFolder { folder in
            let seen = try await Bus.with(log: "local:\(folder)", domains: [.likes]) { bus in
                let like = LikesLikeThing.with { ($0.thing, $0.person) = ("tea", "ann") }
                let first = try await bus.send(like, id: "1", within: .seconds(300))
                #expect(first.accepted && first.events.map(\.type) == ["ThingLiked"])
                // The same id is the same command; another one is refused.
                #expect(try await bus.send(like, id: "1", within: .seconds(300)) == first)
                let again = try await bus.send(
                    "LikeThing", json: #"{"thing":"tea","person":"ann"}"#, within: .seconds(300))
                #expect(again.reason == "liked-already")
                #expect(throws: Refused.self) { try again.get() }

                let answer = try await bus.query(
                    "likes.count", ["thing": "tea"], after: first.places, within: .seconds(300))
                #expect(answer.rows.map { $0["likes"] } == [1])
                var events: [RecordedEvent] = []
                for try await event in bus.events("likes.events", following: false) { events.append(event) }
                return events
            }
            #expect(seen.map(\.type) == ["ThingLiked"])
            #expect(
                try seen[0].content(LikesEvent.self) == .thingLiked(.with { ($0.thing, $0.person) = ("tea", "ann") }))
        }
    }

    @Test func `what nobody has is refused by name`() async throws {
        try await withFolder { folder in
            try await Bus.with(log: "local:\(folder)", domains: [.likes]) { bus in
                await #expect(throws: UnknownName.self) { try await bus.query("likes.cuont", ["thing": "tea"]) }
                await #expect(throws: BusError.self) { try await bus.query("likes.count") }
                await #expect(throws: BusError.self) { try await bus.query("likes.count", ["thing": 1]) }
                await #expect(throws: UnknownName.self) { try await bus.query("likes.count", ["thing": "a", "x": 1]) }
                await #expect(throws: UnknownName.self) { try await bus.send("Like", json: "{}") }
                await #expect(throws: UnknownName.self) { try await bus.send(LikesThingLiked()) }
                await #expect(throws: Malformed.self) { try await bus.send(LikesLikeThing()) }
            }
        }
        await #expect(throws: BusError.self) { try await Bus(log: "likes", domains: [.likes]) }
    }

    @Test func `a follower gets what comes, and facts are admitted or refused`() async throws {
        try await withFolder { folder in
            try await Bus.with(log: "local:\(folder)", domains: [.likes]) { bus in
                let liked = (1...3).map { n in LikesThingLiked.with { ($0.thing, $0.person) = ("tea", "p\(n)") } }
                try await bus.produce([liked[0]], within: .seconds(300))
                var people: [String] = []
                for try await event in bus.events("likes.events") {
                    if case .thingLiked(let like)? = try event.content(LikesEvent.self) { people.append(like.person) }
                    if people.count == liked.count { break }
                    try await bus.produce([liked[people.count]], within: .seconds(300))
                }
                #expect(people == ["p1", "p2", "p3"])
                // As a fact it is no legal next event any more.
                await #expect(throws: Refused.self) { try await bus.produce(liked, within: .seconds(300)) }
            }
        }
    }
}

@Suite("Likes, by the command line", .timeLimit(.minutes(10)))
struct LikesCommandLine {
    @Test func `it has every command: up, send, query, replay, verify`() async throws {
        try await withFolder { folder in
            let likes = Program("likes", log: folder)
            #expect(try likes.run("views").contains(#""projection":"likes.counts""#))
            #expect(try likes.run("send", "LikeThing", "--help").contains("The thing that is liked."))
            let up = try likes.start("up")
            defer { up.terminate() }
            let like = ["send", "LikeThing", "--thing", "tea", "--person", "ann", "--timeout", "60s"]
            let outcome = try likes.run(like)
            #expect(outcome.contains(#""outcome":"accepted""#))
            #expect(try likes.run(like, exit: 1).contains(#""reason":"liked-already""#))
            let place = try #require(outcome.firstMatch(of: /"partition":(\d+),"offset":(\d+)/))
            let after = "likes.events/\(place.1)@\(place.2)"
            #expect(
                try likes.run("query", "likes.count", "--thing", "tea", "--after", after, "--timeout", "60s")
                    .contains(#"{"thing":"tea","likes":1}"#))
            #expect(try likes.run("replay", "likes.events").contains(#"{"thing":"tea","person":"ann"}"#))
            #expect(try likes.run("verify").contains(#""problem":null"#))
            #expect(try likes.run(["send", "HoldSeats"], exit: 64).isEmpty)
        }
    }

    @Test func `nothing that it says names another program`() async throws {
        try await withFolder { folder in
            let likes = Program("likes", log: folder)
            let lines = [
                "--help", "send --help", "send LikeThing --help", "produce ThingLiked --help", "query --help",
                "query likes.count --help", "replay --help", "up --help", "work --help", "lag --help", "health --help",
                "verify --help", "rebuild --help", "snapshot --help", "topics --help", "topics check --help",
                "quarantine --help", "events --help", "views --help", "import --help", "demo --help", "new --help",
                "nothing", "send Nothing", "query nothing", "query likes.count", "replay nothing.events", "work nobody",
                "send LikeThing --thing tea --person ann --timeout 1ms", "query likes.count --thing tea",
                "rebuild likes.counts --rollback", "topics describe nothing", "quarantine redrive likes.counts k",
                "verify --invariants --at-rest", "demo --seconds 1 --size 3", "--generate-completion-script zsh",
            ]
            for line in lines {
                let said = try likes.all(line.split(separator: " ").map(String.init))
                // Topics, packages and folders are called that; a program is where a command follows or it speaks.
                let other = said.split(separator: "\n").filter { $0.contains(/(^|[^\w.\/~:-])millrace( |:|$)/) }
                #expect(!said.isEmpty && other.isEmpty, "\(line): \(other)")
            }
        }
    }

    @Test func `its demo shows the domain`() async throws {
        try await withFolder { folder in
            let shown = try Program("likes", log: folder).run("demo", "--seconds", "1", "--size", "3")
            for text in [
                "PEOPLE WHO LIKE IT", "commands accepted", "THE PAST: LIKES", "ThingLiked  t", "likes.count --thing t1",
            ] {
                #expect(shown.contains(text), "\(text) \(shown)")
            }
        }
    }

    @Test func `the embedding program says what it did`() async throws {
        try await withFolder { folder in
            let out = try Program("embedded", log: folder).run(folder)
            #expect(
                out.contains(
                    "ann likes tea\ntea has 1 likes\nben likes tea\ntea has 2 likes\nann: you like tea already"))
            #expect(out.contains(": ben likes tea"))
        }
    }
}

/// A folder that is gone afterwards.
private func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("likes-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await body(folder)
}

/// An executable of this package, run on a log of its own.
private struct Program {
    let path: String
    let environment: [String: String]

    init(_ name: String, log folder: String) {
        // The test's own executable stands in the same folder.
        path =
            URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(name).path
        environment = ProcessInfo.processInfo.environment.merging(["MILLRACE_LOG": "local:\(folder)"]) { $1 }
    }

    func start(_ arguments: String...) throws -> Process {
        let process = Process()
        (process.executableURL, process.arguments) = (URL(fileURLWithPath: path), arguments)
        (process.environment, process.standardError) = (environment, FileHandle.nullDevice)
        try process.run()
        return process
    }

    func run(_ arguments: String..., exit: Int32 = 0) throws -> String { try run(arguments, exit: exit) }

    /// What it says on standard output and on standard error, however it ends.
    func all(_ arguments: [String]) throws -> String {
        let (process, out) = (Process(), Pipe())
        (process.executableURL, process.arguments) = (URL(fileURLWithPath: path), arguments)
        (process.environment, process.standardOutput, process.standardError) = (environment, out, out)
        try process.run()
        let text = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text
    }

    func run(_ arguments: [String], exit: Int32 = 0) throws -> String {
        let (process, out) = (Process(), Pipe())
        (process.executableURL, process.arguments) = (URL(fileURLWithPath: path), arguments)
        (process.environment, process.standardOutput) = (environment, out)
        try process.run()
        let text = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == exit, "\(arguments)")
        return text
    }
}
