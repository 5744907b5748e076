internal import Foundation

/// Asks a server that speaks RESP, over one connection. Its calls block, for at most some seconds each.
final class ServerQuestion {
    /// What a server has answered.
    indirect enum Answer: Equatable {
        case text(String)
        case integer(Int64)
        case null
        case list([Answer])
    }

    /// The server cannot be asked, or has said why it does not answer.
    struct Trouble: Error, CustomStringConvertible {
        var description: String
    }

    /// Seconds that one answer may take: a server that puts a copy right folds it anew first.
    static let patience = 600
    /// Bytes of one answer.
    static let most = 1_048_576

    private let socket: Int32
    private var buffer: [UInt8] = []
    private var place = 0

    /// - Parameters:
    ///   - address: `HOST:PORT`.
    ///   - token: What is said first of who asks.
    init(_ address: String, _ token: String?) throws {
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
            throw Trouble(description: "\(address) is no address such as 127.0.0.1:6379")
        }
        let host = address[..<colon].trimmingPrefix("[").prefix { $0 != "]" }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(String(host), String(port), &hints, &found)
        if code != 0 { throw Trouble(description: "\(address): \(String(cString: gai_strerror(code)))") }
        defer { freeaddrinfo(found) }
        var (next, connected) = (found, Int32(-1))
        while let one = next, connected < 0 {
            connected = Self.connected(to: one.pointee)
            next = one.pointee.ai_next
        }
        if connected < 0 {
            throw Trouble(description: "\(address) cannot be reached: \(String(cString: strerror(errno)))")
        }
        socket = connected
        if let token { _ = try ask("AUTH", token) }
    }
    deinit { close(socket) }

    private static func connected(to address: addrinfo) -> Int32 {
        let socket = Foundation.socket(address.ai_family, address.ai_socktype, address.ai_protocol)
        if socket < 0 { return -1 }
        var time = timeval(tv_sec: patience, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        if connect(socket, address.ai_addr, address.ai_addrlen) == 0 { return socket }
        let why = errno
        close(socket)
        errno = why
        return -1
    }

    /// Sends a command, and waits for the answer.
    func ask(_ words: String...) throws -> Answer {
        var bytes = Array("*\(words.count)\r\n".utf8)
        for word in words { bytes += Array("$\(word.utf8.count)\r\n\(word)\r\n".utf8) }
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { throw gone }
            sent += count
        }
        (buffer, place) = ([], 0)
        return try answer()
    }

    private var gone: Trouble { Trouble(description: "the server has closed the connection, or does not answer") }

    private func more() throws {
        if buffer.count > Self.most { throw Trouble(description: "the server's answer has no end") }
        var part = [UInt8](repeating: 0, count: 16_384)
        let count = recv(socket, &part, part.count, 0)
        if count <= 0 { throw gone }
        buffer += part[..<count]
    }

    private func line() throws -> String {
        while true {
            if let end = buffer[place...].firstIndex(of: 10) {
                defer { place = end + 1 }
                let line = buffer[place..<end]
                return String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
            }
            try more()
        }
    }

    private func answer() throws -> Answer {
        let line = try line()
        let rest = String(line.dropFirst())
        switch (line.first, Int(rest)) {
        case ("+", _): return .text(rest)
        case ("-", _):
            let hint = rest.hasPrefix("NOAUTH") ? " Name a token with --token-file, or MILLRACE_TOKEN." : ""
            throw Trouble(description: "the server says: \(rest)\(hint)")
        case (":", let number?): return .integer(Int64(number))
        case ("$", let count?) where count < 0: return .null
        case ("$", let count?) where count <= Self.most:
            while buffer.count - place < count + 2 { try more() }
            defer { place += count + 2 }
            return .text(String(decoding: buffer[place..<place + count], as: UTF8.self))
        case ("*", let count?) where count <= 1024:
            return .list(try (0..<max(0, count)).map { _ in try answer() })
        default: throw Trouble(description: "the server does not speak RESP: it says \"\(line.prefix(64))\"")
        }
    }
}
