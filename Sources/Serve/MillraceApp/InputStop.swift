internal import Foundation
internal import Synchronization

/// Ends the reading of an input: at a signal, or when nobody reads any more what comes of it.
///
/// What was read by then is finished, which is all that whoever is told to stop may still do. Its end of a pipe can be read
/// once it is rung, so that a wait for input ends too.
final class InputStop: Sendable {
    /// Readable once reading is to end.
    let descriptor: Int32
    /// Whether a closed standard output ends it too.
    let watchesOutput: Bool
    private let bell: Int32
    private let reason = Mutex<String?>(nil)

    init(watchesOutput: Bool = false) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw Failure(.ioError, "a pipe cannot be made: \(String(cString: strerror(errno)))")
        }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (descriptor, bell, self.watchesOutput) = (ends[0], ends[1], watchesOutput)
    }

    deinit {
        close(descriptor)
        close(bell)
    }

    /// Why reading is to end; nil where it is not.
    var why: String? {
        if let known = reason.withLock({ $0 }) { return known }
        var signal: UInt8 = 0
        if read(descriptor, &signal, 1) == 1 { return note("stopped by \(Self.name(of: Int32(signal)))") }
        if watchesOutput, Output.standard.isAbandoned { return note(Self.closed) }
        return nil
    }

    static let closed = "standard output was closed"
    var isOutputClosed: Bool { reason.withLock { $0 } == Self.closed }

    private func note(_ why: String) -> String {
        reason.withLock { $0 = $0 ?? why }
        // Whoever waits later does not wait.
        Self.ring(bell, 0)
        return why
    }

    private static func name(of signal: Int32) -> String {
        switch signal {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        default: "signal \(signal)"
        }
    }

    private static func ring(_ bell: Int32, _ signal: Int32) {
        var byte = UInt8(truncatingIfNeeded: signal)
        _ = write(bell, &byte, 1)
    }

    // MARK: Signals

    /// Where a signal rings; -1 where signals end the process as ever. A handler of signals may use no lock.
    private static let rung = Atomic<Int32>(-1)

    /// Ends the reading at SIGTERM or SIGINT while `body` runs. A second one ends the process as ever.
    func atSignals<R>(_ body: () async throws -> R) async throws -> R {
        // Of several in one process, as tests have them, the first listens.
        let isFirst = Self.rung.compareExchange(expected: -1, desired: bell, ordering: .sequentiallyConsistent)
            .exchanged
        guard isFirst else { return try await body() }
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { signal in
            InputStop.ring(InputStop.rung.load(ordering: .relaxed), signal)
        }
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_RESTART
        var before: [(Int32, sigaction)] = []
        for signal in [SIGTERM, SIGINT] {
            var old = sigaction()
            sigaction(signal, &action, &old)
            before.append((signal, old))
        }
        defer {
            for (signal, old) in before {
                var old = old
                sigaction(signal, &old, nil)
            }
            Self.rung.store(-1, ordering: .sequentiallyConsistent)
        }
        return try await body()
    }
}
