internal import CZlib
internal import EventModel
internal import Foundation

/// The bytes of one stored batch: a checksum and its records.
///
///     "MR" version=2
///     crc32(4), of the topic's name in UTF-8, a zero byte, the partition(4), the batch's first offset(8), and all that follows
///     least timestamp(8), greatest timestamp(8)
///     varint count, zigzag base timestamp
///     per record: varint offset delta, zigzag timestamp delta, varint key length, key, varint value length, value,
///                 varint header count, per header: varint name length, name, varint value length, value
///
/// Numbers of a fixed size are little endian. Version 1 has neither the two timestamps nor the batch's place in its checksum;
/// it is read as ever. Modelled on Kafka's record batch v2 (kafka.apache.org/documentation/#recordbatch); varints are LEB128,
/// the checksum is zlib's CRC-32.
enum Frame {
    /// The letters, the version and the checksum.
    static let head = 7
    /// The same, and the least and the greatest timestamp.
    static let start = head + 16
    static let version: UInt8 = 2

    struct Damaged: Error { var why: String }

    /// What a frame says of its records.
    struct Contents: Equatable {
        var version: UInt8
        var count: Int
        var last: Offset
        var least: Timestamp
        var greatest: Timestamp
    }

    /// The partition whose frames these are, as far as it is in their checksums: none can pass for that of another place.
    struct Seal: Sendable {
        private let seed: UInt

