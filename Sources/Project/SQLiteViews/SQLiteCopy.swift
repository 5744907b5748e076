internal import EventLog
public import EventModel
internal import Foundation
internal import GRDB
public import Projecting
internal import Synchronization

extension SQLiteViews {
    /// Rows read at once of another store's snapshot.
    private static let page = 5000
    /// Pages of a database copied at once: 16 MiB of 4 KiB each.
    private static let step: CInt = 4096

    /// Writes a view, as one moment shows it, into a database of its own that any ``SQLiteViews`` can open. Nothing is there
    /// yet, and nobody relies on what is there before it returns: it is not synced to the disk.
    ///
    /// A view of SQLite is copied page by page of its database, one of another store row by row.
    public static func write(
        _ snapshot: any ViewSnapshot, of projection: AnyProjection, to path: String
    ) async throws {
        do {
            var configuration = Configuration()
            configuration.prepareDatabase { db in
                try db.execute(sql: "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
            }
            if let code = PrivateFiles.makeFile(path) {
                throw ViewError(
                    code == ENOSPC ? .full : .denied, "\(path) cannot be made: \(String(cString: strerror(code)))")
            }
            let file = try DatabaseQueue(path: path, configuration: configuration)
            if let own = snapshot as? Snapshot {
                try await copy(own, to: file)
            } else {
                try await copy(snapshot, of: projection, to: file)
            }
            try file.close()
        } catch {
            throw own(error, path)
        }
    }

    private static func copy(_ snapshot: Snapshot, to file: DatabaseQueue) async throws {
        let isCancelled = Flag()
        try await withTaskCancellationHandler {
            try await blocking {
                try snapshot.held.backup(to: file, pagesPerStep: step) { _ in
                    if isCancelled.value.load(ordering: .relaxed) { throw CancellationError() }
                }
            }
        } onCancel: {
            isCancelled.value.store(true, ordering: .relaxed)
        }
    }

    private final class Flag: Sendable { let value = Atomic(false) }

    private static func copy(
        _ snapshot: any ViewSnapshot, of projection: AnyProjection, to file: DatabaseQueue
    ) async throws {
        try await file.write { try prepare($0, projection) }
        for table in projection.allTables {
            var scan = Scan(table, limit: page)
            let marks = table.columns.map { _ in "?" }.joined(separator: ", ")
            while true {
                let current = scan
                let rows = try await snapshot.read { try $0.rows(current) }
                try await file.write { db in
                    let insert = try db.cachedStatement(sql: "INSERT INTO \"\(table.name)\" VALUES (\(marks))")
                    for row in rows { try insert.run(row) }
                }
                guard rows.count == scan.limit, let last = rows.last else { break }
                scan.after = scan.order.map { last[$0] }
                try Task.checkCancellation()
            }
        }
        let asOf = snapshot.asOf
        try await file.write { db in
            for (place, next) in asOf {
                try db.execute(
                    sql: "INSERT INTO _checkpoints VALUES (?, ?, ?, 1, 'snapshot')",
                    arguments: [place.topic, place.partition.rawValue, next.rawValue])
            }
        }
    }
}
