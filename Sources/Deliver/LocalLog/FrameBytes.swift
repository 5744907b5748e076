internal import EventModel

/// Writes into a buffer that is large enough for all of it.
struct FrameWriter {
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

/// Reads bytes that may be anything: what they cannot be is ``Frame/Damaged``.
struct FrameReader {
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

    /// How many things follow, each of so many bytes at least.
    mutating func count(ofAtLeast size: Int) throws -> Int {
        let count = try varint()
        guard count <= UInt64((bytes.count - at) / size) else { throw Frame.Damaged(why: "it ends early") }
        return Int(count)
    }
}
