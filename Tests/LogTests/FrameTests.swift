import CZlib
import EventModel
import Foundation
import Testing

@testable import LocalLog

private let place = TopicPartition("events", 3)

/// A frame of the second version as the first would have been: the same records, with a checksum of them alone.
func firstVersion(_ frame: [UInt8]) -> [UInt8] {
    let records = Array(frame[Frame.start...])
    return [0x4d, 0x52, 1] + littleEndian(UInt32(truncatingIfNeeded: crc32(0, records, UInt32(records.count))))
        + records
}

private func littleEndian(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }

@Suite("A frame")
struct FrameTests {
    private static let seal = Frame.Seal(place)
    private let base: Offset = 41

    private func decoded(
        _ bytes: [UInt8], of seal: Frame.Seal = seal, base: Offset = 41, from: Offset = 0,
        within times: ClosedRange<Timestamp>? = nil
    ) throws -> (records: [Record], contents: Frame.Contents) {
        var records: [Record] = []
        let contents = try Frame.decode(bytes, of: seal, base: base, from: from, within: times, into: &records)
        return (records, contents)
    }

    private func records(_ random: inout SeededRandom) -> [NewRecord] {
        (0..<Int.random(in: 1...12, using: &random)).map { _ in
            func bytes(_ most: Int) -> Bytes {
                Bytes((0..<Int.random(in: 0...most, using: &random)).map { _ in .random(in: 0...255, using: &random) })
            }
            let time: Int64 = [
                .min, .max, 0, noon.rawValue, .random(in: .min ... .max, using: &random),
            ].randomElement(using: &random)!
            return NewRecord(
                key: bytes(20), value: bytes(200), timestamp: Timestamp(time),
                headers: (0..<Int.random(in: 0...3, using: &random)).map { Header("h\($0)", bytes(9)) })
        }
    }

    /// Written out by hand, so that it stays what it is: one hit, with the times and the place that are in its checksum.
    @Test func `has the bytes that the format says`() throws {
        let record = NewRecord(key: "a#9", value: Bytes([10, 3, 10, 1, 97]), timestamp: 1_795_420_178_236)
        let bytes = [UInt8](Frame.encode([record], of: Frame.Seal(TopicPartition("hits.events", 2)), at: 7).bytes)
        let time: [UInt8] = [0x3c, 0xc7, 0x61, 0x07, 0xa2, 0x01, 0, 0]
        let body: [UInt8] =
            time + time + [1, 0xf8, 0x9c, 0x8e, 0xf6, 0xc0, 0x68, 0, 0, 3, 0x61, 0x23, 0x39, 5, 10, 3, 10, 1, 0x61, 0]
        let covered = Array("hits.events".utf8) + [0, 2, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0] + body
        let crc = UInt32(truncatingIfNeeded: crc32(0, covered, UInt32(covered.count)))
        #expect(bytes == [0x4d, 0x52, 2] + littleEndian(crc) + body)
    }

