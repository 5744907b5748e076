internal import Foundation
internal import Synchronization
internal import TestSupport

/// Connections to a port of this machine, which a thread of their own reads.
final class OpenSockets: Sendable {
    private let descriptors: [Int32]
    private let state: Mutex<State>
    private struct State {
        /// Lines that each was sent.
        var lines: [Int]
        var isClosed = false
    }

    /// - Parameter request: What each says first; nil says nothing.
    init(_ count: Int, port: Int, request: String? = nil) throws {
        descriptors = try (0..<count).map { number in
            // What is started meanwhile, such as wrk, would have them too.
            let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            // One address has 28,000 ports to come from, and those that were closed a moment ago rest.
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let failed = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) != 0
                }
            }
            if failed {
                throw Overdue(
                    description: "connection \(number + 1) to port \(port): \(String(cString: strerror(errno)))")
            }
            if let request {
                let bytes = Array(request.utf8)
                guard send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
                    throw Overdue(description: "connection \(number + 1) to port \(port) took no request")
                }
            }
            return socket
        }
        state = Mutex(State(lines: Array(repeating: 0, count: count)))
        if request != nil { Thread.detachNewThread { self.read() } }
    }

    deinit { for one in descriptors { close(one) } }

    /// Lines of JSON that each connection was sent.
    var lines: [Int] { state.withLock(\.lines) }

    func stop() { state.withLock { $0.isClosed = true } }

    private func read() {
        var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        // A line ends with these two bytes, and nothing else here has them: chunks are framed by CR LF.
        var last = [UInt8](repeating: 0, count: descriptors.count)
        while !state.withLock(\.isClosed) {
            if poll(&polled, nfds_t(polled.count), 100) <= 0 { continue }
            for number in polled.indices where polled[number].revents != 0 {
                let count = recv(polled[number].fd, &buffer, buffer.count, Int32(MSG_DONTWAIT))
                if count == 0 { polled[number].fd = -1 }
                if count <= 0 { continue }
                var lines = 0
                for byte in buffer[..<count] {
                    if byte == UInt8(ascii: "\n"), last[number] == UInt8(ascii: "}") { lines += 1 }
                    last[number] = byte
                }
                state.withLock { $0.lines[number] += lines }
            }
        }
    }
}
