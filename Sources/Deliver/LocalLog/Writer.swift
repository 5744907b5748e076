internal import CoreMetrics
internal import EventLog
internal import EventModel
internal import Foundation
internal import GRDB
internal import Metering
internal import Synchronization

/// The one place that writes: everyone who asks while a commit is under way shares the next one (group commit).
final class Writer: Sendable {
    private struct Job: Sendable {
        let run: @Sendable (GroupCommit) throws -> @Sendable () -> Void
        let fail: @Sendable (any Error) -> Void
    }
    private struct State {
        var waiting: [Job] = []
        var running = false
        /// Why nothing can be written.
        var refusal: LogError?
        /// When the last commit was done, and whether the next job came soon enough after it to be met by lingering.
        var done = ContinuousClock.now
        var lingers = false
    }

    /// How long a writer that is asked again and again looks for the next job itself: about what it takes to wake its
    /// thread. Who commits now and then pays nothing for it.
    private static let linger = Duration.microseconds(50)

    private let pool: any DatabaseWriter
    private let lock: FairLock?
    private let path: String
    private let clock: LogClock
    private let metrics: LogMetrics?
    private let complain: @Sendable (String) -> Void
    private let committed: @Sendable (GroupCommit.Done) -> Void
    private let lending: Lending
    private let state = Mutex(State())
    private let arrived = Atomic<Bool>(false)
    /// The partitions as the last commit left them, and SQLite's count of others' commits then.
    private let places = Mutex<(places: [TopicPartition: Store.Place], version: Int64)?>(nil)
    private let queue = DispatchQueue(label: "millrace.writer")

    /// - Parameter lock: Nil for a log that may only be read: what is to be written is refused.
    init(
        pool: any DatabaseWriter, lock: FairLock?, path: String, clock: LogClock, metrics: LogMetrics?,
        lending: Lending,
        complain: @escaping @Sendable (String) -> Void, committed: @escaping @Sendable (GroupCommit.Done) -> Void
    ) {
        (self.pool, self.lock, self.path, self.lending) = (pool, lock, path, lending)
        (self.clock, self.metrics, self.complain, self.committed) = (clock, metrics, complain, committed)
        if lock == nil {
            let why = "the log \(path) may only be read here: its folder cannot be written to"
            state.withLock { $0.refusal = LogError(.denied, why) }
        }
    }

    /// Runs a job in the next commit; returns when it is on the disk. A job throws before it writes, or not at all.
    func write<R: Sendable>(_ job: @escaping @Sendable (GroupCommit) throws -> R) async throws -> R {
        try await withCheckedThrowingContinuation { continuation in
            submit(
                Job(
                    run: { round in
                        let result = try job(round)
                        return { continuation.resume(returning: result) }
                    },
                    fail: { continuation.resume(throwing: $0) }))
        }
    }

    private func submit(_ job: Job) {
        let (start, refusal) = state.withLock { state -> (Bool, LogError?) in
            if let refusal = state.refusal { return (false, refusal) }
            state.waiting.append(job)
            if state.running { return (false, nil) }
            state.running = true
            state.lingers = .now - state.done < Self.linger
            return (true, nil)
        }
        arrived.store(true, ordering: .releasing)
        if let refusal { job.fail(refusal) }
        if start { queue.async { self.drain() } }
    }

    private func drain() {
        var done = ContinuousClock.now
        while true {
            arrived.store(false, ordering: .relaxed)
            let (jobs, lingers) = state.withLock { state in
                defer { state.waiting = [] }
                return (state.waiting, state.lingers)
            }
            if !jobs.isEmpty {
                commit(jobs)
                done = .now
            } else if !lingers || !lingered() {
                let over = state.withLock { state in
                    if !state.waiting.isEmpty { return false }
                    state.running = false
                    state.done = done
                    return true
                }
                if over { return }
            }
        }
    }

    /// Whether a job came while it was looked for.
    private func lingered() -> Bool {
        let end = ContinuousClock.now + Self.linger
        while !arrived.load(ordering: .acquiring) {
            if ContinuousClock.now > end { return false }
        }
        return true
    }

