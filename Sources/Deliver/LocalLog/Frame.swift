internal import CZlib
internal import EventModel

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

    static func encode(_ records: some Collection<(delta: Int, record: NewRecord)>) -> [UInt8] {
        let base = records.first?.record.timestamp ?? 0
        var out = FrameWriter(capacity: records.reduce(64) { $0 + $1.record.key.count + $1.record.value.count + 24 })
        out.bytes += [0x4d, 0x52, 1, 0, 0, 0, 0]
        out.varint(UInt64(records.count))
        out.zigzag(base.rawValue)
        for (delta, record) in records {
            out.varint(UInt64(delta))
            // Times may lie further apart than an Int64 holds: the difference wraps, and back.
            out.zigzag(record.timestamp.rawValue &- base.rawValue)
            out.run(record.key)
            out.run(record.value)
            out.varint(UInt64(record.headers.count))
            for header in record.headers {
                out.varint(UInt64(header.name.utf8.count))
                out.bytes += Array(header.name.utf8)
                out.run(header.value)
            }
        }
        let crc = checksum(out.bytes)
        for i in 0..<4 { out.bytes[3 + i] = UInt8(truncatingIfNeeded: crc >> (8 * UInt32(i))) }
        return out.bytes
    }

    /// The records of a frame from an offset on, as slices of its bytes.
    static func decode(_ bytes: [UInt8], base: Offset, from: Offset) throws -> [Record] {
        guard bytes.count > head, bytes[0] == 0x4d, bytes[1] == 0x52 else { throw Damaged(why: "it is no frame") }
        guard bytes[2] == 1 else { throw Damaged(why: "its version \(bytes[2]) is not known to this program") }
        let crc = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[3 + $1]) << (8 * UInt32($1)) }
        guard crc == checksum(bytes) else { throw Damaged(why: "its checksum does not match") }
        return try bytes.withUnsafeBufferPointer { buffer in
            var reader = FrameReader(bytes: buffer, at: head)
            let count = try Int(reader.varint())
            let baseTime = try reader.zigzag()
            var records: [Record] = []
            records.reserveCapacity(count)
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
            return records
        }
    }

    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBufferPointer { buffer in
            UInt32(truncatingIfNeeded: crc32(0, buffer.baseAddress! + head, UInt32(buffer.count - head)))
        }
    }
}

private struct FrameWriter {
    var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

    mutating func run(_ run: Bytes) {
        varint(UInt64(run.count))
        bytes.append(contentsOf: run.slice)
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
