internal import EventLog
internal import EventModel
internal import GRDB

/// What a compaction of a partition left; the log remembers it, so that a process that starts does not read all of it again.
struct Compacted: Hashable, Sendable {
    /// Records of a partition that is compacted whenever something has come.
    static let small = 10_000

    /// Records that were kept, and how many of these remove their key.
    var kept = 0
    var removals = 0
    /// Where the partition ended.
    var next: Offset = 0
    var horizon = RemovalHorizon()

    /// Whether it is worth while to read all of the partition again: of a large one, once it has grown by a quarter. What has not grown has
    /// nothing to lose but removals whose time has come.
    func isWorthwhile(at end: Offset, _ now: Timestamp) -> Bool {
        if end == next {
            var later = horizon
            later.pass(to: end, at: now)
            return removals > 0 && kept < Self.small && later.settled > horizon.settled
        }
        return kept < Self.small || (end.rawValue - next.rawValue) * 4 >= Int64(kept)
    }
}

extension Compacted {
    /// What is remembered of a partition; nil where nothing is.
    init?(_ db: Database, _ place: Store.Place) throws {
        let statement = try db.cachedStatement(
            sql: "SELECT kept, removals, next, settled, young, since FROM compacted WHERE id = ?")
        guard let row = try Row.fetchOne(statement, arguments: [place.id]) else { return nil }
        let numbers = try (0..<5).map { try row.integer($0) }
        let since: Int64? = try row.decode(atIndex: 5)
        // What cannot be is forgotten: then all of it is read again.
        guard numbers.allSatisfy({ $0 >= 0 }), numbers[2] <= place.next.rawValue, numbers[3] <= numbers[4],
            numbers[4] <= place.next.rawValue
        else { return nil }
        (kept, removals, next) = (Int(numbers[0]), Int(numbers[1]), Offset(numbers[2]))
        horizon = RemovalHorizon(
            settled: Offset(numbers[3]), young: Offset(numbers[4]), since: since.map { Timestamp($0) })
    }

    func remember(_ db: Database, of place: Store.Place) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO compacted VALUES (?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                place.id, kept, removals, next.rawValue, horizon.settled.rawValue, horizon.young.rawValue,
                horizon.since?.rawValue,
            ])
    }
}

extension LocalLog {
    /// Records read at once.
    private static let page = 20_000
    /// Batches that are looked at together, and about twice as many that one commit rewrites: others' commits wait for it.
    private static let rewritten = 8

    /// Keeps only the newest record of each key of a partition, where it was. An empty value removes its key, and goes itself when all who
    /// read have had time to come to it (``RemovalHorizon``).
    ///
    /// The partition is read while others write, then batches that have something to lose are rewritten, a few in each commit and the
    /// first ones first: so a removal is there until what it removes is gone, and a stop in between leaves a partition that is right. A
    /// record that was not the newest of its key never is again.
    func compact(_ partition: TopicPartition, at now: Timestamp) async throws {
        let (place, last) = try await read { db -> (Store.Place, Compacted?) in
            let place = try Store.place(db, partition)
            return (place, try Compacted(db, place))
        }
        if let last, !last.isWorthwhile(at: place.next, now) { return }
        var state = last ?? Compacted()
        state.horizon.pass(to: place.next, at: now)
        var newest: [Bytes: Offset] = [:]
        try await eachPage(of: partition, place) { batch in
            for record in batch.records(before: place.next) { newest[record.key] = record.offset }
        }
        let (known, horizon) = (newest, state.horizon)
        let keeps: @Sendable (EventModel.Record) -> Bool = { record in
            if record.offset >= place.next { return true }
            return known[record.key] == record.offset && (!record.value.isEmpty || horizon.keeps(record.offset))
        }
        newest = [:]
        (state.kept, state.removals, state.next) = (0, 0, place.next)
        var stale: [Int64] = []
        var rows = try await read { try Store.rows($0, place) }[...]
        while !rows.isEmpty {
            try Task.checkCancellation()
            let some = rows.prefix(Self.rewritten)
            rows = rows.dropFirst(Self.rewritten)
            let batches = try await read { db in try some.map { ($0, try Store.batch(db, partition, $0) ?? []) } }
            for (row, records) in batches {
                let left = records.filter { $0.offset < place.next && keeps($0) }
                state.kept += left.count
                state.removals += left.count { $0.value.isEmpty }
                if !records.allSatisfy(keeps) { stale.append(row) }
            }
            if stale.count >= Self.rewritten {
                try await rewrite(stale, of: partition, keeps)
                stale = []
            }
        }
        try await rewrite(stale, of: partition, keeps, remembering: state == last ? nil : state)
    }

    private func eachPage(
        of partition: TopicPartition, _ place: Store.Place, _ body: (Batch) throws -> Void
    ) async throws {
        var next = place.first
        while next < place.next {
            try Task.checkCancellation()
            let from = next
            guard
                let batch = try await read({ try Store.read($0, partition, from: from, max: Self.page)?.batch })
            else { return }
            try body(batch)
            next = batch.next
        }
    }

    private func rewrite(
        _ rows: [Int64], of partition: TopicPartition, _ keeps: @escaping @Sendable (EventModel.Record) -> Bool,
        remembering state: Compacted? = nil
    ) async throws {
        if rows.isEmpty, state == nil { return }
        try await writer.write { round in
            if !rows.isEmpty { round.changesPartitions() }
            for row in rows { try Retention.rewrite(round.db, partition, row, keeps) }
            try state?.remember(round.db, of: try Store.place(round.db, partition))
        }
    }
}

extension Store {
    /// The rows of a partition's batches.
    fileprivate static func rows(_ db: Database, _ place: Place) throws -> [Int64] {
        try Int64.fetchAll(
            db, sql: "SELECT id FROM batches WHERE id >= ? AND id < ? ORDER BY id",
            arguments: [place.rows.lowerBound, place.row(place.next)])
    }

    /// The records of a row; nil where there is no such row any more.
    static func batch(_ db: Database, _ partition: TopicPartition, _ row: Int64) throws -> [EventModel.Record]? {
        let isThere = try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT EXISTS(SELECT 1 FROM batches WHERE id = ?)"), arguments: [row])
        return isThere == true ? try read(db, partition, from: offset(row), max: 1)?.batch.records : nil
    }
}
