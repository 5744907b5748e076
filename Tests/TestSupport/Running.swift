public import Foundation
internal import Synchronization

/// How a process ended, and what it said.
public struct Ended: Sendable, CustomStringConvertible {
    /// The exit code, or 128 and the signal that ended it.
    public var exit: Int32
    public var out: String
    public var err: String

    public var lines: [String] { out.split(separator: "\n").map(String.init) }
    public var description: String { "exit \(exit)\nout: \(out.prefix(2000))\nerr: \(err.prefix(2000))" }
}

/// A wait that came to nothing.
public struct Overdue: Error, CustomStringConvertible {
    public var description: String
    public init(description: String) { self.description = description }
}

/// A process under way. Its output goes to files, so that nobody has to read for it to go on.
public final class Running: Sendable {
    private struct State {
        var status: Int32?
        var waiting: [CheckedContinuation<Int32, Never>] = []
    }

    public let pid: Int32
    public let name: String
    /// Where what it says goes.
    public let outFile: String
    public let errFile: String
    private let state = Mutex(State())

    /// - Parameters:
    ///   - stdin: What it reads, nil for an empty file.
    ///   - terminal: Where what it says goes instead, and with `errorsToo` also what it says on standard error. With
    ///     `isInteractive` it also reads from there.
    ///   - scratch: A folder for its input and output, in files whose names begin with `label`.
    public init(
        _ program: String, _ arguments: [String], stdin: [UInt8]? = nil, environment: [String: String] = [:],
        cwd: String, scratch: String, label: String = "", terminal: PseudoTerminal? = nil, errorsToo: Bool = false,
        isInteractive: Bool = false
    ) throws {
        let base = "\(scratch)/\(label)\(UUID().uuidString)"
        (outFile, errFile) = (base + ".out", base + ".err")
        name = ([(program as NSString).lastPathComponent] + arguments).joined(separator: " ")
        if let stdin { try Data(stdin).write(to: URL(fileURLWithPath: base + ".in")) }
        // The shell changes the folder and is then replaced by the program.
        pid = try Self.spawn(
            ["/bin/sh", "-c", #"cd "$0" && exec "$@""#, cwd, program] + arguments,
            stdin: (isInteractive ? terminal?.path : nil) ?? (stdin == nil ? "/dev/null" : base + ".in"),
            out: terminal?.path ?? outFile,
            err: (errorsToo ? terminal?.path : nil) ?? errFile, environment: environment)
        // A wait blocks: it has a thread of its own.
        Thread.detachNewThread { self.reap() }
    }

    private static func spawn(
        _ command: [String], stdin: String, out: String, err: String, environment: [String: String]
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, stdin, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        // Signals that this process ignores must reach the other.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        for signal in [SIGTERM, SIGINT, SIGPIPE] { sigaddset(&all, signal) }
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("MILLRACE") }
        let variables = inherited.merging(environment) { $1 }.map { "\($0.key)=\($0.value)" }
        var argv = command.map { strdup($0) } + [nil]
        var envp = variables.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let failed = posix_spawnp(&pid, command[0], &actions, &attributes, &argv, &envp)
        if failed != 0 {
            throw Overdue(description: "\(command[0]) cannot be run: \(String(cString: strerror(failed)))")
        }
        return pid
    }

    private func reap() {
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
        let (code, waiting) = state.withLock { state in
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            let code = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
            state.status = code
            defer { state.waiting = [] }
            return (code, state.waiting)
        }
        for continuation in waiting { continuation.resume(returning: code) }
    }

    /// Sends a signal, unless it has ended.
    public func send(_ signal: Int32) {
        state.withLock { if $0.status == nil { kill(pid, signal) } }
    }

    public var hasEnded: Bool { state.withLock { $0.status != nil } }
    public var out: String { Self.text(outFile) }
    public var err: String { Self.text(errFile) }

    private static func text(_ path: String) -> String {
        String(decoding: (try? Data(contentsOf: URL(fileURLWithPath: path))) ?? Data(), as: UTF8.self)
    }

    /// Waits for its end; past the limit it is killed, and the test fails.
    @discardableResult
    public func end(within limit: Duration = .seconds(300)) async throws -> Ended {
        let late = Mutex(false)
        let alarm = DispatchWorkItem { [self] in
            late.withLock { $0 = true }
            send(SIGKILL)
        }
        DispatchQueue.global().asyncAfter(
            deadline: .now() + .milliseconds(Int(limit / .milliseconds(1))), execute: alarm)
        let code = await withCheckedContinuation { (continuation: CheckedContinuation<Int32, Never>) in
            let ended = state.withLock { state -> Int32? in
                if state.status == nil { state.waiting.append(continuation) }
                return state.status
            }
            if let ended { continuation.resume(returning: ended) }
        }
        alarm.cancel()
        let ended = Ended(exit: code, out: out, err: err)
        if late.withLock({ $0 }) { throw Overdue(description: "\(name) did not end within \(limit)\n\(ended)") }
        return ended
    }

    /// Kills it as a loss of power would, without a chance to clean up.
    public func crash() async throws {
        send(SIGKILL)
        try await end()
    }

    /// Asks it to stop, and waits.
    @discardableResult
    public func stop(_ signal: Int32 = SIGTERM) async throws -> Ended {
        send(signal)
        return try await end(within: .seconds(300))
    }
}

/// Looks until something holds, for at most `limit`. What another process does can only be looked for.
@discardableResult
public func eventually<R>(
    _ what: @autoclosure () -> String, within limit: Duration = .seconds(300), _ look: () async throws -> R?
) async throws -> R {
    let deadline = ContinuousClock.now + limit
    while true {
        if let found = try await look() { return found }
        if .now > deadline { throw Overdue(description: "waited \(limit) for \(what())") }
        try await ContinuousClock().sleep(for: .milliseconds(5))
    }
}
