internal import Foundation
package import MillraceBus

/// A set of keys in a file.
package struct KeyFile: Sendable {
    package let path: String

    package init(_ path: String) { self.path = path }

    /// Reads it.
    ///
    /// - Throws: ``BusError`` where it cannot be read, is no set of keys, or others may do with it what is its owner's alone.
    package func read() throws(BusError) -> KeySet {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if file < 0 {
            throw BusError(
                errno == ENOENT || errno == EACCES ? .noInput : .configuration,
                "the keys of tokens in \(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        // What was opened is what is asked: a name may lead elsewhere a moment later.
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw BusError(.configuration, "the keys of tokens in \(path) cannot be read: it is no file")
        }
        let keys: KeySet
        do throws(KeyRefusal) {
            keys = try KeySet(try text(file))
        } catch {
            throw BusError(.configuration, "the keys of tokens in \(path) are not taken: \(error.why)")
        }
        try check(status.st_mode, keys)
        return keys
    }

    private func text(_ file: Int32) throws(KeyRefusal) -> String {
        var (bytes, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
        while true {
            let count = Foundation.read(file, &buffer, buffer.count)
            if count < 0 { throw KeyRefusal(String(cString: strerror(errno))) }
            if count == 0 { break }
            bytes += buffer.prefix(count)
            if bytes.count > TokenLimits.fileBytes { throw KeyRefusal("it has over \(TokenLimits.fileBytes) bytes") }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw KeyRefusal("it is not UTF-8") }
        return text
    }

    private func check(_ mode: mode_t, _ keys: KeySet) throws(BusError) {
        let shown = String(mode & 0o777, radix: 8)
        if keys.isSecret, mode & 0o077 != 0 {
            throw BusError(
                .configuration,
                "others can read the keys of tokens in \(path) (mode \(shown)), and make tokens with them: chmod 600 \(path)"
            )
        }
        if mode & 0o022 != 0 {
            throw BusError(
                .configuration,
                "others can write the keys of tokens in \(path) (mode \(shown)), and let in whom they like: chmod 644 \(path)"
            )
        }
    }

    /// Writes it anew, for its owner alone, or not at all.
    ///
    /// - Parameter replacing: Whether there may be one: it goes when the new one is there.
    package func write(_ keys: KeySet, replacing: Bool) throws(KeyRefusal) {
        let beside = replacing ? "\(path).\(getpid()).new" : path
        let file = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if file < 0 { throw KeyRefusal("\(beside) cannot be made: \(String(cString: strerror(errno)))") }
        let bytes = Array(keys.text.utf8)
        var code: Int32 = 0
        if Foundation.write(file, bytes, bytes.count) != bytes.count || fsync(file) != 0 { code = errno }
        close(file)
        if code == 0, replacing, rename(beside, path) != 0 { code = errno }
        if code == 0 { return }
        unlink(beside)
        throw KeyRefusal("\(path) cannot be written: \(String(cString: strerror(code)))")
    }
}
