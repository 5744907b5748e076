internal import EventModel
internal import Foundation
internal import GRDB
internal import GRDBSQLite
internal import Projecting

/// A connection that reads on the caller's thread, for some hundred microseconds at most. Where a read has waited for the disk, threads
/// that may wait read the view for a moment.
///
/// It is Sendable unchecked: whoever has taken it uses it alone.
final class QuickConnection: @unchecked Sendable {
    /// Which view it is to, and the number of what counts its commits.
    var place: (view: LiveVersions.Name, number: UInt64)?
    /// Whether its last read has waited for the disk.
    private(set) var hasWaited = false
    private let statements: QuickStatements
    private let steps = StepLimit()
    private var waits = WaitWatch()
    /// The offsets of the rows, and of which state of the view they are.
    private var known: (version: ViewVersion, asOf: [TopicPartition: Offset])?

    /// - Returns: nil where it cannot be opened.
    init?(_ path: String) {
        guard let statements = QuickStatements(path) else { return nil }
        self.statements = statements
        steps.watch(statements.connection)
    }

    /// All that `body` reads is of one moment.
    ///
    /// - Parameter body: It is called again where the view has changed while it read.
    /// - Returns: nil where it would take long.
    func read<R>(
        _ state: LiveState,
        _ body: (_ reader: any ViewReader, _ asOf: () throws -> [TopicPartition: Offset]) throws -> R
    ) throws -> R? {
        waits.begin()
        steps.begin()
        defer {
            steps.end()
            hasWaited = waits.end()
        }
        do {
            // Each statement reads what is newest when it begins. Where the view has the same version before the first and after the
            // last, all of them have read that one, and no transaction need hold it.
            let first = state.version
            let result = Result { try body(QuickReader(statements: statements)) { try asOf(first, state) } }
            if case .failure(let error as DatabaseError) = result, error.resultCode == .SQLITE_INTERRUPT { return nil }
            if state.version == first { return try result.get() }
            return try held(state, body)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_INTERRUPT {
            return nil
        }
    }

    /// The same in a transaction.
    private func held<R>(
        _ state: LiveState,
        _ body: (_ reader: any ViewReader, _ asOf: () throws -> [TopicPartition: Offset]) throws -> R
    ) throws -> R {
        // Interrupted once it has taken effect, it would leave the connection in a transaction for ever.
        steps.end()
        try statements.statement("BEGIN").run([])
        steps.begin()
        let result = Result {
            try body(QuickReader(statements: statements)) {
                try Checkpoints.offsets(statements.statement(Checkpoints.all))
            }
        }
        steps.end()
        try statements.statement("COMMIT").run([])
        return try result.get()
    }

    private func asOf(_ first: ViewVersion, _ state: LiveState) throws -> [TopicPartition: Offset] {
        if let known, known.version == first { return known.asOf }
        let asOf = try Checkpoints.offsets(statements.statement(Checkpoints.all))
        if state.version == first { known = (first, asOf) }
        return asOf
    }
}

/// A view as one connection reads it.
private struct QuickReader: ViewReader {
    let statements: QuickStatements

    func rows(_ scan: Scan) throws -> [EventModel.Row] {
        if scan.after == nil {
            return try statements.statement(of: scan).rows(SQL.arguments(scan), of: scan.table)
        }
        let (sql, arguments) = SQL.select(scan)
        let rows = try statements.statement(sql).rows(arguments, of: scan.table)
        try scan.checkProgress(rows)
        return rows
    }

    func rows(_ table: Table, keys: [EventModel.Row]) throws -> [EventModel.Row] {
        let statement = try statements.statement(SQL.load(table))
        return try keys.compactMap { try statement.rows($0, of: table).first }
    }