    private func commit(_ jobs: [Job]) {
        guard let lock else { return }
        var done: [@Sendable () -> Void] = []
        var refused: Set<Int> = []
        var pieces: [Lending.Piece] = []
        var written: [TopicPartition] = []
        let known = places.withLock { known in
            defer { known = nil }
            return known
        }
        let stored: GroupCommit.Done
        do {
            stored = try lock.withLock {
                try pool.writeWithoutTransaction { db in
                    let (round, version) = try transact(db) {
                        // It changes where another process, or another who opened the log in this one, has committed.
                        let version = try Int64.fetchOne(db.cachedStatement(sql: "PRAGMA data_version"))
                        let round = GroupCommit(
                            db, places: known.flatMap { $0.version == version ? $0.places : nil }, clock: clock,
                            complain: complain)
                        for (i, job) in jobs.enumerated() {
                            do {
                                done.append(try job.run(round))
                            } catch let error as DatabaseError {
                                throw error
                            } catch {
                                refused.insert(i)
                                job.fail(LogError(error, path))
                            }
                        }
                        written = round.taken.map(\.partition)
                        pieces = lending.pieces(of: round)
                        for i in pieces.indices { try lending.run(&pieces[i], in: round) }
                        try round.finish()
                        return (round, version)
                    }
                    places.withLock { $0 = round.isSpoiled ? nil : version.map { (round.places, $0) } }
                    return round.done
                }
            }
        } catch {
            let failed = LogError(error, path)
            lending.failed(pieces, written, failed)
            lending.release(pieces)
            for (i, job) in jobs.enumerated() where !refused.contains(i) { job.fail(failed) }
            return
        }
        lending.committed(pieces)
        committed(stored)
        lending.release(pieces)
        if let metrics, stored.bytes > 0 {
            metrics.records.increment(by: stored.commit.reduce(0) { $0 + ($1.run.end - $1.run.base) })
            metrics.bytes.increment(by: stored.bytes)
        }
        for resume in done { resume() }
    }

    /// As GRDB's `inTransaction`, without parsing BEGIN and COMMIT again each time.
    private func transact<R>(_ db: Database, _ body: () throws -> R) throws -> R {
        try db.cachedStatement(sql: "BEGIN IMMEDIATE").execute()
        do {
            let result = try body()
            let start = metrics == nil ? nil : ContinuousClock.now
            try db.cachedStatement(sql: "COMMIT").execute()
            if let metrics, let start { metrics.commit.record(since: start) }
            return result
        } catch {
            try? db.rollback()
            throw error
        }
    }

    /// Refuses further jobs and waits for those in hand.
    func close() async {
        state.withLock { $0.refusal = .wasClosed }
        await withCheckedContinuation { continuation in queue.async { continuation.resume() } }
    }
}

extension LogError {
    /// What SQLite said, in words of what to do.
    init(_ error: any Error, _ path: String) {
        if let error = error as? LogError {
            self = error
            return
        }
        if let undecodable = error as? RowDecodingError {
            self = .damaged(path, "a column has no value that it can have: \(undecodable)")
            return
        }
        guard let database = error as? DatabaseError else {
            self.init(.failed, "\(path): \(error)")
            return
        }
        let why = database.message ?? "error \(database.resultCode.rawValue)"
        switch database.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self = .damaged(path, why)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(
                .busy,
                "another program has locked \(path) (\(why)); nothing was written. Let it go on or end it, and try again"
            )
        case .SQLITE_FULL:
            self.init(
                .full, "no room is left on the device for \(path); what was asked was not written. Free some and retry")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
            self.init(.denied, "\(path) cannot be opened for writing (\(why))")
        case .SQLITE_IOERR:
            self.init(.failed, "the device failed while \(path) was used (\(why)); what was asked was not written")
        default:
            self.init(.failed, "\(path): \(why)")
        }
    }

    static func damaged(_ path: String, _ why: String) -> LogError {
        LogError(
            .damaged,
            """
            the log's database \(path) is damaged (\(why)). Nothing was written to it. Restore it from a copy, or save \
            what can be read with: sqlite3 \(path) .recover
            """)
    }
}
