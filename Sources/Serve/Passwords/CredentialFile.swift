package import EventModel
internal import Foundation
internal import GRDB
internal import MillraceBus
internal import Secrets
internal import Synchronization

/// Where what checks passwords is kept: a database of its own, for its owner alone, that is not made from the log.
///
/// A verifier is kept under a user and the id of the command that set the password. It is written before the command is sent,
/// and holds once the account names it. So several may be there of one user; all but the one that holds are of commands that
/// were refused, or came before.
///
/// Several processes may use one file. Calls block for as long as SQLite needs.
package final class CredentialFile: Sendable {
    package let path: String
    private let opened = Mutex<DatabaseQueue?>(nil)

    /// Names the file. Nothing is opened before it is asked.
    package init(_ path: String) { self.path = path }

    /// What checks a password; nil where there is nothing.
    package func verifier(of user: String, _ credential: String) throws -> PasswordVerifier? {
        let text = try using { database in
            try database.read { db in
                try String.fetchOne(
                    db, sql: "SELECT verifier FROM credentials WHERE user = ? AND credential = ?",
                    arguments: [user, credential])
            }
        }
        guard let text else { return nil }
        guard let verifier = PasswordVerifier(text) else {
            throw BusError(
                .configuration, "the store of credentials \(path) has something for \(user) that is no verifier")
        }
        return verifier
    }

    /// Keeps what checks a password, unless there is one under that name.
    ///
    /// - Returns: whether it was kept.
    package func keep(_ verifier: PasswordVerifier, of user: String, _ credential: String, at now: Timestamp) throws
        -> Bool
    {
        try using { database in
            try database.write { db in
                try db.execute(
                    sql: "INSERT OR IGNORE INTO credentials (user, credential, verifier, kept_at) VALUES (?, ?, ?, ?)",
                    arguments: [user, credential, verifier.text, now.rawValue])
                return db.changesCount > 0
            }
        }
    }

    /// Forgets one whose command was refused.
    package func forget(_ user: String, _ credential: String) throws {
        try using { database in
            try database.write { db in
                try db.execute(
                    sql: "DELETE FROM credentials WHERE user = ? AND credential = ?", arguments: [user, credential])
            }
        }
    }

    /// Forgets those of a user that do not hold, but for new ones, whose commands may be on their way.
    package func forgetOthers(of user: String, than credential: String, at now: Timestamp) throws {
        try using { database in
            try database.write { db in
                try db.execute(
                    sql: "DELETE FROM credentials WHERE user = ? AND credential <> ? AND kept_at < ?",
                    arguments: [user, credential, (now - PasswordLimits.orphan).rawValue])
            }
        }
    }

    /// Looks at the file, where there is one: whoever starts a process that asks it later learns at once what is wrong.
    ///
    /// - Throws: ``BusError`` where it cannot be opened, is no file, or others can read it.
    package func check() throws { try look(O_RDONLY, mayBeAbsent: true) }

    private func look(_ how: Int32, mayBeAbsent: Bool = false) throws(BusError) {
        let file = Foundation.open(path, how | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        if file < 0 {
            if mayBeAbsent, errno == ENOENT { return }
            throw BusError(
                .configuration,
                "the store of credentials \(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        let isFile = fstat(file, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        close(file)
        if !isFile { throw BusError(.configuration, "the store of credentials \(path) is no file") }
        if status.st_mode & 0o077 != 0 {
            throw BusError(
                .configuration,
                "others can read the store of credentials \(path) (mode \(String(status.st_mode & 0o777, radix: 8))), and guess "
                    + "passwords from it: chmod 600 \(path)")
        }
    }

    private func using<R>(_ body: (DatabaseQueue) throws -> R) throws -> R {
        let database = try opened.withLock { opened in
            if let opened { return opened }
            let database = try open()
            opened = database
            return database
        }
        do {
            return try body(database)
        } catch let error as DatabaseError {
            throw failure(error)
        }
    }

    private func failure(_ error: DatabaseError) -> BusError {
        // SQLite's own message may show a statement, never its arguments.
        BusError(
            error.resultCode == .SQLITE_BUSY ? .tryAgain : .unavailable,
            "the store of credentials \(path) does not answer: \(error.message ?? "SQLite error \(error.resultCode.rawValue)")"
        )
    }

    private func open() throws -> DatabaseQueue {
        // It is made for its owner before SQLite opens it, which would make it as the mask of the process says.
        try look(O_RDWR | O_CREAT)
        var configuration = Configuration()
        configuration.busyMode = .timeout(Double(PasswordLimits.storeWait.milliseconds) / 1000)
        do {
            let database = try DatabaseQueue(path: path, configuration: configuration)
            try database.write { db in
                try db.execute(
                    sql: """
                        CREATE TABLE IF NOT EXISTS credentials (
                            user TEXT NOT NULL, credential TEXT NOT NULL, verifier TEXT NOT NULL, kept_at INTEGER NOT NULL,
                            PRIMARY KEY (user, credential)
                        ) WITHOUT ROWID
                        """)
            }
            return database
        } catch let error as DatabaseError {
            throw failure(error)
        }
    }
}
