internal import CZlib
internal import Foundation

/// Reads a file or standard input line by line, plain or gzip, off the cooperative pool: one hop a chunk.
final class LineSource {
    struct Line {
        /// From 1.
        var number: Int
        var bytes: ArraySlice<UInt8>
        /// Whether it was cut because it is over the limit.
        var tooLong = false
        /// Whether the input ends in it, without a line feed: its writer may not have finished it.
        var unfinished = false
    }

    private let file: gzFile
    private let path: String
    private let queue = DispatchQueue(label: "millrace.input")
    private let limit: Int
    private var pending: [UInt8] = []
    private var skipping = false
    private var number = 0
    private var ended = false

    /// - Parameter path: `-` is standard input.
    init(_ path: String, limit: Int) throws {
        let file = path == "-" ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb")
        guard let file else {
            throw Failure(.noInput, "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        var isFolder: ObjCBool = false
        if path != "-", FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            gzclose(file)
            throw Failure(.noInput, "\(path) is a folder")
        }
        self.file = file
        self.path = path
        self.limit = limit
        gzbuffer(file, 1 << 18)
    }

    deinit { gzclose(file) }

    /// The lines that the next chunk completes; nil at the end.
    func next() async throws -> [Line]? {
        while true {
            if ended { return nil }
            let chunk = try await read()
            let lines = take(chunk)
            if !lines.isEmpty { return lines }
        }
    }

    private struct Handle: @unchecked Sendable {
        // The file is only used by one read at a time, which this type awaits.
        let file: gzFile
    }

    private func read() async throws -> [UInt8] {
        let handle = Handle(file: file)
        let path = path
        return try await withCheckedThrowingContinuation { continuation in
            queue.async {
                var failed = false
                let chunk = [UInt8](unsafeUninitializedCapacity: 1 << 18) { buffer, count in
                    // gzread waits until its buffer is full; one byte, then what has been read with it, suits a terminal.
                    let first = gzread(handle.file, buffer.baseAddress, 1)
                    if first < 0 { failed = true }
                    if first <= 0 { return }
                    count = 1
                    while count < buffer.count, handle.file.pointee.have > 0 {
                        let more = min(buffer.count - count, Int(handle.file.pointee.have))
                        let read = gzread(handle.file, buffer.baseAddress! + count, UInt32(more))
                        if read <= 0 { break }
                        count += Int(read)
                    }
                }
                if failed {
                    continuation.resume(throwing: Failure(.data, "\(path) is damaged or not a gzip file"))
                } else {
                    continuation.resume(returning: chunk)
                }
            }
        }
    }

    private func take(_ chunk: [UInt8]) -> [Line] {
        var lines: [Line] = []
        func emit(_ bytes: ArraySlice<UInt8>, tooLong: Bool = false, unfinished: Bool = false) {
            number += 1
            let bytes = bytes.last == 0x0d ? bytes.dropLast() : bytes
            lines.append(Line(number: number, bytes: bytes, tooLong: tooLong, unfinished: unfinished))
        }
        if chunk.isEmpty {
            ended = true
            if !pending.isEmpty && !skipping { emit(pending[...], unfinished: true) }
            return lines
        }
        var start = 0
        while let end = chunk[start...].firstIndex(of: 0x0a) {
            if skipping {
                skipping = false
            } else if pending.isEmpty {
                emit(chunk[start..<end])
            } else {
                pending += chunk[start..<end]
                emit(pending[...])
            }
            pending = []
            start = end + 1
        }
        if !skipping { pending += chunk[start...] }
        if pending.count > limit {
            emit(pending.prefix(80), tooLong: true)
            pending = []
            skipping = true
        }
        return lines
    }
}
