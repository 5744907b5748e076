import Foundation
import Testing

@testable import EventLog

@Suite("Standard error", .timeLimit(.minutes(10)))
struct StandardErrorTests {
    private func pipe(blocking: Bool) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        #expect(Foundation.pipe(&ends) == 0)
        if !blocking { #expect(fcntl(ends[1], F_SETFL, O_NONBLOCK) == 0) }
        return (ends[0], ends[1])
    }

    @Test func `that is a closed file, or one on a full disk, ends nothing`() throws {
        let full = open("/dev/full", O_WRONLY)
        #expect(full >= 0)
        #expect(!StandardError.write([1, 2, 3], to: full))
        close(full)
        #expect(!StandardError.write([1, 2, 3], to: full))
    }

    @Test func `that is a pipe which does not block and is full is waited for, and not for ever`() async throws {
        let (read, write) = pipe(blocking: false)
        defer { close(read) }
        let bytes = [UInt8](repeating: 7, count: 1 << 20)
        #expect(!StandardError.write(bytes, to: write), "nobody reads")
        let reader = Task.detached {
            var (buffer, count) = ([UInt8](repeating: 0, count: 1 << 16), 0)
            while count < 2 << 20 {
                let got = Foundation.read(read, &buffer, buffer.count)
                if got <= 0 { break }
                count += got
            }
            return count
        }
        // What is in it already is taken first.
        #expect(StandardError.write(bytes, to: write))
        close(write)
        #expect(await reader.value > 1 << 20)
    }
}
