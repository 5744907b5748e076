internal import Foundation

/// A file system of some megabytes, which only root can make.
public final class SmallDisk: Sendable {
    public static let missing = "a small tmpfs cannot be mounted here (it takes root, and a container that allows it)"
    public static let isPossible: Bool = {
        guard geteuid() == 0, let disk = try? SmallDisk(megabytes: 1) else { return false }
        disk.remove()
        return true
    }()

    public let folder: String
    private var ballast: String { folder + "/ballast" }

    public init(megabytes: Int) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("small-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard mount("none", folder, "tmpfs", 0, "size=\(megabytes)m") == 0 else {
            let why = String(cString: strerror(errno))
            try? FileManager.default.removeItem(atPath: folder)
            throw Overdue(description: "a small disk cannot be mounted: \(why)")
        }
    }

    /// Leaves so many kilobytes free.
    public func fill(leaving kilobytes: Int) throws {
        let file = open(ballast, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if file < 0 { throw Overdue(description: "\(ballast) cannot be made: \(String(cString: strerror(errno)))") }
        defer { close(file) }
        // Others may write meanwhile.
        for _ in 0..<100 {
            var (disk, own) = (statvfs(), stat())
            guard statvfs(folder, &disk) == 0, fstat(file, &own) == 0 else { break }
            let excess = Int(disk.f_bavail) * Int(disk.f_bsize) - kilobytes * 1024
            if excess < 4096 { return }
            if posix_fallocate(file, own.st_size, excess) != 0 { continue }
        }
        throw Overdue(description: "\(folder) could not be filled")
    }

    /// Gives the room back that ``fill(leaving:)`` took.
    public func free() { try? FileManager.default.removeItem(atPath: ballast) }

    public func remove() {
        umount2(folder, Int32(MNT_DETACH))
        try? FileManager.default.removeItem(atPath: folder)
    }
}
