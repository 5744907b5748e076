internal import EventLog
internal import EventModel
internal import Foundation
internal import Synchronization

/// The log's own time: the machine's clock, as the kernel writes it to files.
///
/// All who share a local log share one machine, but a process may be told another time than its machine has (a preloaded
/// library, a debugger). So the process's clock is compared with the time of a file that was just touched, and where the two
/// differ by more than ``tolerance``, the file's is the log's.
final class LogClock: Sendable {
    /// Above what a file system rounds its times by.
    static let tolerance = Duration.seconds(5)
    /// How long a comparison holds.
    static let interval = Duration.seconds(1)

    private struct State {
        var correction = Duration.zero
        var again = ContinuousClock.now
        var isTold = false
    }
    private let process: @Sendable () -> Timestamp
    private let machine: @Sendable () -> Timestamp?
    private let complain: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - process: What this process has for the time.
    ///   - machine: What the kernel has; nil where it cannot be asked.
    init(
        process: @escaping @Sendable () -> Timestamp, machine: @escaping @Sendable () -> Timestamp?,
        complain: @escaping @Sendable (String) -> Void
    ) {
        (self.process, self.machine, self.complain) = (process, machine, complain)
    }

    func now() -> Timestamp { process() + correction }

    /// What is to be added to the process's time.
    var correction: Duration {
        let (correction, news) = state.withLock { state -> (Duration, String?) in
            let now = ContinuousClock.now
            if now < state.again { return (state.correction, nil) }
            state.again = now + Self.interval
            guard let machine = machine() else { return (state.correction, nil) }
            let ahead = Duration.milliseconds(process().rawValue - machine.rawValue)
            let isWrong = ahead > Self.tolerance || ahead < .zero - Self.tolerance
            state.correction = isWrong ? .zero - ahead : .zero
            if !isWrong || state.isTold { return (state.correction, nil) }
            state.isTold = true
            return (
                state.correction,
                """
                the clock of process \(getpid()) is \(Self.words(ahead)) that of this machine; the log goes by the machine's
                """
            )
        }
        if let news { complain(news) }
        return correction
    }

    private static func words(_ ahead: Duration) -> String {
        let seconds = abs(ahead.components.seconds)
        let length = seconds >= 172_800 ? "\(seconds / 86_400) days" : "\(seconds) s"
        return length + (ahead < .zero ? " behind" : " ahead of")
    }

    /// The time that the kernel has, by touching a file.
    static func time(touching file: Int32) -> Timestamp? {
        if futimens(file, nil) != 0 { return nil }
        var status = stat()
        if fstat(file, &status) != 0 { return nil }
        return Timestamp(Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000)
    }
}
