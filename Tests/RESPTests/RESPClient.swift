import Foundation

/// What a server has answered.
indirect enum Answer: Equatable, CustomStringConvertible {
    case simple(String)
    case error(String)
    case integer(Int64)
    case bulk(String?)
    case list([Answer])

    var text: String? {
        switch self {
        case .simple(let text): text
        case .bulk(let text): text
        case .integer(let number): String(number)
        default: nil
        }
    }
    var isError: Bool { if case .error = self { true } else { false } }
    var description: String {
        switch self {
        case .simple(let text): "+\(text)"
        case .error(let text): "-\(text)"
        case .integer(let number): ":\(number)"
        case .bulk(let text): text.map { "\"\($0.prefix(200))\"" } ?? "nil"
        case .list(let all): "\(all)"
        }
    }
}

/// The connection is gone, or nothing came in time.
struct Disconnected: Error {}

/// A client over a socket, for one thread. Its calls block.
final class RESPClient {
    private let socket: Int32
    private var buffer: [UInt8] = []
    private var place = 0

    init(port: Int, seconds: Int = 20) throws {
        socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let failed = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) != 0
            }
        }
        if failed { throw Disconnected() }
    }
    deinit { close(socket) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { throw Disconnected() }
            sent += count
        }
    }
    func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Sends commands one behind the other, and takes all answers.
    func pipeline(_ commands: [[String]]) throws -> [Answer] {
        var bytes: [UInt8] = []
        for command in commands {
            bytes += Array("*\(command.count)\r\n".utf8)
            for word in command { bytes += Array("$\(word.utf8.count)\r\n\(word)\r\n".utf8) }
        }
        try send(bytes)
        return try commands.map { _ in try answer() }
    }
    func ask(_ words: String...) throws -> Answer { try pipeline([words])[0] }

    private func more() throws {
        if place > 1 << 20 {
            buffer.removeFirst(place)
            place = 0
        }
        var part = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &part, part.count, 0)
        if count <= 0 { throw Disconnected() }
        buffer += part[..<count]
    }
    private func line() throws -> String {
        while true {
            if let end = buffer[place...].firstIndex(of: 10) {
                defer { place = end + 1 }
                return String(decoding: buffer[place..<end - 1], as: UTF8.self)
            }
            try more()
        }
    }
    /// The bytes of an answer that is a value; nil of another.
    func bytes() throws -> [UInt8]? {
        let line = try line()
        guard line.first == "$", let count = Int(line.dropFirst()), count >= 0 else { return nil }
        while buffer.count - place < count + 2 { try more() }
        defer { place += count + 2 }
        return Array(buffer[place..<place + count])
    }
    func answer() throws -> Answer {
        let line = try line()
        let rest = String(line.dropFirst())
        switch line.first {
        case "+": return .simple(rest)
        case "-": return .error(rest)
        case ":": return .integer(Int64(rest) ?? 0)
        case "_": return .bulk(nil)
        case "$":
            guard let count = Int(rest), count >= 0 else { return .bulk(nil) }
            while buffer.count - place < count + 2 { try more() }
            defer { place += count + 2 }
            return .bulk(String(decoding: buffer[place..<place + count], as: UTF8.self))
        case "*", "%":
            let count = (Int(rest) ?? 0) * (line.first == "%" ? 2 : 1)
            return .list(try (0..<max(0, count)).map { _ in try answer() })
        default: throw Disconnected()
        }
    }
    /// Whether the server has closed, and says nothing more.
    var isClosed: Bool {
        var byte = UInt8(0)
        return place == buffer.count && recv(socket, &byte, 1, 0) == 0
    }
}
