import Foundation
import TestSupport

/// Runs a document's commands as a reader would: one after another in one shell, in an empty folder, on a fresh log.
struct Shell {
    /// What became of a document's blocks.
    struct Ended {
        /// The exit code of the first block that failed, else 0.
        var exit: Int32
        /// How many blocks were begun.
        var begun: Int
        /// Of each block that was begun, what it and its background processes printed.
        var outputs: [[String]]
    }

    /// The program, built beside the tests.
    static let program = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("millrace").path

    static func run(_ blocks: [String]) async throws -> Ended {
        let files = FileManager.default
        let folder = files.temporaryDirectory.appendingPathComponent("millrace-document-\(UUID().uuidString)").path
        for name in ["bin", "blocks", "out", "work"] {
            try files.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        defer { try? files.removeItem(atPath: folder) }
        try files.createSymbolicLink(atPath: folder + "/bin/millrace", withDestinationPath: program)
        // Outputs are taken before background processes are stopped, so that what these say of stopping is not in them.
        var script = """
            set -e -o pipefail
            trap 'status=$?; set +e; cp -r ../out ../seen; kill $(jobs -p) 2>/dev/null; wait; exit $status' EXIT

            """
        for (i, block) in blocks.enumerated() {
            try (block + "\n").write(toFile: "\(folder)/blocks/\(i)", atomically: true, encoding: .utf8)
            script += "cd \"$TOP/work\"; . ../blocks/\(i) >../out/\(i) 2>&1\n"
        }
        script += "cd \"$TOP/work\"\n"
        try script.write(toFile: folder + "/script", atomically: true, encoding: .utf8)
        var environment = ProcessInfo.processInfo.environment
        environment["MILLRACE_VIEWS"] = nil
        environment["MILLRACE_LOG"] = "local:\(folder)/log"
        // Where a document does not say it, any port that is free.
        environment["MILLRACE_HTTP"] = "127.0.0.1:0"
        environment["HOME"] = folder
        environment["TOP"] = folder
        environment["PATH"] = "\(folder)/bin:\(environment["PATH"] ?? "/usr/bin:/bin")"
        let exit = try await bash([folder + "/script"], in: folder + "/work", environment)
        let outputs = blocks.indices.prefix { files.fileExists(atPath: "\(folder)/seen/\($0)") }.map { i in
            let text = (try? String(contentsOfFile: "\(folder)/seen/\(i)", encoding: .utf8)) ?? ""
            return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
        return Ended(exit: exit, begun: outputs.count, outputs: outputs)
    }

    private static func bash(_ arguments: [String], in folder: String, _ environment: [String: String]) async throws
        -> Int32
    {
        let shell = try Running(
            "/usr/bin/env", ["bash"] + arguments, environment: environment, cwd: folder, scratch: folder)
        return try await withTaskCancellationHandler {
            try await shell.end(within: .seconds(900)).exit
        } onCancel: {
            // The shell stops what it has started when it is told to end.
            shell.send(SIGTERM)
        }
    }

    /// What the program prints.
    static func millrace(_ arguments: String) async throws -> [String] {
        try await run(["millrace \(arguments)"]).outputs.first ?? []
    }
}
