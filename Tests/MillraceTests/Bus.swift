import Foundation
import Synchronization
import TestSupport
import Testing

/// One log, in a folder of its own or on a broker, and the program to work on it in processes of their own.
final class Bus: Sendable {
    let folder: String
    let log: String
    /// What `--log` is given.
    let url: String
    /// The folder of the views, beside the log or, where that is on a broker, in the bus's own.
    let views: String
    /// Where the views are, other than in that folder.
    let viewsURL: String?
    private let scratch: String
    private let processes = Mutex<[Running]>([])

    /// The repository.
    static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The program, built beside the tests.
    static let program = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("millrace").path

    /// - Parameters:
    ///   - log: Where the log is to be, other than in the folder.
    ///   - broker: The `host:port` of the broker that has the log.
    ///   - viewsURL: Where the views are to be, other than in a folder.
    init(log: String? = nil, broker: String? = nil, viewsURL: String? = nil) throws {
        self.viewsURL = viewsURL
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("millrace-\(UUID().uuidString)").path
        self.log = log ?? folder + "/log"
        url = broker.map { "kafka://\($0)" } ?? "local:" + self.log
        views = (broker == nil ? self.log : folder) + "/views"
        scratch = folder + "/scratch"
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
    }

    func clear() async {
        for process in processes.withLock({ $0 }) where !process.hasEnded { try? await process.crash() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Starts the program on this log.
    func start(
        _ arguments: String..., stdin: String? = nil, cwd: String? = nil, environment: [String: String] = [:]
    ) throws -> Running {
        try start(arguments, stdin: stdin.map { Array($0.utf8) }, cwd: cwd, environment: environment)
    }

    func start(
        _ arguments: [String], stdin: [UInt8]? = nil, cwd: String? = nil, environment: [String: String] = [:]
    ) throws -> Running {
        // Without a folder of the log, the views would be in one that other buses on that broker share.
        let place = viewsURL ?? (url.hasPrefix("kafka:") ? "sqlite:" + views : nil)
        let places = place.map { ["MILLRACE_VIEWS": $0] } ?? [:]
        // Ports are the machine's: a test that serves says so.
        let usual = ["HOME": folder, "MILLRACE_HTTP": "off"]
        let environment = usual.merging(places) { $1 }.merging(environment) { $1 }
        let process = try Running(
            Self.program, arguments + (arguments.contains("--log") ? [] : ["--log", url]), stdin: stdin,
            environment: environment, cwd: cwd ?? folder, scratch: scratch)
        processes.withLock { $0.append(process) }
        return process
    }

    /// Starts another program.
    func start(program: String, _ arguments: [String]) throws -> Running {
        let process = try Running(
            program, arguments, stdin: nil, environment: ["HOME": folder], cwd: folder, scratch: scratch)
        processes.withLock { $0.append(process) }
        return process
    }

    /// Runs the program on this log to its end.
    @discardableResult
    func run(
        _ arguments: String..., stdin: String? = nil, cwd: String? = nil, environment: [String: String] = [:],
        within limit: Duration = .seconds(300)
    ) async throws -> Ended {
        try await start(arguments, stdin: stdin.map { Array($0.utf8) }, cwd: cwd, environment: environment)
            .end(within: limit)
    }

    /// Runs the program with exactly these arguments, or another one.
    func plain(
        _ arguments: [String], program: String = Bus.program, stdin: [UInt8]? = nil, cwd: String? = nil,
        environment: [String: String] = [:]
    ) async throws -> Ended {
        try await Running(
            program, arguments, stdin: stdin, environment: ["HOME": folder].merging(environment) { $1 },
            cwd: cwd ?? folder, scratch: scratch
        ).end()
    }

    /// Runs the program on this log in a terminal; gives what it shows there.
    ///
    /// - Parameter errorsToo: Whether standard error is the terminal too.
    func inTerminal(
        _ columns: Int, _ arguments: [String], errorsToo: Bool = false, environment: [String: String] = [:]
    ) async throws -> Ended {
        let terminal = try PseudoTerminal(columns: columns)
        let usual = ["HOME": folder, "TERM": "xterm-256color", "NO_COLOR": "", "COLUMNS": "", "MILLRACE_HTTP": "off"]
        let process = try Running(
            Self.program, arguments + (Self.isWithoutLog(arguments) ? [] : ["--log", url]),
            environment: usual.merging(environment) { $1 }, cwd: folder, scratch: scratch, terminal: terminal,
            errorsToo: errorsToo)
        processes.withLock { $0.append(process) }
        var ended = try await process.end()
        ended.out = try await terminal.end()
        return ended
    }

    /// Whether a command line reads no log, or asks for help.
    private static func isWithoutLog(_ arguments: [String]) -> Bool {
        ["events", "views"].contains(arguments.first) || arguments.contains("--help")
    }

    /// Runs a script of the shell.
    func sh(_ script: String) async throws -> Ended { try await plain(["-c", script], program: "/bin/sh") }

    /// Starts workers, and waits until they say that they work.
    func work(_ names: String...) async throws -> Running { try await work(names) }

    func work(_ names: [String]) async throws -> Running {
        let worker = try start(["work"] + names)
        try await eventually("\(worker.name) to work: \(worker.err)") { worker.err.contains("working:") ? true : nil }
        return worker
    }

    /// Writes a file into the folder.
    func file(_ name: String, _ text: String) throws -> String { try file(name, Array(text.utf8)) }

    func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        return "\(folder)/\(name)"
    }
}

extension Bus {
    /// Sends a command and expects it to be accepted or refused.
    @discardableResult
    func send(_ arguments: String..., refused: Bool = false, at place: SourceLocation = #_sourceLocation) async throws
        -> JSON
    {
        let ended = try await start(["send"] + arguments + ["--timeout", "40s"]).end()
        try #require(ended.exit == (refused ? 1 : 0), "\(ended)", sourceLocation: place)
        let outcome = try JSON(ended.out)
        #expect(outcome["outcome"] == (refused ? "refused" : "accepted"), sourceLocation: place)
        return outcome
    }

    func query(_ arguments: String..., at place: SourceLocation = #_sourceLocation) async throws -> JSON {
        let ended = try await start(["query"] + arguments).end()
        try #require(ended.exit == 0, "\(ended)", sourceLocation: place)
        return try JSON(ended.out)
    }

    /// The records of a topic as replay prints them.
    func replay(_ arguments: String..., at place: SourceLocation = #_sourceLocation) async throws -> [JSON] {
        let ended = try await start(["replay"] + arguments).end()
        try #require(ended.exit == 0, "\(ended)", sourceLocation: place)
        return try ended.lines.map { try JSON($0) }
    }

    func count(_ topic: String) async throws -> Int {
        let ended = try await run("replay", topic, "--count")
        return try #require(Int(ended.out.trimmingCharacters(in: .newlines)), "\(ended)")
    }

    /// Waits until no worker has anything left to read.
    func settle(within limit: Duration = .seconds(300)) async throws {
        let ended = try await run(
            "lag", "--sum", "--wait", "\(limit.components.seconds)s", within: limit + .seconds(20))
        try #require(ended.exit == 0, "\(ended)")
    }

    /// Kills projectors in the middle of an import's records, at least one, each after it has committed something. On a busy
    /// machine the import is over first, and there is as much to fold.
    func killProjectors(duringImportOf records: Int, into view: String) async throws {
        // Where one folds all of it before it can be stopped, there was no middle: it begins again with an empty view.
        for _ in 0..<10 {
            if try await killProjectorsOnce(duringImportOf: records, into: view) > 0 { return }
            for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: view + end) }
        }
        Issue.record("ten projectors folded \(records) records before they could be stopped")
    }

