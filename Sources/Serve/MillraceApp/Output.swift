internal import EventLog
internal import EventModel
internal import Foundation
internal import Logging
internal import MillraceBus
internal import Synchronization

/// Standard output, written whole or with an error; gathered in memory instead where a test asks for it.
final class Output: Sendable {
    @TaskLocal static var standard = Output()

    private let gathering: Bool
    private let gathered = Mutex<[UInt8]>([])
    private let complaints = Mutex<[String]>([])

    init(gathering: Bool = false) { self.gathering = gathering }

    /// Whether a test gathers what is written.
    var isGathering: Bool { gathering }

    var text: String { String(decoding: gathered.withLock { $0 }, as: UTF8.self) }

    func write(_ text: String) throws { try write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) throws {
        if gathering {
            gathered.withLock { $0 += bytes }
            return
        }
        var bytes = bytes[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Foundation.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                // A pipe that does not block is waited for, as one that does.
                if errno == EAGAIN {
                    var state = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&state, 1, -1)
                    continue
                }
                // Whoever read has had enough: stop without a word.
                if errno == EPIPE { throw ReaderGone() }
                throw Failure(.ioError, "standard output cannot be written: \(String(cString: strerror(errno)))")
            }
            bytes = bytes.dropFirst(written)
        }
    }

    /// Whether whoever read standard output has gone; one that writes nothing would not notice.
    var isAbandoned: Bool {
        if gathering { return false }
        var state = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        return poll(&state, 1, 0) > 0 && Int32(state.revents) & Int32(POLLERR) != 0
    }

    func line(_ text: String) throws { try write(text + "\n") }

    /// A line for a person, which may repeat what input or a log brought along.
    func shown(_ text: String) throws { try line(Shown.text(text)) }

    /// Says something to the person at the terminal. What input or a log brought along is shown, and does nothing there.
    /// With a test's output, it is gathered beside that.
    ///
    /// - Parameter colour: Of what stands before the first colon, on a terminal.
    static func complain(_ text: String, in colour: Palette? = nil) {
        var shown = Shown.text(text, breaking: true)
        if standard.gathering { return standard.complaints.withLock { $0.append(shown) } }
        if let colour, LogFormat.current == .text, let colon = shown.firstIndex(of: ":") {
            shown = colour(String(shown[...colon]), for: STDERR_FILENO) + shown[shown.index(after: colon)...]
        }
        StandardError.write(
            LogFormat.current.line(shown, level: colour == .bad ? .error : .notice, at: now()) + "\n")
    }

    /// What a library says to the person at the terminal.
    static let notice: Notice = { complain("\(Program.name): \($0)") }

    /// What was said, where it was gathered.
    var said: [String] { complaints.withLock { $0 } }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
}

/// Whoever read standard output has closed it: the end of the work, and no error.
struct ReaderGone: Error {
    /// Shows what was found. Whoever has read enough of it is still told by the exit code what it was.
    static func passed(over show: () throws -> Void) throws {
        do {
            try show()
        } catch is ReaderGone {}
    }
}

/// A line on the terminal that says how far a long run has come; silent elsewhere.
struct Progress {
    private let title: String
    private let total: Int?
    private let shown = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private var last = ContinuousClock.now

    init(_ title: String, total: Int?) {
        self.title = Shown.text(title)
        self.total = total
    }

    /// - Parameter read: How much of the whole that is, 0 to 1, where it is known by other than the total.
    mutating func show(_ done: Int, unit: String, read: Double? = nil) {
        guard shown, ContinuousClock.now - last > .milliseconds(100) else { return }
        last = .now
        let seconds = max(0.001, Double((ContinuousClock.now - start).milliseconds) / 1000)
        let rate = Int(Double(done) / seconds)
        let share = read ?? total.flatMap { $0 > 0 ? Double(done) / Double($0) : nil }
        let text = Self.text(title, done, unit: unit, rate: rate, share: share, seconds: seconds)
        // A line that is too long for the terminal would stay there, and another be written below it.
        let line = DisplayWidth.prefix(text, Terminal.columns(of: STDERR_FILENO) - 1)
        StandardError.write("\r\(line)\u{1b}[K")
    }

    /// `importing a.log  45%  12000 lines  4000/s  4 s left  [#####......]`: the bar is the first to be cut.
    static func text(_ title: String, _ done: Int, unit: String, rate: Int, share: Double?, seconds: Double) -> String {
        guard let share = share.map({ min(1, $0) }) else { return "\(title)  \(done) \(unit)  \(rate)/s" }
        let left = share > 0 && share < 1 ? "  \(Int(seconds * (1 - share) / share) + 1) s left" : ""
        let filled = Int(share * 30)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
        return "\(title)  \(Int(share * 100))%  \(done) \(unit)  \(rate)/s\(left)  [\(bar)]"
    }

    func end() {
        if shown { StandardError.write("\r\u{1b}[K") }
    }
}
