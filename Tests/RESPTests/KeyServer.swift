import Foundation
import TestSupport
import Testing

/// A log in a folder of its own, and processes that serve it.
final class KeyServers {
    let folder: String
    private var processes: [Running] = []
    /// The program beside the tests, or another build of it, as an optimized one.
    private static let program =
        ProcessInfo.processInfo.environment["MILLRACE_PROGRAM"]
        ?? URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("millrace").path

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("millrace-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    func start(_ arguments: String...) throws -> Running {
        let process = try Running(
            Self.program, arguments + ["--log", "local:\(folder)/log"],
            environment: ["HOME": folder, "MILLRACE_HTTP": "off"], cwd: folder, scratch: folder)
        processes.append(process)
        return process
    }

    /// Starts a process that serves; gives its port once it does.
    func serve(_ arguments: String...) async throws -> (process: Running, port: Int) {
        let process = try Running(
            Self.program, ["kv", "serve", "--port", "0", "--log", "local:\(folder)/log"] + arguments,
            environment: ["HOME": folder], cwd: folder, scratch: folder)
        processes.append(process)
        return (process, try await Self.port(of: process))
    }

    /// Runs the program to its end, without a log.
    func plain(_ arguments: String...) async throws -> Ended {
        try await Running(
            Self.program, arguments, environment: ["HOME": folder], cwd: folder, scratch: folder
        ).end()
    }

    /// Runs the program on this log to its end.
    func run(_ arguments: [String], within limit: Duration = .seconds(300)) async throws -> Ended {
        try await Running(
            Self.program, arguments + ["--log", "local:\(folder)/log"],
            environment: ["HOME": folder, "MILLRACE_HTTP": "off"], cwd: folder, scratch: folder
        ).end(within: limit)
    }
    func run(_ arguments: String...) async throws -> Ended { try await run(arguments) }

    /// Runs another program to its end.
    func other(_ program: String, _ arguments: String...) async throws -> Ended {
        try await Running(program, arguments, cwd: folder, scratch: folder).end()
    }

    static func port(of process: Running) async throws -> Int {
        try await eventually("\(process.name) to serve: \(process.err)", within: .seconds(300)) {
            process.err.split(separator: "\n").first { $0.contains("serving kv on") }
                .flatMap { $0.split(separator: ":").last.flatMap { Int($0) } }
        }
    }

    func clear() async {
        for process in processes where !process.hasEnded { try? await process.crash() }
        try? FileManager.default.removeItem(atPath: folder)
    }

    static func with(_ body: (KeyServers) async throws -> Void) async throws {
        let servers = try KeyServers()
        do {
            try await body(servers)
        } catch {
            await servers.clear()
            throw error
        }
        await servers.clear()
    }
}
