internal import Foundation
internal import Synchronization

/// A terminal that nobody sits at: what a program shows there is gathered.
public final class PseudoTerminal: Sendable {
    private static let setLock: UInt = 0x4004_5431
    private static let getNumber: UInt = 0x8004_5430

    /// What a program opens to write to it.
    public let path: String
    private let master: Int32
    /// Kept open until the end: what a program wrote would go with the last who has it.
    private let slave: Int32
    private let seen = Mutex<[UInt8]>([])
    private let isOver = Mutex(false)

    public init(columns: Int, rows: Int = 24) throws {
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        // What unlockpt and ptsname of the C library ask (ioctl_tty(2)); they are not in Swift's view of it.
        var (number, lock): (Int32, Int32) = (0, 0)
        guard master >= 0, ioctl(master, Self.setLock, &lock) == 0, ioctl(master, Self.getNumber, &number) == 0 else {
            throw Overdue(description: "no pseudo terminal: \(String(cString: strerror(errno)))")
        }
        path = "/dev/pts/\(number)"
        slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
        var size = winsize(ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(slave, UInt(TIOCSWINSZ), &size)
        // Reading blocks: it has a thread of its own.
        Thread.detachNewThread { self.gather() }
    }

    private func gather() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(master, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { break }
            seen.withLock { $0 += buffer.prefix(count) }
        }
        close(master)
        isOver.withLock { $0 = true }
    }

    /// Presses keys: what reads from the terminal gets them.
    public func type(_ keys: String) {
        var rest = Array(keys.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
            if written < 0 && errno != EINTR { return }
            rest = rest.dropFirst(max(0, written))
        }
    }

    /// What was shown until now. A terminal puts a carriage return before each line feed; it is left out.
    public var text: String {
        String(decoding: seen.withLock { $0 }, as: UTF8.self).replacingOccurrences(of: "\r\n", with: "\n")
    }

    /// All that was shown, once no program has it open any more.
    public func end() async throws -> String {
        close(slave)
        try await eventually("the terminal's end") { isOver.withLock { $0 } ? true : nil }
        return text
    }
}
