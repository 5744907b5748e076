internal import EventLog
internal import EventModel
internal import Foundation
internal import GRDB
internal import GRDBSQLite

/// How the stored batches of a partition are read.
extension Store {
    /// Batches looked at in one read that hands on few records, so that it ends in good time.
    private static let glances = 10_000

    /// What one read gave.
    struct Reading {
        var batch: Batch
        /// Whether it has all that there was.
        var isWhole: Bool
        /// Bytes of its keys and values.
        var bytes: Int
    }

    /// Up to about `max` records of a partition from an offset on.
    ///
    /// - Parameters:
    ///   - bytes: Of keys and values, after which it ends too.
    ///   - times: Of which they are, nil for any. Batches that have no such times are not decoded.
    static func read(
        _ db: Database, _ partition: TopicPartition, from: Offset, max: Int, bytes: Int = readBytes,
        within times: ClosedRange<Timestamp>? = nil
    ) throws -> Reading? {
        let place = try place(db, partition)
        if from >= place.next { return nil }
        let from = Swift.max(from, place.first)
        let seal = Frame.Seal(partition)
        var glance = Glance(db)
        defer { glance.close() }
        var records: [EventModel.Record] = []
        var next = place.next
        var (passed, seen, size) = (0, 0, 0)
        let full = times == nil ? Int.max : Swift.max(max, glances)
        try frames(db, partition, place, from: from, withBytes: times == nil) { entry, row in
            if records.count >= max || size >= bytes || passed >= glances || seen >= full {
                next = entry.base
                return false
            }
            if let times, try entry.newest < times.lowerBound || !glance.mayBegin(entry, by: times.upperBound) {
                passed += 1
                return true
            }
            let frame =
                try times == nil
                ? row.withUnsafeData(atIndex: Entry.frame) { [UInt8]($0 ?? Data()) } : glance.all(of: entry)
            let before = records.count
            let contents = try Frame.decode(
                frame, of: seal, base: entry.base, from: from, within: times, into: &records)
            for record in records[before...] { size += record.key.count + record.value.count }
            try entry.check(contents)
            seen += contents.count
            return true
        }
        return Reading(
            batch: Batch(source: partition, records: records, next: next), isWhole: next == place.next, bytes: size)
    }

    /// What the columns of a batch say of its frame.
    private struct Entry {
        static let frame = 4

        var row: Int64
        var base: Offset
        var last: Offset
        var newest: Timestamp
        var reached: Timestamp

        init(_ row: GRDB.Row) throws {
            guard let id = try? row.integer(0), let last = try? row.integer(1), let newest = try? row.integer(2),
                let reached = try? row.integer(3)
            else { throw Frame.Damaged(why: "its row does not hold numbers") }
            (self.row, base) = (id, Store.offset(id))
            (self.last, self.newest, self.reached) = (Offset(last), Timestamp(newest), Timestamp(reached))
        }

        /// Frames of the first version may have lost their last records to a compaction that left the row as it was.
        func check(_ contents: Frame.Contents) throws {
            guard contents.count > 0, contents.version == 1 ? contents.last <= last : contents.last == last,
                contents.greatest == newest
            else { throw Frame.Damaged(why: "its row says other offsets or times than its frame") }
        }

        func checkOrder(after before: Entry?) throws {
            guard base <= last, newest <= reached, before.map({ $0.last < base && $0.reached <= reached }) ?? true
            else { throw Frame.Damaged(why: "its row does not follow the one before") }
        }
    }

    /// Looks at frames, or only at their first bytes; the rest stays where it is.
    private struct Glance {
        private let db: Database
        private var blob: OpaquePointer?

        init(_ db: Database) { self.db = db }

        /// Whether a batch may have a record of a moment or an earlier one.
        mutating func mayBegin(_ entry: Entry, by moment: Timestamp) throws -> Bool {
            if entry.newest <= moment { return true }
            return try Frame.least(saidBy: bytes(of: entry, atMost: Frame.start)).map { $0 <= moment } ?? true
        }

        mutating func all(of entry: Entry) throws -> [UInt8] { try bytes(of: entry, atMost: .max) }

        private mutating func bytes(of entry: Entry, atMost most: Int) throws -> [UInt8] {
            try check(
                blob == nil
                    ? sqlite3_blob_open(db.sqliteConnection, "main", "batches", "frame", entry.row, 0, &blob)
                    : sqlite3_blob_reopen(blob, entry.row))
            let count = min(Int(sqlite3_blob_bytes(blob)), most)
            return try [UInt8](unsafeUninitializedCapacity: count) { bytes, filled in
                if count > 0 { try check(sqlite3_blob_read(blob, bytes.baseAddress, CInt(count), 0)) }
                filled = count
            }
        }

