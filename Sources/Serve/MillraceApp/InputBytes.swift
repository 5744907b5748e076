internal import CZlib
internal import EventModel
internal import Foundation

/// The bytes of a file, a pipe or standard input, unpacked where they are gzip (RFC 1952). They are read once, as they come;
/// reading blocks. Several gzip members after another are one text, as `gzip -d` has it.
final class InputBytes {
    static let chunk = 1 << 18

    /// What is wrong with the input, once its end has been reached: it was cut short, is damaged, or has something behind.
    /// What came before has been given.
    private(set) var damage: String?
    /// Why reading was ended before the input's end.
    private(set) var stopped: String?
    /// Whether it is a file that can be opened again to read the same once more.
    let isFile: Bool

    private enum State {
        case start, plain, member, between, ended
    }
    /// Bytes of the file, where it is one, and how many of them were read.
    private let size: Int
    private var taken = 0
    private let descriptor: Int32
    /// What messages call it.
    let name: String
    private var state = State.start
    private var input: ArraySlice<UInt8> = []
    private let stop: InputStop?
    /// zlib keeps a pointer to it, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameters:
    ///   - path: `-` is standard input.
    ///   - stop: Ends the reading.
    init(_ path: String, stop: InputStop? = nil) throws {
        let name = path == "-" ? "standard input" : path
        let descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            throw Failure(.noInput, "\(name) cannot be read: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        fstat(descriptor, &status)
        if status.st_mode & S_IFMT == S_IFDIR {
            close(descriptor)
            throw Failure(.noInput, "\(name) is a folder")
        }
        isFile = path != "-" && status.st_mode & S_IFMT == S_IFREG
        size = status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : 0
        self.descriptor = descriptor
        self.name = name
        self.stop = stop
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 15 bits of window, and 16 for gzip's own frame. It fails only for want of memory.
        inflateInit2_(stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    }

    /// How much of the file was read, 0 to 1; nil of a pipe. Of gzip it is its packed bytes.
    var share: Double? { size > 0 ? Double(taken) / Double(size) : nil }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        close(descriptor)
    }

    /// Whether a path names a file, not a pipe or standard input; one that is not there may be one.
    static func isNamed(_ path: String) -> Bool {
        var status = stat()
        return path != "-" && (stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG)
    }

    /// The next bytes, as soon as there are some; none at the end.
    func next() throws -> [UInt8] {
        if state == .start {
            while input.count < 2, try fill() {}
            state = Self.isGzip(input) ? .member : .plain
        }
        switch state {
        case .ended: return []
        case .plain:
            if input.isEmpty, try !fill() { state = .ended }
            defer { input = [] }
            return Array(input)
        default: return try unpack()
        }
    }

    private static func isGzip(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.starts(with: [0x1f, 0x8b]) }

    /// Waits until there is something to read, or the end, for so long at most.
    ///
    /// - Returns: false where nothing came in that time.
    func waits(atMost limit: Duration?) -> Bool {
        var watched = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        if let stop { watched.append(pollfd(fd: stop.descriptor, events: Int16(POLLIN), revents: 0)) }
        // Of an output that is watched for nothing one is told when its reader has gone.
        if let stop, stop.watchesOutput { watched.append(pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)) }
        let deadline = limit.map { ContinuousClock.now + $0 }
        while true {
            let left = deadline.map { Int32(clamping: max(Duration.zero, $0 - .now).milliseconds) } ?? -1
            let ready = poll(&watched, nfds_t(watched.count), left)
            if ready > 0 || (ready < 0 && errno != EINTR) { return true }
            if ready == 0 { return false }
        }
    }

    /// Waits for more bytes and puts them behind those that wait; false at the end.
    private func fill() throws -> Bool {
        if let stop {
            _ = waits(atMost: nil)
            stopped = stop.why
            if stopped != nil { return false }
        }
        var more = [UInt8](repeating: 0, count: 0)
        var failed: Int32 = 0
        repeat {
            failed = 0
            more = [UInt8](unsafeUninitializedCapacity: Self.chunk) { buffer, count in
                let got = read(descriptor, buffer.baseAddress, buffer.count)
                if got < 0 { failed = errno } else { count = got }
            }
            if failed == EAGAIN {
                // Whoever shares it does not wait; this does.
                var readable = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                poll(&readable, 1, -1)
            }
        } while failed == EINTR || failed == EAGAIN
        if failed != 0 { throw Failure(.ioError, "\(name) cannot be read: \(String(cString: strerror(failed)))") }
        if more.isEmpty { return false }
        taken += more.count
        if input.isEmpty { input = more[...] } else { input += more }
        return true
    }

    private func unpack() throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: Self.chunk) { buffer, count in
            while count < buffer.count, state != .ended {
                if state == .between, try !nextMember(wait: count == 0) { return }
                if state != .member { continue }
                if input.isEmpty {
                    // What there is goes out before more is waited for.
                    if count > 0 { return }
                    if try !fill() {
                        if stopped != nil {
                            state = .ended
                            return
                        }
                        return end("ends before its gzip data does; it was cut short, or is still written")
                    }
                }
                count += inflate(into: UnsafeMutableBufferPointer(rebasing: buffer[count...]))
            }
        }
    }

    /// After a member comes another, or the end, or zeros that fill up a block.
    /// - Returns: false where it would have to wait and may not.
    private func nextMember(wait: Bool) throws -> Bool {
        input = input.drop { $0 == 0 }
        if input.count < 2 {
            if !wait { return false }
            if try fill() { return true }
            if input.isEmpty { state = .ended } else { end("has bytes behind its gzip data that are not gzip") }
        } else if Self.isGzip(input) {
            inflateReset(stream)
            state = .member
        } else {
            end("has bytes behind its gzip data that are not gzip")
        }
        return true
    }

    private func inflate(into buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var result: Int32 = 0
        let left = input.withUnsafeBufferPointer { bytes in
            // zlib reads through this pointer and does not write.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            stream.pointee.avail_in = UInt32(bytes.count)
            stream.pointee.next_out = buffer.baseAddress
            stream.pointee.avail_out = UInt32(buffer.count)
            result = CZlib.inflate(stream, Z_NO_FLUSH)
            return Int(stream.pointee.avail_in)
        }
        input = input.suffix(left)
        if result == Z_STREAM_END {
            state = .between
        } else if result != Z_OK && result != Z_BUF_ERROR {
            end("is damaged: \(stream.pointee.msg.map { String(cString: $0) } ?? "its gzip data cannot be read")")
        }
        return buffer.count - Int(stream.pointee.avail_out)
    }

    private func end(_ why: String) {
        damage = "\(name) \(why)"
        state = .ended
    }
}
