internal import EventLog
internal import EventModel
internal import Foundation
internal import GRDB
package import Metering

/// What may be chosen of a local log.
public struct LocalSettings: Sendable {
    /// Is given what a person should know and no call returns.
    var complain: @Sendable (String) -> Void
    var lock = FairLock.Limits()
    /// What this process has for the time, and what the machine has; nil for the time of a file that is touched.
    var clock: @Sendable () -> Timestamp = { Timestamp(Int64((Date().timeIntervalSince1970 * 1000).rounded(.down))) }
    var machineClock: (@Sendable () -> Timestamp?)?

    /// Whether it is to watch the doorbell, where the system lets it.
    var watches = true

    /// What it counts; nil counts nothing.
    package var metrics: LogMetrics?

    package init(complain: @escaping @Sendable (String) -> Void) { self.complain = complain }

    public static let standardError: @Sendable (String) -> Void = { text in
        StandardError.write("millrace: \(text)\n")
    }
}

extension LocalLog {
    static func openNow(directory: String, _ settings: LocalSettings) throws -> LocalLog {
        let path = directory + "/log.sqlite"
        if access(path, F_OK) == 0, !PrivateFiles.isWritable(directory) || access(path, W_OK) != 0 {
            return try openForReading(directory, path, settings)
        }
        if let code = PrivateFiles.makeFolder(directory + "/members") {
            throw LogError(.denied, "the folder \(directory) cannot be made: \(String(cString: strerror(code)))")
        }
        let lock = try FairLock(directory: directory, limits: settings.lock, complain: settings.complain)
        let clock = LogClock(
            process: settings.clock, machine: settings.machineClock ?? { LogClock.time(touching: lock.turn) },
            complain: settings.complain)
        do {
            let pool = try lock.withLock { try openPool(path) }
            return try LocalLog(
                pool: pool, path: path, settings: settings, clock: clock, lock: lock,
                doorbell: { try CommitNotifier(directory: directory, watches: settings.watches, ring: $0) },
                members: directory + "/members")
        } catch {
            throw LogError(error, path)
        }
    }

    private static func openPool(_ path: String) throws -> DatabasePool {
        // SQLite gives the files beside it the same mode.
        if let code = PrivateFiles.makeFile(path) { throw LogError.file(path, code) }
        let pool = try DatabasePool(path: path, configuration: configuration)
        try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            try db.inTransaction(.immediate) {
                try Store.create(db)
                return .commit
            }
        }
        return pool
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 8
        configuration.label = "millrace.log"
        return configuration
    }

    /// A log in a folder that cannot be written to. SQLite reads it as long as the two files beside it are there, which whoever
    /// writes the log keeps; where both are gone, all is in the database, which is then taken for one that nobody writes.
    private static func openForReading(_ directory: String, _ path: String, _ settings: LocalSettings) throws
        -> LocalLog
    {
        var status = stat()
        let waiting = stat(path + "-wal", &status) == 0 ? status.st_size : nil
        let isIndexed = access(path + "-shm", R_OK) == 0
        if let waiting, waiting > 0, !isIndexed || access(path + "-wal", R_OK) != 0 {
            throw LogError(
                .denied,
                """
                the log's newest commits are in \(path)-wal, which cannot be read without \(path)-shm. Copy the folder to where \
                it can be written to, and read the copy
                """)
        }
        let isChanging = waiting != nil && isIndexed
        var configuration = configuration
        configuration.readonly = true
        do {
            let queue = try DatabaseQueue(path: isChanging ? path : immutable(path), configuration: configuration)
            try queue.writeWithoutTransaction { db in
                if try Store.knownVersion(db) == 0 {
                    throw LogError(.mismatch, "\(path) is no log, or one of an early format")
                }
            }
            let clock = LogClock(process: settings.clock, machine: { nil }, complain: settings.complain)
            return try LocalLog(
                pool: queue, path: path, settings: settings, clock: clock, lock: nil, doorbell: nil, members: nil,
                isChanging: isChanging)
        } catch {
            throw LogError(error, path)
        }
    }

    /// As SQLite's URI, see sqlite.org/uri.html.
    private static func immutable(_ path: String) -> String {
        URL(fileURLWithPath: path).absoluteString + "?immutable=1"
    }
}
