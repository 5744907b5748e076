internal import Foundation

/// Standard error, which may be a pipe that nobody reads any more, or a file on a full disk: what cannot be said there is left out, and the
/// work goes on. Foundation's `FileHandle` ends the process instead.
package enum StandardError {
    /// How long a reader that takes nothing is waited for, once and for all: milliseconds.
    private static let patience: Int32 = 1000

    package static func write(_ text: String) {
        write(Array(text.utf8), to: STDERR_FILENO)
    }

    /// - Returns: Whether all of it was written.
    @discardableResult
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if written >= 0 {
                rest = rest.dropFirst(written)
            } else if errno == EAGAIN {
                var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                if poll(&state, 1, patience) <= 0 { return false }
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
