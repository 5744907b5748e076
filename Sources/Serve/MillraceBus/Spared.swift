internal import CoreMetrics
internal import EventLog
internal import Projecting
internal import ServiceLifecycle
internal import Synchronization

/// A worker whose damaged database, or a topic of its own that is gone, stops it and no other of its process, as long as there
/// are others.
///
/// What it failed of is thrown once the process stops: starting it anew would not help.
struct Spared: Service, CustomStringConvertible {
    /// How many workers of a process still work.
    final class Crew: Sendable {
        private let left: Mutex<Int>
        init(_ count: Int) { left = Mutex(count) }
        /// Whether others go on when one stops.
        func goesOn() -> Bool {
            left.withLock { left in
                left -= 1
                return left > 0
            }
        }
    }

    private final class Failed: Sendable { let error = Mutex<(any Error)?>(nil) }

    private let worker: any Service
    private let name: String
    private let crew: Crew
    /// 1 while it runs.
    private let running: Meter
    private let tell: Notice
    private let failed = Failed()
    var description: String { name }

    init(_ worker: any Service, _ name: String, of crew: Crew, running: Meter, tell: @escaping Notice) {
        (self.worker, self.name, self.crew, self.running, self.tell) = (worker, name, crew, running, tell)
    }

    /// What it has stopped of.
    var failure: (any Error)? { failed.error.withLock { $0 } }

    func run() async throws {
        do {
            running.set(1)
            defer { running.set(0) }
            try await worker.run()
        } catch let error as ViewError where error.kind == .damaged {
            try await goOn(without: error, error.message)
        } catch let error as LogError where error.kind == .unknownTopic {
            try await goOn(without: error, error.message)
        }
    }

    private func goOn(without error: any Error, _ message: String) async throws {
        guard crew.goesOn() else { throw error }
        failed.error.withLock { $0 = error }
        tell("\(name) has stopped, and the other workers go on: \(message)")
        try await gracefulShutdown()
    }
}
