internal import Dispatch
internal import Foundation
package import ServiceLifecycle
internal import Synchronization

/// Bounds how long a process takes to stop: what has not ended then is named, and the process ends without it.
///
/// Nothing is lost by that, as nothing is by a kill: what was committed is. It goes by a thread of its own, for what hangs may
/// hold up all others.
package final class Grace: Sendable {
    /// That of the process, while it runs workers.
    @TaskLocal package static var current: Grace?

    /// How long a stop may take, unless `MILLRACE_GRACE` says otherwise. Docker and the compose file kill after 30 s.
    package static let limit = Duration.seconds(25)

    private struct State {
        var running: [String] = []
        /// Those that were told to stop. A group of services tells some only when others have ended.
        var told: Set<String> = []

        /// What is to be named: who was told and has not ended, or where nobody was, who runs.
        var hung: [String] {
            let told = running.filter(told.contains)
            return told.isEmpty ? running : told
        }
        var why: String?
        var isEnding = false
        var isOver = false
    }
    private let limit: Duration
    private let end: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameter end: Ends the process with a word of what hung.
    package init(_ limit: Duration, end: @escaping @Sendable (String) -> Void) {
        (self.limit, self.end) = (limit, end)
    }

    /// As the environment sets it.
    package static func set(_ environment: [String: String] = ProcessInfo.processInfo.environment) throws -> Duration {
        guard let text = environment["MILLRACE_GRACE"], !text.isEmpty else { return limit }
        guard let grace = Duration(short: text), grace > .zero else {
            throw BusError(.configuration, "MILLRACE_GRACE is \(text), which is no time such as 25s")
        }
        return grace
    }

    /// Notes that something runs until the body returns.
    package func during<R>(_ name: String, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> R)
        async rethrows -> R
    {
        state.withLock { $0.running.append(name) }
        defer {
            state.withLock { state in
                if let i = state.running.firstIndex(of: name) { state.running.remove(at: i) }
            }
        }
        return try await body()
    }

    /// Runs what has workers, and whatever closes behind them.
    package static func bounding<R>(
        end: @escaping @Sendable (String) -> Void, _ body: () async throws -> R
    ) async throws -> R {
        let grace = Grace(try set(), end: end)
        defer { grace.over() }
        endAtOnce()
        return try await $current.withValue(grace) { try await body() }
    }

    /// Until the workers listen to signals themselves nothing has begun that would have to be ended.
    private static func endAtOnce() {
        for number in [SIGTERM, SIGINT] { signal(number) { _ in _exit(0) } }
    }

    /// Somebody was told to stop.
    package func tell(_ name: String) { state.withLock { _ = $0.told.insert(name) } }

    /// Why it stops, where something failed.
    package func note(_ error: any Error) {
        if error is CancellationError { return }
        state.withLock { $0.why = $0.why ?? String(describing: error) }
    }

    /// From now on the time counts: the process was told to stop, or a part of it has ended.
    package func begin() {
        let isFirst = state.withLock { state in
            defer { state.isEnding = true }
            return !state.isEnding && !state.isOver
        }
        guard isFirst else { return }
        let left = limit / .milliseconds(1)
        DispatchQueue(label: "millrace.grace").asyncAfter(deadline: .now() + .milliseconds(Int(left))) { [self] in
            let (hung, why) = state.withLock { ($0.isOver ? nil : $0.hung, $0.why) }
            guard let hung else { return }
            let names = hung.isEmpty ? "the log and the views, which were being closed" : hung.joined(separator: ", ")
            let reason = why.map { "; it was to stop for: \($0)" } ?? ""
            end("not stopped within \(limit.short): \(names). Nothing that was committed is lost\(reason)")
        }
    }

    /// Everything has ended.
    package func over() { state.withLock { $0.isOver = true } }
}

/// A service whose end, or the wish for it, starts the grace of the process.
package struct Bounded: Service, CustomStringConvertible {
    let service: any Service
    let grace: Grace?
    package var description: String { "\(service)" }

    package init(_ service: any Service, by grace: Grace? = Grace.current) {
        (self.service, self.grace) = (service, grace)
    }

    package func run() async throws {
        do {
            try await runNoted()
        } catch is CancellationError where Task.isShuttingDownGracefully {
            // It was told to stop before it had begun: nothing failed.
        }
    }

    private func runNoted() async throws {
        guard let grace else { return try await service.run() }
        defer { grace.begin() }
        do {
            try await grace.during(description) {
                try await withGracefulShutdownHandler {
                    try await service.run()
                } onGracefulShutdown: {
                    grace.tell(description)
                    grace.begin()
                }
            }
        } catch {
            grace.note(error)
            throw error
        }
    }
}
