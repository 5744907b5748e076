internal import Foundation

/// A folder that is seen a second time where nobody can write to it, which only root can do.
public final class ReadOnlyFolder: Sendable {
    public static let missing =
        "a folder cannot be mounted here for reading (it takes root, and a container that allows it)"
    public static let isPossible: Bool = {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("seen-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard geteuid() == 0, let seen = try? ReadOnlyFolder(of: folder) else { return false }
        seen.remove()
        return true
    }()

    /// Where it is seen.
    public let path: String

    public init(of folder: String) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("read-only-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // From <sys/mount.h>: MS_BIND, and MS_REMOUNT with MS_RDONLY.
        let (bind, remount, readOnly): (UInt, UInt, UInt) = (4096, 32, 1)
        if mount(folder, path, nil, bind, nil) == 0 {
            if mount(nil, path, nil, bind | remount | readOnly, nil) == 0 { return }
            umount2(path, Int32(MNT_DETACH))
        }
        let why = String(cString: strerror(errno))
        rmdir(path)
        throw Overdue(description: "\(folder) cannot be mounted for reading: \(why)")
    }

    public func remove() {
        umount2(path, Int32(MNT_DETACH))
        rmdir(path)
    }
}
