internal import Foundation
internal import Synchronization

/// Lets a thread that waits in the kernel look up now and then, by a signal that does nothing else.
///
/// A wait for a file lock knows no time limit of its own, and one that tries again and again loses its place in the queue.
/// The signal is SIGURG, which is ignored unless somebody wants it, and goes to the thread that waits alone.
final class Interruption: Sendable {
    private struct State {
        var thread: pthread_t?
        var isArmed = false
    }
    private let state = Mutex(State())
    private let interval: Duration
    private static let clock = DispatchQueue(label: "millrace.interruptions")

    /// What is interrupted comes back with EINTR only where a signal has a handler that does not start it again.
    private static let hasHandler: Bool = {
        var there = sigaction()
        guard sigaction(SIGURG, nil, &there) == 0 else { return false }
        guard there.__sigaction_handler.sa_handler == nil else { return true }
        var ours = sigaction()
        ours.__sigaction_handler.sa_handler = { _ in }
        return sigaction(SIGURG, &ours, nil) == 0
    }()

    init(every interval: Duration) { self.interval = interval }

    /// Runs a wait of this thread. One thread's at a time.
    func interrupting<R>(_ wait: () throws -> R) rethrows -> R {
        guard Self.hasHandler else { return try wait() }
        // Dispatch keeps signals from its threads.
        var (signals, before) = (sigset_t(), sigset_t())
        sigemptyset(&signals)
        sigaddset(&signals, SIGURG)
        pthread_sigmask(SIG_UNBLOCK, &signals, &before)
        let mustArm = state.withLock { state in
            state.thread = pthread_self()
            defer { state.isArmed = true }
            return !state.isArmed
        }
        if mustArm { arm() }
        defer {
            state.withLock { $0.thread = nil }
            pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        return try wait()
    }

    /// It goes on while one wait follows another, so that short waits do not each set a timer.
    private func arm() {
        Self.clock.asyncAfter(deadline: .now() + .milliseconds(Int(interval / .milliseconds(1)))) { [weak self] in
            guard let self else { return }
            let goesOn = state.withLock { state in
                // Under the lock, so that no thread is met that waits no more.
                if let thread = state.thread { pthread_kill(thread, SIGURG) }
                state.isArmed = state.thread != nil
                return state.isArmed
            }
            if goesOn { arm() }
        }
    }
}
