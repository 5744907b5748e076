internal import Foundation

/// Files that the kernel writes as they are read, as those of `/proc`: all of them say that they have 0 bytes, and of such a file
/// `String(contentsOfFile:)` reads a page at most.
package enum KernelFile {
    /// Nil where it cannot be read, or is not UTF-8.
    package static func text(_ path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() else { return nil }
        return String(data: data, encoding: .utf8)
    }
}
