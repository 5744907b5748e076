import Foundation
import Synchronization
import TestSupport
import Testing

/// The broker of `MILLRACE_TEST_KAFKA=host:port`. Its topics have fixed names, and it may have been used before: each test
/// has names of its own, and looks only at what they name.
enum Broker {
    static let address = ProcessInfo.processInfo.environment["MILLRACE_TEST_KAFKA"]
    static let absent: Comment = "set MILLRACE_TEST_KAFKA=host:port"

    static let kcat = ["/usr/bin", "/usr/local/bin", "/opt/homebrew/bin"].map { $0 + "/kcat" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// A script of the shell that gets `kill`, `start`, `pause` or `unpause` as `$1` and does that to the broker.
    static let control = ProcessInfo.processInfo.environment["MILLRACE_TEST_KAFKA_CONTROL"]

    static func control(_ verb: String) async throws {
        let folder = FileManager.default.temporaryDirectory.path
        let done = try await Running(
            "/bin/sh", ["-c", try #require(control), "control", verb],
            environment: ["HOME": ProcessInfo.processInfo.environment["HOME"] ?? folder], cwd: folder, scratch: folder
        ).end(within: .seconds(300))
        try #require(done.exit == 0, "\(done)")
    }

    private static let run = String(UInt64(Date.now.timeIntervalSince1970 * 1000), radix: 36)
    private static let count = Atomic(0)

    /// A name that no other test, and no other run against the same broker, uses, and that is no part of another.
    static func name() -> String { "run-\(run)-\(count.add(1, ordering: .relaxed).newValue)-" }

    /// The same for what must be short and have no hyphen: a handle may have 20 characters.
    static func handle() -> String { "r\(run)\(count.add(1, ordering: .relaxed).newValue)x" }
}

/// Makes a bus on the broker, with the topics there.
func onBroker(_ test: (Bus) async throws -> Void) async throws {
    let address: String = try #require(Broker.address)
    try await onBus(broker: address) { bus in
        let applied = try await bus.run("topics", "apply")
        try #require(applied.exit == 0, "\(applied)")
        try await test(bus)
    }
}
