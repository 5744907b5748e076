internal import CZlib
internal import EventLog
internal import Foundation
internal import KVDomain
internal import Synchronization

/// Blocks of a copy that memory has no room for, in a file: each compressed, with a checksum.
///
/// A block on disk is, in little-endian:
///
///     magic "KVB1"(4) checksum(4) number(8) bytes before compression(4) bytes behind this head(4); a zlib stream (RFC 1950)
///
/// The checksum is zlib's CRC-32 of all that follows it, so that a block in another's place is not taken for it. Nothing is
/// kept from one process to the next: the log is the truth. So nothing is flushed either.
package final class SegmentFile: BlockStore {
    private static let magic: UInt32 = 0x3142_564b
    private static let head = 24

    fileprivate struct State {
        var places: [Int: (offset: Int, length: Int)] = [:]
        /// Ranges that nobody uses, by their offsets.
        var holes: [(offset: Int, length: Int)] = []
        var next = 1
        var end = 0
    }

    /// For people, and for tests that damage it.
    package let path: String
    private let descriptor: Int32
    private let state = Mutex(State())

    /// A new file in a folder, which is made where it is missing. Files of processes that have gone are removed.
    ///
    /// - Throws: `LogError`.
    package init(in folder: String, partition: Int) throws {
        if let code = PrivateFiles.makeFolder(folder) {
            throw LogError(.denied, "the folder \(folder) cannot be made: \(String(cString: strerror(code)))")
        }
        Self.removeLeft(in: folder)
        path = "\(folder)/kv-\(getpid())-\(UInt32.random(in: 0 ... .max))-\(partition).blocks"
        descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0 {
            let code = errno
            let kind: LogError.Kind =
                code == ENOSPC ? .full : [EACCES, EPERM, EROFS].contains(code) ? .denied : .failed
            throw LogError(kind, "\(path) cannot be made: \(String(cString: strerror(code)))")
        }
        _ = flock(descriptor, LOCK_EX | LOCK_NB)
    }

    deinit {
        unlink(path)
        Foundation.close(descriptor)
    }

    /// Who has a file holds its lock as long as he lives.
    private static func removeLeft(in folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where name.hasPrefix("kv-") && name.hasSuffix(".blocks") {
            let file = Foundation.open("\(folder)/\(name)", O_RDWR | O_CLOEXEC)
            if file < 0 { continue }
            if flock(file, LOCK_EX | LOCK_NB) == 0 { unlink("\(folder)/\(name)") }
            Foundation.close(file)
        }
    }

    /// Bytes of the file that blocks take.
    package var size: Int { state.withLock { $0.places.values.reduce(0) { $0 + $1.length } } }

    package func write(_ block: [UInt8]) throws -> Int {
        var packed = [UInt8](repeating: 0, count: Self.head + Int(compressBound(UInt(block.count))))
        var length = UInt(packed.count - Self.head)
        let code = packed.withUnsafeMutableBufferPointer { out in
            compress2(out.baseAddress! + Self.head, &length, block, UInt(block.count), 1)
        }
        if code != Z_OK { throw DamagedBlock(path, "a block cannot be compressed (zlib says \(code))") }
        packed.removeLast(packed.count - Self.head - Int(length))
        return try state.withLock { state in
            let number = state.next
            state.next += 1
            packed.withUnsafeMutableBytes { bytes in
                bytes.storeBytes(of: Self.magic.littleEndian, as: UInt32.self)
                bytes.storeBytes(of: UInt64(number).littleEndian, toByteOffset: 8, as: UInt64.self)
                bytes.storeBytes(of: UInt32(block.count).littleEndian, toByteOffset: 16, as: UInt32.self)
                bytes.storeBytes(of: UInt32(length).littleEndian, toByteOffset: 20, as: UInt32.self)
                bytes.storeBytes(of: Self.checksum(bytes).littleEndian, toByteOffset: 4, as: UInt32.self)
            }
            let offset = state.room(packed.count)
            var done = 0
            while done < packed.count {
                let count = packed.withUnsafeBytes {
                    pwrite(descriptor, $0.baseAddress! + done, $0.count - done, off_t(offset + done))
                }
                if count < 0, errno == EINTR { continue }
                if count <= 0 {
                    state.free(offset, packed.count)
                    throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
                }
                done += count
            }
            state.places[number] = (offset, packed.count)
            return number
        }
    }

    package func read(_ number: Int) throws -> [UInt8] {
        guard let place = state.withLock({ $0.places[number] }) else {
            throw DamagedBlock("\(path), block \(number)", "there is no such block")
        }
        func damaged(_ why: String) -> DamagedBlock {
            DamagedBlock("\(path), block \(number) at \(place.offset)", why)
        }
        var packed = [UInt8](repeating: 0, count: place.length)
        var done = 0
        while done < packed.count {
            let count = packed.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress! + done, $0.count - done, off_t(place.offset + done))
            }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { throw damaged(count == 0 ? "the file ends within it" : String(cString: strerror(errno))) }
            done += count
        }
        let (isSound, raw) = packed.withUnsafeBytes { bytes in
            (
                UInt32(littleEndian: bytes.load(as: UInt32.self)) == Self.magic
                    && UInt32(littleEndian: bytes.load(fromByteOffset: 4, as: UInt32.self)) == Self.checksum(bytes)
                    && UInt64(littleEndian: bytes.load(fromByteOffset: 8, as: UInt64.self)) == UInt64(number),
                Int(UInt32(littleEndian: bytes.load(fromByteOffset: 16, as: UInt32.self)))
            )
        }
        if !isSound { throw damaged("its checksum is not that of its bytes") }
        var length = UInt(raw)
        var code = Z_OK
        let block = [UInt8](unsafeUninitializedCapacity: raw) { out, count in
            code = packed.withUnsafeBufferPointer {
                uncompress(out.baseAddress!, &length, $0.baseAddress! + Self.head, UInt($0.count - Self.head))
            }
            count = code == Z_OK ? Int(length) : 0
        }
        if code != Z_OK || block.count != raw { throw damaged("it cannot be taken apart (zlib says \(code))") }
        return block
    }

    package func drop(_ number: Int) {
        state.withLock { state in
            guard let place = state.places.removeValue(forKey: number) else { return }
            state.free(place.offset, place.length)
        }
    }

    private static func checksum(_ bytes: UnsafeMutableRawBufferPointer) -> UInt32 {
        checksum(UnsafeRawBufferPointer(bytes))
    }
    private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        let base = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
        return UInt32(truncatingIfNeeded: crc32(0, base + 8, UInt32(bytes.count - 8)))
    }
}

extension SegmentFile.State {
    /// Where so many bytes fit: the first hole that is large enough, else the end.
    fileprivate mutating func room(_ length: Int) -> Int {
        if let at = holes.firstIndex(where: { $0.length >= length }) {
            let hole = holes[at]
            if hole.length == length {
                holes.remove(at: at)
            } else {
                holes[at] = (hole.offset + length, hole.length - length)
            }
            return hole.offset
        }
        defer { end += length }
        return end
    }

    /// Neighbouring holes become one; a hole at the end is none.
    fileprivate mutating func free(_ offset: Int, _ length: Int) {
        var (low, high) = (0, holes.count)
        while low < high {
            let middle = (low + high) / 2
            if holes[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        holes.insert((offset, length), at: low)
        if low + 1 < holes.count, holes[low].offset + holes[low].length == holes[low + 1].offset {
            holes[low].length += holes.remove(at: low + 1).length
        }
        if low > 0, holes[low - 1].offset + holes[low - 1].length == holes[low].offset {
            holes[low - 1].length += holes.remove(at: low).length
        }
        if let last = holes.last, last.offset + last.length == end { end = holes.removeLast().offset }
    }
}
