internal import Foundation
internal import TestSupport

/// A Redis server of this program's own, and its own redis-benchmark.
final class Redis: Sendable {
    private static let folders = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"]
    private let server: Running
    private let socket: String
    private let folder: String

    /// Nil where there is none on this machine.
    init?(folder: String) {
        guard let program = Self.program("redis-server"), Self.program("redis-benchmark") != nil else { return nil }
        self.folder = folder
        socket = folder + "/redis.sock"
        let settings = ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", folder]
        guard let running = try? Running(program, settings, cwd: folder, scratch: folder) else { return nil }
        server = running
    }

    private static func program(_ name: String) -> String? {
        folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// How many of a command it does a second, 100 at a time, over 40,000 keys; nothing is written to a disk.
    func rate(_ command: String...) async throws -> Double {
        guard let program = Self.program("redis-benchmark") else { return 0 }
        try await eventually("Redis to start") { FileManager.default.fileExists(atPath: socket) ? true : nil }
        let ended = try await Running(
            program, ["-s", socket, "-n", "1000000", "-r", "40000", "-P", "100", "-c", "4", "--csv"] + command,
            cwd: folder,
            scratch: folder
        ).end(within: .seconds(120))
        // "test","rps",...
        guard ended.exit == 0, let line = ended.lines.last else {
            throw Overdue(description: "redis-benchmark: \(ended)")
        }
        let fields = line.split(separator: "\",\"")
        guard fields.count > 1, let rate = Double(fields[1]) else {
            throw Overdue(description: "redis-benchmark said \(line)")
        }
        return rate
    }

    func close() async { _ = try? await server.stop() }
}