    @Test func `comes back as it was given, in both versions, whatever its times`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("frames: seed \(seed)")
        var random = SeededRandom(seed)
        for _ in 0..<500 {
            let given = records(&random)
            let (data, greatest) = Frame.encode(given[...], of: Self.seal, at: base)
            let bytes = [UInt8](data)
            for (version, frame) in [(UInt8(2), bytes), (1, firstVersion(bytes))] {
                let (records, contents) = try decoded(frame)
                #expect(records.map(\.value) == given.map(\.value) && records.map(\.key) == given.map(\.key))
                #expect(records.map(\.headers) == given.map(\.headers), "seed \(seed)")
                #expect(records.map(\.timestamp) == given.map(\.timestamp), "seed \(seed)")
                #expect(records.map(\.offset) == given.indices.map { base + $0 })
                let times = given.map(\.timestamp)
                #expect(
                    contents
                        == Frame.Contents(
                            version: version, count: given.count, last: base + (given.count - 1), least: times.min()!,
                            greatest: times.max()!))
                #expect(greatest == times.max())
                let some = min(times[0], times.last!)...max(times[0], times.last!)
                #expect(
                    try decoded(frame, from: base + 1, within: some).records.map(\.offset)
                        == given.indices.dropFirst().filter { some.contains(times[$0]) }.map { base + $0 })
            }
            #expect(Frame.least(saidBy: bytes) == given.map(\.timestamp).min())
            #expect(Frame.least(saidBy: firstVersion(bytes)) == nil)
        }
    }

    private static let others: [(TopicPartition, Offset)] = [
        (TopicPartition("events", 3), 42), (TopicPartition("events", 2), 41), (TopicPartition("event", 3), 41),
        (TopicPartition("s", 3), 41),
    ]

    @Test(arguments: others)
    func `is of one place only`(other: TopicPartition, offset: Offset) throws {
        let bytes = [UInt8](Frame.encode([NewRecord("a", "b")], of: Self.seal, at: base).bytes)
        #expect(throws: Frame.Damaged.self) { try decoded(bytes, of: Frame.Seal(other), base: offset) }
    }

    @Test func `of any bytes at all is read or is damage, and stops nothing`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("frames of any bytes: seed \(seed)")
        var random = SeededRandom(seed)
        var (read, damaged) = (0, 0)
        for round in 0..<6000 {
            var bytes = [UInt8](Frame.encode(records(&random)[...], of: Self.seal, at: base).bytes)
            if Bool.random(using: &random) { bytes = firstVersion(bytes) }
            // Beside what is anywhere, the counts and lengths near the start, as large as they can be.
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                let near = Bool.random(using: &random) ? bytes.count : min(bytes.count, 40)
                let at = Int.random(in: 0..<near, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes[at] = .random(in: 0...255, using: &random)
                case 2: for i in at..<min(bytes.count, at + 9) { bytes[i] = 0 }
                case 3: for i in at..<min(bytes.count, at + 9) { bytes[i] = 0xff }
                default: bytes.removeLast(Int.random(in: 0...min(9, bytes.count), using: &random))
                }
            }
            // Half of them by one who knows the checksum.
            if round % 2 == 0, bytes.count > Frame.head {
                bytes[0...1] = [0x4d, 0x52]
                let crc = bytes.withUnsafeBufferPointer {
                    Self.seal.checksum($0, version: bytes[2], base: base)
                }
                bytes.replaceSubrange(3..<7, with: littleEndian(crc))
            }
            do {
                let (records, contents) = try decoded(bytes)
                #expect(records.count == contents.count && records.allSatisfy { $0.offset >= base }, "seed \(seed)")
                read += 1
            } catch is Frame.Damaged {
                damaged += 1
            }
            bytes.withUnsafeBufferPointer { buffer in
                _ = try? Frame.offset(in: buffer, of: Self.seal, base: base, from: 0, at: noon)
                _ = try? Frame.greatest(in: buffer, of: Self.seal, base: base, before: base + 3)
            }
            _ = Frame.least(saidBy: bytes)
        }
        #expect(read > 200 && damaged > 200, "\(read) were read, \(damaged) were damaged, seed \(seed)")
    }

    /// How many records, a record's offset, its headers and lengths, each at its most; offsets that go back; a byte too many.
    private static let impossible: [[UInt8]] = [
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0],
        [1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0],
        [1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        [1, 0, 0, 0, 0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1],
        [1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0],
        [2, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 9],
    ]

    @Test(arguments: impossible)
    func `that says what cannot be is damage`(body: [UInt8]) {
        let crc = UInt32(truncatingIfNeeded: crc32(0, body, UInt32(body.count)))
        #expect(throws: Frame.Damaged.self) { try decoded([0x4d, 0x52, 1] + littleEndian(crc) + body) }
    }

    @Test func `whose times are not those of its records is damage`() throws {
        for at in [Frame.head, Frame.head + 8] {
            var bytes = [UInt8](Frame.encode([NewRecord("a", "b")], of: Self.seal, at: base).bytes)
            bytes[at] ^= 1
            let crc = bytes.withUnsafeBufferPointer { Self.seal.checksum($0, version: 2, base: base) }
            bytes.replaceSubrange(3..<7, with: littleEndian(crc))
            let error = #expect(throws: Frame.Damaged.self) { try decoded(bytes) }
            #expect(error?.why == "its times are not those of its records")
        }
    }
}
