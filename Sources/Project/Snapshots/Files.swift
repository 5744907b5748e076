internal import CZlib
internal import EventLog
internal import Foundation
internal import Projecting

/// Files that are whole or not there. All of it blocks.
enum Files {
    /// What a file's name ends with until it is whole.
    static let partial = ".partial"
    private static let chunk = 1 << 20

    /// Forces a file to the disk; gives its size and its CRC-32.
    static func sync(_ path: String) throws -> (bytes: Int64, checksum: UInt32) {
        let file = try open(path, O_RDONLY)
        defer { close(file) }
        let sum = try each(of: file, path) { _ in }
        if fsync(file) != 0 { throw failure(path) }
        return sum
    }

    /// Takes the ending away from a file's name, and forces the name to the disk.
    static func rename(_ path: String) throws {
        if Foundation.rename(path + partial, path) != 0 { throw failure(path) }
        let folder = try open((path as NSString).deletingLastPathComponent, O_RDONLY)
        defer { close(folder) }
        if fsync(folder) != 0 { throw failure(path) }
    }

    /// Copies a file; gives the size and the CRC-32 of what was read.
    static func copy(_ from: String, to path: String) throws -> (bytes: Int64, checksum: UInt32) {
        let (source, target) = (try open(from, O_RDONLY), try open(path, O_WRONLY | O_CREAT | O_TRUNC))
        defer {
            close(source)
            close(target)
        }
        return try each(of: source, from) { bytes in
            var left = bytes
            while !left.isEmpty {
                let count = write(target, left.baseAddress, left.count)
                if count < 0 && errno == EINTR { continue }
                if count < 0 { throw failure(path) }
                left = UnsafeRawBufferPointer(rebasing: left[count...])
            }
        }
    }

    /// Bytes that are free for us on the device of a folder.
    static func free(_ folder: String) throws -> Int64 {
        var status = statvfs()
        if statvfs(folder, &status) != 0 { throw failure(folder) }
        return Int64(status.f_bavail) * Int64(status.f_frsize)
    }

    private static func each(
        of file: Int32, _ path: String, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> (bytes: Int64, checksum: UInt32) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: 16)
        defer { buffer.deallocate() }
        var (bytes, checksum) = (Int64(0), crc32(0, nil, 0))
        while true {
            let count = read(file, buffer.baseAddress, chunk)
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw failure(path) }
            if count == 0 { return (bytes, UInt32(truncatingIfNeeded: checksum)) }
            checksum = crc32(checksum, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(count))
            bytes += Int64(count)
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    private static func open(_ path: String, _ flags: Int32) throws -> Int32 {
        let file = PrivateFiles.open(path, flags)
        if file < 0 { throw failure(path) }
        return file
    }

    static func failure(_ path: String) -> ViewError {
        let code = errno
        let why = String(cString: strerror(code))
        switch code {
        case ENOSPC, EDQUOT: return ViewError(.full, "\(path): \(why)")
        case EACCES, EPERM, EROFS: return ViewError(.denied, "\(path): \(why)")
        // A snapshot that was removed meanwhile is none.
        case ENOENT, EIO: return ViewError(.damaged, "\(path): \(why)")
        default: return ViewError(.failed, "\(path): \(why)")
        }
    }
}

/// A lock on a folder among processes, held until it is released or its process dies.
final class FileLock: Sendable {
    static let name = "lock"
    private let file: Int32

    /// Makes the folder where it is missing. Nil where another holds the lock.
    init?(in folder: String) throws {
        if let code = PrivateFiles.makeFolder(folder) {
            throw ViewError(.denied, "the folder \(folder) cannot be made: \(String(cString: strerror(code)))")
        }
        let path = "\(folder)/\(Self.name)"
        file = PrivateFiles.open(path, O_RDWR | O_CREAT)
        if file < 0 { throw Files.failure(path) }
        if flock(file, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            close(file)
            if code == EWOULDBLOCK || code == EINTR { return nil }
            errno = code
            throw Files.failure(path)
        }
    }

    func release() { close(file) }
}
