internal import Caching
internal import EventModel
internal import Foundation
internal import MillraceBus

/// A file of requests for a cache.
///
/// | format | a line | who writes it |
/// |---|---|---|
/// | `numbers` | a number; lines that are none are passed over | the LIRS authors' traces |
/// | `ranges` | start, count and two more numbers: so many keys from the start on | the ARC authors' traces |
/// | `keys` | a key, as it is | anyone |
enum TraceFormat: String, CaseIterable {
    case numbers, ranges, keys

    /// How many keys one line of ranges may ask for.
    static let longestRange: UInt64 = 1_000_000

    /// What a line that is not blank says of the file that begins with it.
    static func of(_ line: ArraySlice<UInt8>) -> TraceFormat {
        let fields = numbers(line)
        return fields.contains(nil) ? .keys : fields.count == 4 ? .ranges : fields.count == 1 ? .numbers : .keys
    }

    /// The fields of a line; nil for one that is no number of 64 bits.
    static func numbers(_ line: ArraySlice<UInt8>) -> [UInt64?] {
        line.split { $0 == 0x20 || $0 == 0x09 }.map { UInt64(String(decoding: $0, as: UTF8.self)) }
    }
}

/// Reads lines of one format into a trace.
struct TraceReader {
    private(set) var trace = Trace()
    private(set) var format: TraceFormat?
    /// Lines that are no request.
    private(set) var passedOver = 0
    private var numbers = Numbering<UInt64>()
    private var names = Numbering<Bytes>()

    init(_ format: TraceFormat?) { self.format = format }

    mutating func take(_ line: InputLine, of file: String) throws {
        if line.tooLong {
            throw Failure(.data, "\(file): line \(line.number) is longer than \(Limits.lineBytes) bytes")
        }
        let text = line.bytes
        if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return }
        let format = format ?? TraceFormat.of(text)
        self.format = format
        switch format {
        case .keys: try append(names.number(of: Bytes(Array(text))))
        case .numbers:
            guard let number = TraceFormat.numbers(text).first ?? nil, TraceFormat.numbers(text).count == 1 else {
                passedOver += 1
                return
            }
            try append(numbers.number(of: number))
        case .ranges: try range(line, of: file)
        }
    }

    private mutating func range(_ line: InputLine, of file: String) throws {
        let fields = TraceFormat.numbers(line.bytes)
        guard fields.count >= 2, let start = fields[0], let count = fields[1] else {
            throw Failure(.data, "\(file): line \(line.number) is not \"start count ...\"; --format says otherwise")
        }
        guard count <= TraceFormat.longestRange, start <= .max - count else {
            throw Failure(
                .data,
                "\(file): line \(line.number) asks for \(count) keys; at most \(TraceFormat.longestRange) are taken")
        }
        for key in start..<start + count { try append(numbers.number(of: key)) }
    }

    mutating func take(key: Bytes) throws { try append(names.number(of: key)) }

    private mutating func append(_ key: UInt32) throws {
        guard trace.keys.count < CachingLimits.entries else {
            throw Failure(.data, "there are more than \(CachingLimits.entries) requests; take a part of them")
        }
        trace.append(key)
    }
}

extension TraceReader {
    static func file(_ path: String, format: TraceFormat?) async throws -> TraceReader {
        let source = try LineSource(path, limit: Limits.lineBytes)
        var reader = TraceReader(format)
        while let lines = try await source.next() {
            for line in lines { try reader.take(line, of: path) }
        }
        if let damage = source.damage { throw Failure(.data, damage) }
        return reader
    }
}