    /// How many were killed.
    private func killProjectorsOnce(duringImportOf records: Int, into view: String) async throws -> Int {
        var (folded, kills) = (0, 0)
        while kills < 3 && folded < records {
            let worker = try await work("projector")
            // It stands still while it is looked at, for a look takes longer than the rest of the work.
            folded = try await eventually("the projector to fold past \(folded): \(worker.err)") {
                let began = ContinuousClock.now
                worker.send(SIGSTOP)
                if let now = (try? Tables(view))?.folded, now > folded { return now }
                worker.send(SIGCONT)
                // It works for as long as it stood still, at least.
                try await Task.sleep(for: .now - began)
                return nil
            }
            try await worker.crash()
            if folded < records { kills += 1 }
        }
        return kills
    }

    /// Lists an event with one section, and waits for it to be open.
    func list(_ event: String = "e1", rows: Int = 1, seats: Int = 5) async throws {
        let row = (0..<rows).map { #"{"label":"\#(Character(UnicodeScalar(65 + UInt8($0))))","seats":\#(seats)}"# }
        let section = """
            [{"name":"stalls","rows":[\(row.joined(separator: ","))],"price":{"amount":4500,"currency":"EUR"}}]
            """
        try await send(
            "ListEvent", "--event", event, "--title", "Tosca", "--venue", "Opera", "--starts-at",
            "2027-01-01T19:30:00Z",
            "--sections", section)
        try await eventually("the section to open") {
            try await query("tickets.sections", "--event", event)["rows"].array.isEmpty ? nil : true
        }
    }
}

/// Makes a bus for one test, and ends its processes and removes its folder whatever comes of the test.
func onBus(
    log: String? = nil, broker: String? = nil, viewsURL: String? = nil, _ test: (Bus) async throws -> Void
) async throws {
    let bus = try Bus(log: log, broker: broker, viewsURL: viewsURL)
    do {
        try await test(bus)
    } catch {
        await bus.clear()
        throw error
    }
    await bus.clear()
}
