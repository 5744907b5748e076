internal import CZlib
internal import EventModel
internal import Foundation

/// The bytes of one stored batch: a checksum and its records.
///
///     "MR" version=1 crc32(4, little endian, of all that follows)
///     varint count, zigzag base timestamp
///     per record: varint offset delta, zigzag timestamp delta, varint key length, key, varint value length, value,
///                 varint header count, per header: varint name length, name, varint value length, value
///
/// Modelled on Kafka's record batch v2 (kafka.apache.org/documentation/#recordbatch); varints are LEB128, the checksum is
/// zlib's CRC-32.
enum Frame {
    static let head = 7

    struct Damaged: Error { var why: String }

    /// - Parameter deltas: how far each record is from the frame's first offset, where they do not follow one another.
    static func encode(_ records: ArraySlice<NewRecord>, deltas: [Int]? = nil) -> Data {
        let base = records.first?.timestamp ?? 0
        var bound = head + 20
        for i in records.indices { bound += size(of: records[i]) }
        // Memory that Data owns: an array would be copied on its way into the statement.
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bound, alignment: 1)
        let buffer = UnsafeMutableBufferPointer(start: memory.assumingMemoryBound(to: UInt8.self), count: bound)
        var out = FrameWriter(bytes: buffer, at: head)
        out.varint(UInt64(records.count))
        out.zigzag(base.rawValue)
        for i in records.indices {
            out.varint(UInt64(deltas?[i - records.startIndex] ?? i - records.startIndex))
            out.record(records[i], after: base)
        }
        let crc = checksum(UnsafeBufferPointer(rebasing: buffer[..<out.at]))
        buffer[0] = 0x4d
        buffer[1] = 0x52
        buffer[2] = 1
        for i in 0..<4 { buffer[3 + i] = UInt8(truncatingIfNeeded: crc >> (8 * UInt32(i))) }
        return Data(bytesNoCopy: memory, count: out.at, deallocator: .custom { memory, _ in memory.deallocate() })
    }

    /// At most so many bytes: a varint has up to ten.
    private static func size(of record: borrowing NewRecord) -> Int {
        record.headers.reduce(50 + record.key.count + record.value.count) {
            $0 + 20 + $1.name.utf8.count + $1.value.count
        }
    }

    /// Appends the records of a frame from an offset on, as slices of its bytes; where it throws, it may have added some.
    static func decode(_ bytes: [UInt8], base: Offset, from: Offset, into records: inout [Record]) throws {
        try bytes.withUnsafeBufferPointer { buffer in
            var (reader, count, baseTime) = try open(buffer)
            for _ in 0..<count {
                let offset = base + Int(try reader.varint())
                let time = Timestamp(baseTime &+ (try reader.zigzag()))
                let key = try reader.run()
                let value = try reader.run()
                let headerCount = try reader.varint()
                if offset < from {
                    for _ in 0..<(2 * headerCount) { _ = try reader.run() }
                    continue
                }
                var headers: [Header] = []
                for _ in 0..<headerCount {
                    let name = try reader.run()
                    headers.append(
                        Header(String(decoding: buffer[name], as: UTF8.self), Bytes(bytes[try reader.run()])))
                }
                records.append(
                    Record(
                        offset: offset, timestamp: time, key: Bytes(bytes[key]), value: Bytes(bytes[value]),
                        headers: headers))
            }
        }
    }

    /// The first offset from another on whose record is of a moment or later; nil where the frame has none.
    static func offset(
        in bytes: UnsafeBufferPointer<UInt8>, base: Offset, from: Offset, at moment: Timestamp
    ) throws -> Offset? {
        var (reader, count, baseTime) = try open(bytes)
        for _ in 0..<count {
            let offset = base + Int(try reader.varint())
            let time = Timestamp(baseTime &+ (try reader.zigzag()))
            if offset >= from, time >= moment { return offset }
            _ = try (reader.run(), reader.run())
            let headers = try reader.varint()
            for _ in 0..<(2 * headers) { _ = try reader.run() }
        }
        return nil
    }

    /// Checks a frame; what reads it is at its first record.
    private static func open(
        _ bytes: UnsafeBufferPointer<UInt8>
    ) throws -> (FrameReader, count: Int, baseTime: Int64) {
        guard bytes.count > head, bytes[0] == 0x4d, bytes[1] == 0x52 else { throw Damaged(why: "it is no frame") }
        guard bytes[2] == 1 else { throw Damaged(why: "its version \(bytes[2]) is not known to this program") }
        let crc = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[3 + $1]) << (8 * UInt32($1)) }
        guard crc == checksum(bytes) else { throw Damaged(why: "its checksum does not match") }
        var reader = FrameReader(bytes: bytes, at: head)
        let count = try Int(reader.varint())
        let baseTime = try reader.zigzag()
        return (reader, count, baseTime)
    }

    private static func checksum(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32(0, bytes.baseAddress! + head, UInt32(bytes.count - head)))
    }
}

/// Writes into a buffer that is large enough for all of it.
private struct FrameWriter {
    let bytes: UnsafeMutableBufferPointer<UInt8>
    var at: Int

    mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes[at] = UInt8(truncatingIfNeeded: value) | 0x80
            at += 1
            value >>= 7
        }
        bytes[at] = UInt8(value)
        at += 1
    }

    mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

    mutating func record(_ record: borrowing NewRecord, after base: Timestamp) {
        // Times may lie further apart than an Int64 holds: the difference wraps, and back.
        zigzag(record.timestamp.rawValue &- base.rawValue)
        record.key.withUnsafeBytes { run($0) }
        record.value.withUnsafeBytes { run($0) }
        varint(UInt64(record.headers.count))
        for header in record.headers {
            var name = header.name
            name.withUTF8 { run(UnsafeRawBufferPointer($0)) }
            header.value.withUnsafeBytes { run($0) }
        }
    }

    mutating func run(_ run: UnsafeRawBufferPointer) {
        varint(UInt64(run.count))
        if let from = run.baseAddress {
            (UnsafeMutableRawPointer(bytes.baseAddress!) + at).copyMemory(from: from, byteCount: run.count)
        }
        at += run.count
    }
}

private struct FrameReader {
    let bytes: UnsafeBufferPointer<UInt8>
    var at: Int

    mutating func varint() throws -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while at < bytes.count, shift < 64 {
            let byte = bytes[at]
            at += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw Frame.Damaged(why: "it ends early")
    }

    mutating func zigzag() throws -> Int64 {
        let value = try varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func run() throws -> Range<Int> {
        let length = try varint()
        guard length <= UInt64(bytes.count - at) else { throw Frame.Damaged(why: "it ends early") }
        defer { at += Int(length) }
        return at..<(at + Int(length))
    }
}
