internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Synchronization

/// Reads a file, a pipe or standard input line by line, plain or gzip, off the cooperative pool: one hop a chunk. A byte
/// order mark of UTF-8 is dropped; a text in UTF-16 or UTF-32 is refused, and what is packed otherwise than by gzip.
final class LineSource {
    typealias Line = InputLine

    let path: String
    /// Whether it is a file that can be opened again to read the same lines once more.
    var isFile: Bool { input.isFile }
    /// How much of the file was read, 0 to 1; nil where it is none.
    var share: Double? { input.share }
    /// Whether the text began with a byte order mark.
    private(set) var hadMark = false
    /// Why reading was ended before the input's end. A line that was cut by that is left out.
    private(set) var stopped: String?
    /// What is wrong with the input, once its end has been reached. A line that was cut by that is left out.
    private(set) var damage: String?

    private let input: InputBytes
    private let queue = DispatchQueue(label: "millrace.input")
    /// The first bytes, until there are enough of them to tell the encoding.
    private var first: [UInt8]? = []
    private var splitter: LineSplitter
    private var ended = false

    /// - Parameters:
    ///   - path: `-` is standard input.
    ///   - stop: Ends the reading.
    init(_ path: String, limit: Int, stop: InputStop? = nil) throws {
        input = try InputBytes(path, stop: stop)
        self.path = path
        splitter = LineSplitter(limit: limit)
    }

    /// The lines that the next chunk completes; nil at the end.
    func next() async throws -> [Line]? { try await next { try await self.read() } }

    /// The same; does something again and again while it waits for an input that stands still.
    func next(every pause: Duration, _ meanwhile: () async throws -> Void) async throws -> [Line]? {
        try await next { try await self.read(every: pause, meanwhile) }
    }

    private func next(_ read: () async throws -> [UInt8]) async throws -> [Line]? {
        while true {
            if ended { return nil }
            let chunk = try await read()
            if chunk.isEmpty {
                ended = true
                (damage, stopped) = (input.damage, input.stopped)
            }
            let lines = take(try text(chunk))
            if !lines.isEmpty { return lines }
        }
    }

    /// Whether there is more, or the end, within so long. What waits within gzip does not count.
    func hasMore(within limit: Duration) async -> Bool {
        // As a rule there is, and nobody has to wait.
        if isFile || ended || input.waits(atMost: .zero) { return true }
        let handle = Handle(input: input)
        return await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: handle.input.waits(atMost: limit)) }
        }
    }

    private struct Handle: @unchecked Sendable {
        // The input is only used by one read at a time, which this type awaits.
        let input: InputBytes
    }

    private func read() async throws -> [UInt8] {
        let handle = Handle(input: input)
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try handle.input.next() }) }
        }
    }

    private final class Arrival: Sendable {
        let signal = Signal()
        let chunk = Mutex<Result<[UInt8], any Error>?>(nil)
    }

    private func read(every pause: Duration, _ meanwhile: () async throws -> Void) async throws -> [UInt8] {
        let (handle, arrival) = (Handle(input: input), Arrival())
        queue.async {
            let chunk = Result { try handle.input.next() }
            arrival.chunk.withLock { $0 = chunk }
            arrival.signal.notify()
        }
        while true {
            let version = arrival.signal.version
            if let chunk = arrival.chunk.withLock({ $0 }) { return try chunk.get() }
            try await meanwhile()
            try Task.checkCancellation()
            await arrival.signal.wait(past: version, atMost: pause)
        }
    }

    /// Sees to how the text begins.
    private func text(_ chunk: [UInt8]) throws -> [UInt8] {
        guard var start = first else { return chunk }
        start += chunk
        if start.count < 4 && !ended && !Self.isPlain(start) {
            first = start
            return []
        }
        first = nil
        if let encoding = Self.wide(start) {
            throw Failure(
                .data, "\(input.name) is text in \(encoding); write it as UTF-8 first: iconv -f \(encoding) -t UTF-8")
        }
        if let unpacking = Self.unpacking(start) {
            throw Failure(
                .data, "\(input.name) is packed, and only gzip is unpacked here; give what \(unpacking) gives")
        }
        hadMark = start.starts(with: ByteOrderMark.bytes)
        return hadMark ? Array(start.dropFirst(3)) : start
    }

    /// Whether a text of fewer than four bytes is already known to be one of a byte a character: its first line has ended, and
    /// is not to wait for the next.
    private static func isPlain(_ start: [UInt8]) -> Bool {
        start.count >= 2 && start.last == 0x0a && !start.contains(0)
            && ![[0xff, 0xfe], [0xfe, 0xff], [0xef, 0xbb]].contains(Array(start.prefix(2)))
    }

    /// The encoding of a text of two or four bytes a character, by its mark, or else by where its zeros are.
    private static func wide(_ start: [UInt8]) -> String? {
        if start.starts(with: [0xff, 0xfe, 0, 0]) { return "UTF-32LE" }
        if start.starts(with: [0, 0, 0xfe, 0xff]) { return "UTF-32BE" }
        if start.starts(with: [0xff, 0xfe]) { return "UTF-16LE" }
        if start.starts(with: [0xfe, 0xff]) { return "UTF-16BE" }
        guard start.count >= 4 else { return nil }
        switch (start[0] == 0, start[1] == 0, start[2] == 0, start[3] == 0) {
        case (false, true, false, true): return "UTF-16LE"
        case (true, false, true, false): return "UTF-16BE"
        default: return nil
        }
    }

    /// What unpacks a text that begins as other packings do (RFC 8878, and the pages of the others' formats), also gzip
    /// within gzip.
    private static func unpacking(_ start: [UInt8]) -> String? {
        let beginnings: [([UInt8], String)] = [
            ([0x28, 0xb5, 0x2f, 0xfd], "zstd -dc"), ([0xfd, 0x37, 0x7a, 0x58], "xz -dc"),
            ([0x04, 0x22, 0x4d, 0x18], "lz4 -dc"), ([0x50, 0x4b, 0x03, 0x04], "unzip -p"),
            ([0x37, 0x7a, 0xbc, 0xaf], "7z x -so"), ([0x1f, 0x8b], "gzip -dc"), ([0x1f, 0x9d], "gzip -dc"),
        ]
        // "BZh9" may be a word; the digits of pi behind it are none.
        let pi: [UInt8] = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]
        if start.starts(with: Array("BZh".utf8)), start.dropFirst(4).starts(with: pi) { return "bzip2 -dc" }
        return beginnings.first { start.starts(with: $0.0) }?.1
    }

    private func take(_ chunk: [UInt8]) -> [Line] {
        splitter.take(chunk, endsWhole: ended && damage == nil && stopped == nil)
    }
}
