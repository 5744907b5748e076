internal import Foundation

/// Kafka's framing over sockets of this machine: four bytes of length, then as many bytes.
enum Wire {
    /// Somewhere to connect to.
    static func listen() throws -> (descriptor: Int32, port: Int) {
        let listener = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let port: Int? = local(0) { address, length in
            var length = length
            guard bind(listener, address, length) == 0, Foundation.listen(listener, 64) == 0,
                getsockname(listener, address, &length) == 0
            else { return nil }
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                Int(UInt16(bigEndian: $0.pointee.sin_port))
            }
        }
        guard let port else { throw Overdue(description: "there is no port for a broker") }
        return (listener, port)
    }

    static func connect(to port: Int) -> Int32? {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let isConnected = local(UInt16(port)) { Foundation.connect(socket, $0, $1) == 0 ? true : nil }
        if isConnected == nil { close(socket) }
        return isConnected.map { _ in socket }
    }

    private static func local<R>(
        _ port: UInt16, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> R?
    ) -> R? {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// The bytes after the length; nil where the other end has hung up.
    static func frame(from socket: Int32) -> [UInt8]? {
        guard let head = bytes(4, from: socket) else { return nil }
        let length = head.reduce(0) { $0 << 8 | Int($1) }
        return length < 1 << 26 ? bytes(length, from: socket) : nil
    }

    static func send(_ frame: [UInt8], to socket: Int32) -> Bool {
        let all = number(frame.count) + frame
        var sent = 0
        while sent < all.count {
            let more = all[sent...].withUnsafeBytes {
                Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if more <= 0 { return false }
            sent += more
        }
        return true
    }

    /// An answer with another port of this machine wherever a broker names its own.
    static func moved(_ answer: [UInt8], from port: Int, to other: Int) -> [UInt8] {
        let host = Array("127.0.0.1".utf8)
        return answer.replacing(host + number(port), with: host + number(other))
    }

    /// As Kafka's INT32.
    static func number(_ number: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) } }

    private static func bytes(_ count: Int, from socket: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var have = 0
        while have < count {
            let more = bytes[have...].withUnsafeMutableBytes { read(socket, $0.baseAddress, $0.count) }
            if more <= 0 { return nil }
            have += more
        }
        return bytes
    }
}
