internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Money
internal import Synchronization

/// Standard output, written whole or with an error; gathered in memory instead where a test asks for it.
final class Output: Sendable {
    @TaskLocal static var standard = Output()

    private let gathering: Bool
    private let gathered = Mutex<[UInt8]>([])
    private let complaints = Mutex<[String]>([])

    init(gathering: Bool = false) { self.gathering = gathering }

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
    static func complain(_ text: String) {
        let shown = Shown.text(text, breaking: true)
        if standard.gathering { return standard.complaints.withLock { $0.append(shown) } }
        FileHandle.standardError.write(Data((LogFormat.current.line(shown, at: now()) + "\n").utf8))
    }

    /// What a library says to the person at the terminal.
    static let notice: Notice = { complain("millrace: \($0)") }

    /// What was said, where it was gathered.
    var said: [String] { complaints.withLock { $0 } }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
}

/// Whoever read standard output has closed it: the end of the work, and no error.
struct ReaderGone: Error {}

/// Columns lined up for a person.
struct TextTable {
    var header: [String]
    var rows: [[String]]
    /// Columns whose values are lined up on the right.
    var right: Set<Int> = []

    var text: String {
        let rows = rows.map { $0.map(Self.onOneLine) }
        let widths = header.indices.map { i in ([header] + rows).map { $0[i].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { i, cell in
                let space = String(repeating: " ", count: widths[i] - cell.count)
                return right.contains(i) ? space + cell : cell + space
            }
            return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
        }
        return ([header.map { $0.uppercased() }] + rows).map(line).joined(separator: "\n") + "\n"
    }
}

extension TextTable {
    init(_ columns: [Column], _ rows: [Row]) {
        header = columns.map { $0.name.replacingOccurrences(of: "_", with: " ") }
        self.rows = rows.map { row in
            zip(columns, row).map { column, value in
                switch value {
                case .null: "-"
                case .integer(let amount) where column.currency != nil: Self.money(amount, of: column, in: row, columns)
                case .integer(let ms) where column.kind == .timestamp: Timestamp(ms).rfc3339
                case .integer(let value): String(value)
                case .real(let value): String(format: "%.\(column.decimals)f", value)
                case .text(let value): value
                }
            }
        }
        right = Set(columns.indices.filter { columns[$0].kind == .integer || columns[$0].kind == .real })
    }

    /// Major units, with as many digits behind the point as the currency has: 4500 EUR is 45.00. Where the currency is not
    /// known the amount stays as it is.
    private static func money(_ amount: Int64, of column: Column, in row: Row, _ columns: [Column]) -> String {
        let code = zip(columns, row).first { $0.0.name == column.currency }?.1.text
        return code.flatMap { Currency.major(amount, $0) } ?? String(amount)
    }

    /// A line feed would break the table, a mark of direction make one row look like another, and an escape sequence do worse
    /// to a terminal: see ``Shown``. JSON has them as they are.
    private static func onOneLine(_ text: String) -> String {
        if text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) { return text }
        var plain = text
        if text.utf8.contains(where: { $0 < 0x20 }) {
            plain.unicodeScalars.removeAll { $0 == "\r" }
            plain = String(plain.unicodeScalars.flatMap { $0 == "\n" ? "↵" : $0 == "\t" ? " " : String($0) })
        }
        return Shown.text(plain)
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

    mutating func show(_ done: Int, unit: String) {
        guard shown, ContinuousClock.now - last > .milliseconds(100) else { return }
        last = .now
        let seconds = max(0.001, Double((ContinuousClock.now - start).milliseconds) / 1000)
        let rate = Int(Double(done) / seconds)
        var text = "\r\(title)  \(done) \(unit)  \(rate)/s"
        if let total, total > 0 {
            let share = min(1, Double(done) / Double(total))
            let filled = Int(share * 30)
            let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
            text = "\r\(title)  [\(bar)] \(Int(share * 100))%  \(done) \(unit)  \(rate)/s"
            if rate > 0, done < total { text += "  \((total - done) / rate + 1) s left" }
        }
        FileHandle.standardError.write(Data((text + "  ").utf8))
    }

    func end() {
        if shown { FileHandle.standardError.write(Data("\r\u{1b}[K".utf8)) }
    }
}
