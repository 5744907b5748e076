internal import Foundation
internal import Synchronization

/// Stands between clients and a server of this machine, and does to their connections what a bad network does.
public final class Proxy: Sendable {
    /// Which way bytes go.
    public enum Direction: Sendable { case toServer, toClient }

    private let listener: Int32
    private let server: UInt16
    private let isPassed: @Sendable (Direction, ArraySlice<UInt8>) -> Bool
    private let connections = Mutex<[ObjectIdentifier: Connection]>([:])
    private let gate = Gate()
    public let port: Int

    /// - Parameters:
    ///   - server: A port of this machine.
    ///   - isPassed: Told all bytes before they go on; the connection ends where it says no.
    public init(
        to server: Int, isPassed: @escaping @Sendable (Direction, ArraySlice<UInt8>) -> Bool = { _, _ in true }
    ) throws {
        self.server = UInt16(server)
        self.isPassed = isPassed
        listener = Self.socket()
        let listener = listener
        let found: UInt16? = Self.local(0) { address, length in
            var length = length
            guard bind(listener, address, length) == 0, listen(listener, 64) == 0 else { return nil }
            guard getsockname(listener, address, &length) == 0 else { return nil }
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                UInt16(bigEndian: $0.pointee.sin_port)
            }
        }
        guard let found else { throw Overdue(description: "there is no port for a proxy") }
        port = Int(found)
        // Calls that block have threads of their own, which end with their sockets.
        Thread.detachNewThread { [self] in
            while case let client = accept(listener, nil, nil), client >= 0 { connect(client) }
            Foundation.close(listener)
        }
    }

    /// Takes no more connections; those that there are go on.
    public func close() { shutdown(listener, Int32(SHUT_RDWR)) }

    /// Ends all connections.
    public func drop() {
        for connection in connections.withLock({ Array($0.values) }) { connection.hangUp() }
    }

    /// While frozen, connections are taken and nothing passes either way.
    public func freeze(_ isFrozen: Bool) { gate.shut(isFrozen) }

    private func connect(_ client: Int32) {
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        let connection = Connection(client: client, server: Self.socket())
        let isConnected = Self.local(server) { Foundation.connect(connection.server, $0, $1) == 0 ? true : nil }
        guard isConnected != nil else { return }
        connections.withLock { $0[ObjectIdentifier(connection)] = connection }
        Thread.detachNewThread { [self] in pump(connection, connection.client, connection.server, .toServer) }
        Thread.detachNewThread { [self] in pump(connection, connection.server, connection.client, .toClient) }
    }

    private func pump(_ connection: Connection, _ from: Int32, _ to: Int32, _ direction: Direction) {
        defer {
            connection.hangUp()
            _ = connections.withLock { $0.removeValue(forKey: ObjectIdentifier(connection)) }
        }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(from, &buffer, buffer.count), count > 0 {
            gate.pass()
            if !isPassed(direction, buffer[..<count]) { return }
            var sent = 0
            while sent < count {
                let more = buffer[sent..<count].withUnsafeBytes {
                    send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if more <= 0 { return }
                sent += more
            }
        }
    }

    /// Its two sockets, closed once both pumps have let go of it.
    private final class Connection: Sendable {
        let client: Int32
        let server: Int32

        init(client: Int32, server: Int32) {
            self.client = client
            self.server = server
        }

        deinit {
            Foundation.close(client)
            Foundation.close(server)
        }

        func hangUp() { for socket in [client, server] { shutdown(socket, Int32(SHUT_RDWR)) } }
    }

    /// Holds threads up while it is shut.
    private final class Gate: @unchecked Sendable {
        // The condition guards the flag.
        private let condition = NSCondition()
        private var isShut = false

        func shut(_ isShut: Bool) {
            condition.withLock { self.isShut = isShut }
            condition.broadcast()
        }

        func pass() {
            condition.withLock { while isShut { condition.wait() } }
        }
    }

    private static func socket() -> Int32 {
        Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }

    private static func local<R>(_ port: UInt16, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> R?) -> R? {
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
}
