internal import EventLog
public import EventModel
internal import Foundation
public import Projecting
internal import Synchronization

extension SQLiteViews {
    public func lockBuilds(of projection: AnyProjection) async throws -> any BuildLock {
        let path = "\(directory)/\(projection.build(0).storage).rebuild"
        return try await Self.blocking { try SQLiteBuildLock(path, projection) }
    }
}

/// A lock on a file that says whose it is, `PROCESS`. The kernel lets it go with the process; what is left of the file then is taken by the next.
final class SQLiteBuildLock: BuildLock {
    private let path: String
    private let file: Mutex<Int32?>

    /// - Throws: ``ViewError`` where another has it, or the file cannot be made.
    init(_ path: String, _ projection: AnyProjection) throws {
        self.path = path
        while true {
            let file = PrivateFiles.open(path, O_RDWR | O_CREAT)
            if file < 0 { throw Self.failure(path, errno) }
            if flock(file, LOCK_EX | LOCK_NB) != 0 {
                let code = errno
                let who = Self.process(in: file)
                close(file)
                if code == EINTR { continue }
                if code == EWOULDBLOCK { throw ViewError.rebuilding(projection, by: who) }
                throw Self.failure(path, code)
            }
            // Who had it before may have removed the file after it was opened here.
            if Self.isSame(file, path) {
                let text = Array("\(getpid())\n".utf8)
                if ftruncate(file, 0) != 0 || pwrite(file, text, text.count, 0) != text.count {
                    let code = errno
                    close(file)
                    throw Self.failure(path, code)
                }
                self.file = Mutex(file)
                return
            }
            close(file)
        }
    }

    deinit { letGo() }

    func release() async { letGo() }

    private func letGo() {
        guard let file = file.withLock({ $0.take() }) else { return }
        unlink(path)
        close(file)
    }

    private static func process(in file: Int32) -> String? {
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = pread(file, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int(String(decoding: bytes[..<count], as: UTF8.self).trimmingCharacters(in: .newlines))
            .map { "process \($0)" }
    }

    private static func isSame(_ file: Int32, _ path: String) -> Bool {
        var (opened, named) = (stat(), stat())
        return fstat(file, &opened) == 0 && stat(path, &named) == 0 && opened.st_dev == named.st_dev
            && opened.st_ino == named.st_ino
    }

    private static func failure(_ path: String, _ code: Int32) -> ViewError {
        ViewError(
            code == ENOSPC || code == EDQUOT ? .full : .denied,
            "\(path) cannot be made or locked: \(String(cString: strerror(code)))")
    }
}