        private func check(_ code: CInt) throws {
            if code != SQLITE_OK { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
        }

        mutating func close() {
            sqlite3_blob_close(blob)
            blob = nil
        }
    }

    /// Gives the rows that have records from an offset on, until told to stop.
    ///
    /// - Parameter withBytes: Whether a row has its frame too: SQLite puts that together from its pages.
    private static func frames(
        _ db: Database, _ partition: TopicPartition, _ place: Place, from: Offset, withBytes: Bool = true,
        _ body: (_ entry: Entry, _ row: GRDB.Row) throws -> Bool
    ) throws {
        let statement = try db.cachedStatement(
            sql: """
                SELECT id, last, newest, reached\(withBytes ? ", frame" : "") FROM batches
                WHERE id >= coalesce((SELECT max(id) FROM batches WHERE id BETWEEN ?1 AND ?2), ?2) AND id < ?3
                ORDER BY id
                """)
        let rows = try Row.fetchCursor(
            statement, arguments: [place.rows.lowerBound, place.row(from), place.rows.upperBound])
        var before: Entry?
        while let row = try rows.next() {
            do {
                let entry = try Entry(row)
                try entry.checkOrder(after: before)
                if entry.last >= place.next { throw Frame.Damaged(why: "it ends at \(entry.last)") }
                before = entry
                if entry.last < from { continue }
                if try !body(entry, row) { return }
            } catch let damaged as Frame.Damaged {
                let id = try? row.integer(0)
                throw LogError.damaged(
                    "the batch at \(partition)@\(id.map(offset) ?? from)", damaged.why)
            }
        }
    }

    /// The first offset whose timestamp is at or after a moment. The highest timestamp reached so far only grows along a
    /// partition, so the batch is found by halving.
    static func offset(_ db: Database, _ partition: TopicPartition, at time: Timestamp) throws -> Offset {
        let place = try place(db, partition)
        let statement = try db.cachedStatement(
            sql: "SELECT id, reached FROM batches WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT 1")
        var low = place.first.rawValue
        var high = place.next.rawValue
        while low < high {
            let middle = (low + high) / 2
            let row = try Row.fetchOne(
                statement, arguments: [place.rows.lowerBound, place.row(Offset(middle))])
            guard let row else {
                low = middle + 1
                continue
            }
            guard let id = try? row.integer(0), let reached = try? row.integer(1) else {
                throw LogError.damaged("the batch before \(partition)@\(middle)", "its row does not hold numbers")
            }
            if reached < time.rawValue {
                low = middle + 1
                continue
            }
            high = Swift.min(middle, offset(id).rawValue)
        }
        let from = Offset(low)
        var found = place.next
        if from >= found { return found }
        let seal = Frame.Seal(partition)
        try frames(db, partition, place, from: from) { entry, row in
            let first = try row.withUnsafeData(atIndex: Entry.frame) { frame in
                try (frame ?? Data()).withUnsafeBytes {
                    try Frame.offset(
                        in: $0.assumingMemoryBound(to: UInt8.self), of: seal, base: entry.base, from: from, at: time)
                }
            }
            if let first { found = first }
            return first == nil
        }
        return found
    }

    /// A time that no record of a partition before an offset is later than: the greatest that there was, unless the batches
    /// about there are no longer kept. Nil where there is nothing before, or the partition ends before it.
    static func reached(_ db: Database, _ partition: TopicPartition, before end: Offset) throws -> Timestamp? {
        let place = try place(db, partition)
        if end <= 0 || end > place.next || place.newest == Timestamp(.min) { return nil }
        if end == place.next { return place.newest }
        let last = end + -1
        if last < place.first { return place.newest }
        let statement = try db.cachedStatement(
            sql: "SELECT reached FROM batches WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1")
        let seal = Frame.Seal(partition)
        var found: Timestamp? = place.newest
        try frames(db, partition, place, from: last) { entry, row in
            if entry.base > last {
                // The place is in a gap that compaction left: what is behind it has reached as much at least.
                found = entry.reached
                return false
            }
            if entry.last == last {
                found = entry.reached
                return false
            }
            let before = try Int64.fetchOne(statement, arguments: [place.rows.lowerBound, entry.row])
            if before == nil, entry.base > 0 {
                found = entry.reached
                return false
            }
            let own = try row.withUnsafeData(atIndex: Entry.frame) { frame in
                try (frame ?? Data()).withUnsafeBytes {
                    try Frame.greatest(
                        in: $0.assumingMemoryBound(to: UInt8.self), of: seal, base: entry.base, before: end)
                }
            }
            found = [before.map { Timestamp($0) }, own].compactMap { $0 }.max()
            return false
        }
        return found
    }
}