        init(_ partition: TopicPartition) {
            var bytes = Array(partition.topic.utf8) + [0]
            let number = UInt32(bitPattern: partition.partition.rawValue)
            for i in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * UInt32(i)))) }
            seed = crc32(0, bytes, UInt32(bytes.count))
        }

        func checksum(_ bytes: UnsafeBufferPointer<UInt8>, version: UInt8, base: Offset) -> UInt32 {
            var crc: UInt = 0
            if version > 1 {
                crc = withUnsafeBytes(of: base.rawValue.littleEndian) {
                    crc32(seed, $0.baseAddress!.assumingMemoryBound(to: UInt8.self), 8)
                }
            }
            return UInt32(truncatingIfNeeded: crc32(crc, bytes.baseAddress! + head, UInt32(bytes.count - head)))
        }
    }

    /// - Parameters:
    ///   - records: One at least.
    ///   - deltas: How far each record is from the frame's first offset, where they do not follow one another.
    static func encode(
        _ records: ArraySlice<NewRecord>, of seal: Seal, at base: Offset, deltas: [Int]? = nil
    ) -> (bytes: Data, greatest: Timestamp) {
        let time = records.first?.timestamp ?? 0
        var (least, greatest) = (time, time)
        var bound = start + 20
        for i in records.indices { bound += size(of: records[i]) }
        // Memory that Data owns: an array would be copied on its way into the statement.
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bound, alignment: 1)
        let buffer = UnsafeMutableBufferPointer(start: memory.assumingMemoryBound(to: UInt8.self), count: bound)
        var out = FrameWriter(bytes: buffer, at: start)
        out.varint(UInt64(records.count))
        out.zigzag(time.rawValue)
        for i in records.indices {
            out.varint(UInt64(deltas?[i - records.startIndex] ?? i - records.startIndex))
            out.record(records[i], after: time)
            least = min(least, records[i].timestamp)
            greatest = max(greatest, records[i].timestamp)
        }
        (buffer[0], buffer[1], buffer[2]) = (0x4d, 0x52, version)
        memory.storeBytes(of: least.rawValue.littleEndian, toByteOffset: head, as: Int64.self)
        memory.storeBytes(of: greatest.rawValue.littleEndian, toByteOffset: head + 8, as: Int64.self)
        let crc = seal.checksum(UnsafeBufferPointer(rebasing: buffer[..<out.at]), version: version, base: base)
        memory.storeBytes(of: crc.littleEndian, toByteOffset: 3, as: UInt32.self)
        let bytes = Data(bytesNoCopy: memory, count: out.at, deallocator: .custom { memory, _ in memory.deallocate() })
        return (bytes, greatest)
    }

    /// At most so many bytes: a varint has up to ten.
    private static func size(of record: borrowing NewRecord) -> Int {
        record.headers.reduce(50 + record.key.count + record.value.count) {
            $0 + 20 + $1.name.utf8.count + $1.value.count
        }
    }

    /// Appends the records of a frame from an offset on, and of some times, as slices of its bytes; where it throws, it may
    /// have added some.
    @discardableResult
    static func decode(
        _ bytes: [UInt8], of seal: Seal, base: Offset, from: Offset, within times: ClosedRange<Timestamp>? = nil,
        into records: inout [Record]
    ) throws -> Contents {
        let (low, high) = (times?.lowerBound ?? Timestamp(.min), times?.upperBound ?? Timestamp(.max))
        return try bytes.withUnsafeBufferPointer { buffer in
            try read(buffer, of: seal, base: base) { reader, offset, time in
                if offset < from || time < low || time > high {
                    try skip(&reader)
                    return true
                }
                let key = try reader.run()
                let value = try reader.run()
                let headerCount = try reader.count(ofAtLeast: 2)
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
                return true
            }
        }
    }

    /// The first offset from another on whose record is of a moment or later; nil where the frame has none.
    static func offset(
        in bytes: UnsafeBufferPointer<UInt8>, of seal: Seal, base: Offset, from: Offset, at moment: Timestamp
    ) throws -> Offset? {
        var found: Offset?
        try read(bytes, of: seal, base: base) { reader, offset, time in
            if offset >= from, time >= moment {
                found = offset
                return false
            }
            try skip(&reader)
            return true
        }
        return found
    }

    /// The greatest time of the records before an offset, nil where the frame has none.
    static func greatest(
        in bytes: UnsafeBufferPointer<UInt8>, of seal: Seal, base: Offset, before end: Offset
    ) throws -> Timestamp? {
        var found: Timestamp?
        try read(bytes, of: seal, base: base) { reader, offset, time in
            if offset >= end { return false }
            found = max(found ?? time, time)
            try skip(&reader)
            return true
        }
        return found
    }

    /// The least time that a frame says its records have, from its first bytes alone; nil where they do not say it.
    static func least(saidBy first: [UInt8]) -> Timestamp? {
        guard first.count >= start, first[0] == 0x4d, first[1] == 0x52, first[2] == version else { return nil }
        return first.withUnsafeBytes {
            Timestamp(Int64(littleEndian: $0.loadUnaligned(fromByteOffset: head, as: Int64.self)))
        }
    }

    private static func skip(_ reader: inout FrameReader) throws {
        _ = try (reader.run(), reader.run())
        for _ in 0..<(try reader.count(ofAtLeast: 2)) { _ = try (reader.run(), reader.run()) }
    }

    /// Checks a frame, and gives its records one by one, each as the reader that stands at its key, until told to stop. It is
    /// inlined so that no record costs a call.
    @inline(__always)
    @discardableResult
    private static func read(
        _ bytes: UnsafeBufferPointer<UInt8>, of seal: Seal, base: Offset,
        _ body: (_ reader: inout FrameReader, _ offset: Offset, _ time: Timestamp) throws -> Bool
    ) throws -> Contents {
        guard bytes.count > head, bytes[0] == 0x4d, bytes[1] == 0x52 else { throw Damaged(why: "it is no frame") }
        let version = bytes[2]
        guard version == 1 || version == Frame.version else {
            throw Damaged(why: "its version \(version) is not known to this program")
        }
        let raw = UnsafeRawBufferPointer(bytes)
        guard
            UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 3, as: UInt32.self))
                == seal.checksum(bytes, version: version, base: base)
        else {
            throw Damaged(
                why: version == 1
                    ? "its checksum does not match" : "its checksum does not match, or it is of another place")
        }
        guard version == 1 || bytes.count > start else { throw Damaged(why: "it ends early") }
        var reader = FrameReader(bytes: bytes, at: version == 1 ? head : start)
        // The least record has no key, no value and no headers.
        let count = try reader.count(ofAtLeast: 5)
        let baseTime = try reader.zigzag()
        var found = Contents(
            version: version, count: count, last: base, least: Timestamp(.max), greatest: Timestamp(.min))
        var next: UInt64 = 0
        for _ in 0..<count {
            let delta = try reader.varint()
            guard delta >= next, delta < 1 << Store.offsetBits else {
                throw Damaged(why: "its records are not in order")
            }
            next = delta + 1
            found.last = base + Int(delta)
            let time = Timestamp(baseTime &+ (try reader.zigzag()))
            found.least = min(found.least, time)
            found.greatest = max(found.greatest, time)
            if !(try body(&reader, found.last, time)) { return found }
        }
        guard reader.at == bytes.count else { throw Damaged(why: "it goes on after its last record") }
        if version > 1, count > 0 {
            let said = (
                Int64(littleEndian: raw.loadUnaligned(fromByteOffset: head, as: Int64.self)),
                Int64(littleEndian: raw.loadUnaligned(fromByteOffset: head + 8, as: Int64.self))
            )
            guard said == (found.least.rawValue, found.greatest.rawValue) else {
                throw Damaged(why: "its times are not those of its records")
            }
        }
        return found
    }
}
