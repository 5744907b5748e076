internal import Foundation

/// A secret that stands in the first line of a file, without its end. Nothing behind it is looked at.
enum SecretLine {
    /// - Parameters:
    ///   - path: `-` is standard input.
    ///   - what: What it is, as errors say it.
    ///   - most: How many bytes it may have.
    static func read(_ path: String, _ what: String, atMost most: Int) throws -> String {
        if path == "-" { return try read(from: STDIN_FILENO, "standard input", what, atMost: most) }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        if file < 0 {
            throw Failure(.noInput, "the \(what) file \(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        return try read(from: file, path, what, atMost: most)
    }

    static func read(from file: Int32, _ name: String, _ what: String, atMost most: Int) throws -> String {
        var (bytes, byte) = ([UInt8](), UInt8(0))
        while true {
            let count = Foundation.read(file, &byte, 1)
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(.ioError, "\(name) cannot be read: \(String(cString: strerror(errno)))")
            }
            if count == 0 || byte == UInt8(ascii: "\n") { break }
            bytes.append(byte)
            // One more may be the end of a line.
            if bytes.count > most + 1 { throw Failure(.data, "the \(what) in \(name) has over \(most) bytes") }
        }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(.data, "the \(what) in \(name) is not UTF-8")
        }
        return text
    }
}
