import EventLog
import EventModel
import Foundation
import Synchronization

@testable import LocalLog

/// A folder for a local log, and what the log complained of. One test's.
final class LocalSite: Sendable {
    let folder = NSTemporaryDirectory() + "millrace-test-" + UUID().uuidString
    private let said = Mutex<[String]>([])

    var complaints: [String] { said.withLock { $0 } }

    /// Opens the log, runs the test and closes it.
    func withLog<R>(_ change: (inout LocalSettings) -> Void = { _ in }, _ body: (LocalLog) async throws -> R)
        async throws -> R
    {
        try await open(change).closed(after: body)
    }

    func open(_ change: (inout LocalSettings) -> Void = { _ in }) async throws -> LocalLog {
        var settings = LocalSettings { [self] text in said.withLock { $0.append(text) } }
        change(&settings)
        return try await LocalLog.open(directory: folder, settings)
    }

    func clear() { try? FileManager.default.removeItem(atPath: folder) }
}

extension Topic {
    init(_ name: String, _ partitions: Int, cleanup: Topic.Cleanup = .delete, clock: Topic.Clock = .event) {
        self.init(
            name, partitions: partitions, cleanup: cleanup, clock: clock, key: "key", schema: "test.Event",
            owner: "tests")
    }
}
