internal import ArgumentParser

/// A size of memory as people write it.
enum KVMemory {
    /// The least that is taken: blocks of all partitions need some.
    static let least = 1_048_576
    private static let units = [("GiB", 1_073_741_824), ("MiB", 1_048_576), ("KiB", 1024), ("", 1)]

    /// Bytes of `512MiB`, `2GiB`, `4096KiB` or `1048576`.
    ///
    /// - Throws: `ValidationError` for anything else, and for less than ``least``.
    static func bytes(_ text: String) throws -> Int {
        for (unit, size) in units where text.hasSuffix(unit) {
            guard let number = Int(text.dropLast(unit.count)), number > 0 else { break }
            let (bytes, isOver) = number.multipliedReportingOverflow(by: size)
            if isOver { break }
            if bytes < least { throw ValidationError("--memory is at least 1MiB, not \(text)") }
            return bytes
        }
        throw ValidationError("--memory is a size as 512MiB, 2GiB or 1048576, not \(text)")
    }
}
