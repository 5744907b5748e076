internal import Foundation
internal import Synchronization

/// Hears what others commit even where no ring comes: who is killed between its commit and its ring tells nobody, and not
/// everyone may watch the doorbell. It looks at SQLite's count of others' commits now and then, while anybody waits.
final class Listener: Sendable {
    /// From one look to the next where the doorbell is watched.
    static let distrust = Duration.milliseconds(500)
    /// The same where it is not: after something was heard, and after long silence.
    static let nearest = Duration.milliseconds(2)
    static let furthest = Duration.milliseconds(20)
    /// How often it is tried to watch the doorbell after all.
    static let retry = Duration.seconds(1)

    private struct State {
        var version: Int64?
        var pause = Listener.nearest
        var retryAt = ContinuousClock.now + Listener.retry
        var closed = false
    }
    private let doorbell: CommitNotifier?
    private let version: @Sendable () -> Int64?
    private let isAwaited: @Sendable () -> Bool
    private let heard: @Sendable () -> Void
    private let state: Mutex<State>
    private let queue = DispatchQueue(label: "millrace.listener")

    /// - Parameters:
    ///   - doorbell: Nil where there is none, as for a log that may only be read.
    ///   - version: Counts the commits of others.
    init(
        _ doorbell: CommitNotifier?, version: @escaping @Sendable () -> Int64?,
        isAwaited: @escaping @Sendable () -> Bool,
        heard: @escaping @Sendable () -> Void
    ) {
        (self.doorbell, self.version, self.isAwaited, self.heard) = (doorbell, version, isAwaited, heard)
        state = Mutex(State(version: version()))
        again(after: doorbell?.watch() ?? false ? Self.distrust : Self.nearest)
    }

    private func again(after pause: Duration) {
        queue.asyncAfter(deadline: .now() + .microseconds(Int(pause / .microseconds(1)))) { [weak self] in
            self?.look()
        }
    }

    private func look() {
        if state.withLock(\.closed) { return }
        let isNews = isAwaited() && isNewVersion()
        if isNews { heard() }
        again(
            after: isWatched()
                ? Self.distrust
                : state.withLock { state in
                    state.pause = isNews ? Self.nearest : min(state.pause * 1.25, Self.furthest)
                    return state.pause
                })
    }

    private func isNewVersion() -> Bool {
        guard let version = version() else { return false }
        return state.withLock { state in
            defer { state.version = version }
            return state.version != version
        }
    }

    private func isWatched() -> Bool {
        guard let doorbell else { return false }
        let isTime = state.withLock { state in
            if state.retryAt > .now { return false }
            state.retryAt = .now + Self.retry
            return true
        }
        return isTime ? doorbell.watch() : doorbell.isWatched
    }

    func ring() { doorbell?.ring() }

    /// Looks no more, and waits for a look that is under way.
    func close() {
        state.withLock { $0.closed = true }
        queue.sync {}
    }
}
