import Foundation
import Synchronization

/// Stands between clients and a server. Once it is told to, it passes the next COMMIT on and hangs up instead of passing on
/// the answer.
final class DeafProxy: Sendable {
    private enum Mode { case passing, waiting, deaf }
    private let state = Mutex((mode: Mode.passing, cuts: 0))
    private let listener: Int32
    private let server: UInt16
    let port: Int

    /// - Parameter server: A port of this machine.
    init(to server: Int) throws {
        self.server = UInt16(server)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        let found: UInt16? = Self.local(0) { address, length in
            var length = length
            guard bind(listener, address, length) == 0, listen(listener, 16) == 0 else { return nil }
            guard getsockname(listener, address, &length) == 0 else { return nil }
            return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                UInt16(bigEndian: $0.pointee.sin_port)
            }
        }
        guard let found else { throw Overdue(description: "there is no port for a proxy") }
        port = Int(found)
        // Calls that block have threads of their own, which end with their sockets.
        Thread.detachNewThread { [self] in
            while case let client = accept(listener, nil, nil), client >= 0 { pass(client) }
        }
    }

    func close() { shutdown(listener, Int32(SHUT_RDWR)) }

    /// The answer to the next COMMIT will be lost.
    func cutNextCommit() { state.withLock { $0.mode = .waiting } }
    var cuts: Int { state.withLock(\.cuts) }

    private func pass(_ client: Int32) {
        let upstream = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let isConnected = Self.local(server) { connect(upstream, $0, $1) == 0 ? true : nil }
        guard isConnected != nil else { return hangUp(client, upstream) }
        Thread.detachNewThread { [self] in
            pump(client, upstream) { bytes in
                guard bytes.contains("COMMIT".utf8) else { return true }
                state.withLock { if $0.mode == .waiting { $0.mode = .deaf } }
                return true
            }
        }
        Thread.detachNewThread { [self] in
            pump(upstream, client) { _ in
                state.withLock { state in
                    if state.mode != .deaf { return true }
                    state = (.passing, state.cuts + 1)
                    return false
                }
            }
        }
    }

    private func pump(_ from: Int32, _ to: Int32, _ isPassed: (ArraySlice<UInt8>) -> Bool) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(from, &buffer, buffer.count), count > 0, isPassed(buffer[..<count]) {
            var sent = 0
            while sent < count {
                let more = buffer[sent..<count].withUnsafeBytes {
                    send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if more <= 0 { return hangUp(from, to) }
                sent += more
            }
        }
        hangUp(from, to)
    }
    private func hangUp(_ sockets: Int32...) { for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) } }

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