    func sums(_ columns: [Int], over scan: Scan) throws -> [Int64] {
        let (sql, arguments) = SQL.sum(columns, scan)
        let sums = try statements.statement(sql).rows(arguments).first
        return columns.indices.map { sums?[$0].integer ?? 0 }
    }
}

/// A connection that only reads, and its statements: GRDB's go over a queue, and ask for each what may be asked now.
private final class QuickStatements {
    /// A view's queries are few; what a query makes up anew each time is not kept for ever.
    private static let most = 100

    let connection: OpaquePointer
    private var prepared: [String: OpaquePointer] = [:]
    private var scans: [(shape: ScanShape, statement: OpaquePointer)] = []

    /// - Returns: nil where it cannot be opened.
    init?(_ path: String) {
        var connection: OpaquePointer?
        let isOpen = sqlite3_open_v2(path, &connection, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK
        guard isOpen, let connection else {
            sqlite3_close(connection)
            return nil
        }
        sqlite3_extended_result_codes(connection, 1)
        // What keys are found by, of ten million rows, is more than the 2 MB of pages that there are otherwise.
        sqlite3_exec(connection, "PRAGMA cache_size = -\(SQLiteViews.cache >> 10)", nil, nil, nil)
        self.connection = connection
    }

    deinit {
        forget()
        sqlite3_close(connection)
    }

    /// The statement of a scan that has no cursor.
    func statement(of scan: Scan) throws -> RowStatement {
        let shape = ScanShape(scan)
        for known in scans where known.shape == shape { return RowStatement(known.statement) }
        let statement = try prepare(SQL.select(scan).0)
        scans.append((shape, statement))
        return RowStatement(statement)
    }

    func statement(_ sql: String) throws -> RowStatement { RowStatement(try prepare(sql)) }

    private func prepare(_ sql: String) throws -> OpaquePointer {
        if let known = prepared[sql] { return known }
        if prepared.count >= Self.most { forget() }
        var statement: OpaquePointer?
        guard sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil) == SQLITE_OK,
            let statement
        else { throw DatabaseError(of: connection, sql: sql) }
        prepared[sql] = statement
        return statement
    }

    private func forget() {
        for statement in prepared.values { sqlite3_finalize(statement) }
        (prepared, scans) = ([:], [])
    }
}

/// Ends a read that takes too many steps of SQLite's machine, before its caller's thread is held up.
private final class StepLimit {
    /// Instructions that a read may have: some thousand rows by a key.
    private static let most = 20_000
    /// After how many they are counted.
    private static let counted = 500
    private var left = Int.max

    func watch(_ connection: OpaquePointer) {
        sqlite3_progress_handler(
            connection, Int32(Self.counted),
            { limit in
                guard let limit else { return 0 }
                return Unmanaged<StepLimit>.fromOpaque(limit).takeUnretainedValue().passed() ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    func begin() { left = Self.most }
    func end() { left = .max }

    private func passed() -> Bool {
        left -= Self.counted
        return left < 0
    }
}

/// Sees whether reads wait for a disk. To ask the system costs as much as to read a row, so it is asked only for a while after a read
/// that took longer than reads without a disk do.
private struct WaitWatch {
    private static let long: UInt64 = 200_000
    private static let watched = 100
    private var start: UInt64 = 0
    private var before: Int?
    private var left = 0

    mutating func begin() {
        start = DispatchTime.now().uptimeNanoseconds
        before = left > 0 ? BlockInput.count : nil
    }

    /// Whether the read that began has waited for a disk, as far as that was looked at.
    mutating func end() -> Bool {
        if DispatchTime.now().uptimeNanoseconds - start > Self.long {
            left = Self.watched
        } else if left > 0 {
            left -= 1
        }
        return before.map { $0 != BlockInput.count } ?? false
    }
}

/// How often this thread has waited for what a disk had to read.
private enum BlockInput {
    static var count: Int {
        #if os(Linux)
            var usage = rusage()
            // 1 is RUSAGE_THREAD, a name that glibc keeps from whoever does not ask for its own.
            return getrusage(1, &usage) == 0 ? usage.ru_inblock : 0
        #else
            return 0
        #endif
    }
}
