public import Foundation

/// Has the shell do something, and waits for it.
///
/// Not by Foundation's `Process`: that reads past the end of a buffer where a process has very many files open, as tests have
/// (swift-corelibs-foundation, pull request 5472).
/// - Returns: What it says on standard output, and whether it ends with 0.
public func shell(_ command: String) -> (out: Data, isDone: Bool) {
    guard let stream = popen(command, "r") else { return (Data(), false) }
    var (out, buffer) = (Data(), [UInt8](repeating: 0, count: 1 << 16))
    while true {
        let count = fread(&buffer, 1, buffer.count, stream)
        if count == 0 { break }
        out.append(contentsOf: buffer.prefix(count))
    }
    return (out, pclose(stream) == 0)
}

/// What is in a file that gzip has packed.
public func unpacked(_ path: String) throws -> Data {
    let (out, isDone) = shell("exec gzip -dc '\(path)'")
    if !isDone { throw Overdue(description: "gzip does not unpack \(path)") }
    return out
}
