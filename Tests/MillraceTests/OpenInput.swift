import Foundation
import TestSupport

/// A pipe with a name that stays open: what is written into it is there at once, and its end comes when it is closed.
final class OpenInput {
    let path: String
    private var descriptor: Int32

    init(_ bus: Bus) throws {
        path = "\(bus.folder)/pipe-\(UUID().uuidString)"
        guard mkfifo(path, 0o600) == 0 else { throw Overdue(description: "\(path) cannot be made") }
        // To read and write, so that neither side waits for the other to open it.
        descriptor = open(path, O_RDWR | O_CLOEXEC)
    }

    deinit { if descriptor >= 0 { Foundation.close(descriptor) } }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
    }

    func close() {
        Foundation.close(descriptor)
        descriptor = -1
    }
}

extension Bus {
    /// Starts the program with a pipe as its standard input.
    func start(_ arguments: [String], reading input: OpenInput) throws -> Running {
        let words = (arguments + ["--log", url]).map { "'\($0)'" }.joined(separator: " ")
        return try start(program: "/bin/sh", ["-c", "exec \(Bus.program) \(words) < \(input.path)"])
    }
}

extension Running {
    /// What it has said so far, once there are so many lines.
    func lines(_ count: Int) async throws -> [String] {
        try await eventually("\(count) lines of \(name), which said \(out)\(err)", within: .seconds(300)) {
            let lines = out.split(separator: "\n").map(String.init)
            return lines.count >= count ? lines : nil
        }
    }
}
