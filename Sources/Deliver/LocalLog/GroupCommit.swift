internal import EventLog
internal import EventModel
internal import Foundation
internal import GRDB

/// What one commit writes: the work of everyone who asked while the last one was on its way to the disk.
///
/// A job first checks everything that may refuse it and only then writes, so that a job that fails leaves nothing behind
/// for the others' commit. Records of one partition are gathered over all jobs and stored as one batch.
final class GroupCommit {
    let db: Database
    private let clock: LogClock
    private let complain: @Sendable (String) -> Void
    /// What is known of partitions, from the rounds before too.
    private(set) var places: [TopicPartition: Store.Place]
    private var pending: [TopicPartition: [NewRecord]] = [:]
    private(set) var isSpoiled = false
    private(set) var done: Done

    /// What a round has stored.
    struct Done: Sendable {
        var commit: CommitCache.Commit = []
        /// Of all frames.
        var bytes = 0
        /// Groups whose members or owners have changed.
        var groups: Set<String> = []
        /// Whether appends of this process are all that has changed partitions since the round before.
        var isAlone: Bool
    }

    /// - Parameter places: as the round before left them, nil where others have written since.
    init(
        _ db: Database, places: [TopicPartition: Store.Place]?, clock: LogClock,
        complain: @escaping @Sendable (String) -> Void
    ) {
        (self.db, self.clock, self.complain) = (db, clock, complain)
        (self.places, done) = (places ?? [:], Done(isAlone: places != nil))
    }

    /// A job changes the members of a group, or what they own.
    func changesGroup(_ group: String) { done.groups.insert(group) }

    /// A job changes partitions by other ways than appends; the next round is not to rely on what this one knew.
    func changesPartitions() { (isSpoiled, done.isAlone) = (true, false) }

    func check(_ appends: [Append]) throws {
        for append in appends {
            _ = try place(append.target)
            for i in append.records.indices { try append.records[i].checkLimits(append.target) }
        }
    }

    /// The offsets that the records of these appends would get.
    func plan(_ appends: [Append]) throws -> [[Offset]] {
        var ahead: [TopicPartition: Int] = [:]
        return try appends.map { append in
            let end =
                try place(append.target).next + (pending[append.target]?.count ?? 0) + ahead[append.target, default: 0]
            ahead[append.target, default: 0] += append.records.count
            return append.records.indices.map { end + $0 }
        }
    }

    /// Takes records that have been checked; each gets the offset that was planned.
    func append(_ appends: [Append]) {
        for append in appends {
            var records = append.records
            if let place = places[append.target], place.stamped {
                let time = place.stamp(at: clock.now())
                places[append.target]?.last = time
                for i in records.indices { records[i].timestamp = time }
            }
            // What is the first of its partition is taken as it is, without a copy.
            if pending[append.target] == nil {
                pending[append.target] = records
            } else {
                pending[append.target]?.append(contentsOf: records)
            }
        }
    }

    /// What has been taken for a partition so far, as its readers will have it; nil where nothing was.
    func batch(of partition: TopicPartition) -> Batch? {
        guard let records = pending[partition], let base = places[partition]?.next else { return nil }
        return Batch(
            source: partition, records: records.enumerated().map { Record($1, at: base + $0) },
            next: base + records.count)
    }

    /// Where the records stand that have been taken so far.
    var taken: [(partition: TopicPartition, range: Range<Offset>)] {
        pending.compactMap { partition, records in
            places[partition].map { (partition, $0.next..<$0.next + records.count) }
        }
    }

    /// Takes a transaction of a member.
    ///
    /// - Throws: ``LogError/Kind/fenced`` where a partition is not the member's any more. Nothing was taken then.
    func take(_ transaction: Transaction, of group: String, by member: String) throws -> [[Offset]] {
        try check(member, of: group, has: transaction.consumed.keys)
        let all = transaction.appends + transaction.replies(try plan(transaction.appends))
        try check(all)
        let offsets = try plan(all)
        append(all)
        let set = try db.cachedStatement(
            sql: "INSERT INTO consumed VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET next = ?4")
        for (partition, next) in transaction.consumed {
            try set.execute(arguments: [group, partition.topic, partition.partition.rawValue, next.rawValue])
        }
        return offsets
    }

    private func check(
        _ member: String, of group: String, has partitions: some Sequence<TopicPartition>
    ) throws {
        let owner = try db.cachedStatement(
            sql: "SELECT member FROM owners WHERE team = ? AND topic = ? AND partition = ?")
        for partition in partitions {
            let found = try String.fetchOne(owner, arguments: [group, partition.topic, partition.partition.rawValue])
            if found != member {
                throw LogError(.fenced, "\(partition) of group \(group) belongs to another member now")
            }
        }
    }

    private func place(_ partition: TopicPartition) throws -> Store.Place {
        if let place = places[partition] { return place }
        var place = try Store.place(db, partition)
        let now = clock.now()
        if place.stamped, place.isAhead(of: now) {
            place.last = try Store.last(db, place)
            if place.isAhead(of: now) {
                complain(
                    """
                    \(partition) ends with a time \(place.last.rfc3339), more than \(maximumClockSkew) ahead: this machine's \
                    clock was wrong. From now on its records have the clock's time again
                    """)
            }
        }
        places[partition] = place
        return place
    }

    /// Stores what was appended.
    func finish() throws {
        let insert = try db.cachedStatement(sql: "INSERT INTO batches VALUES (?, ?, ?, ?, ?)")
        let advance = try db.cachedStatement(sql: "UPDATE partitions SET next = ?, newest = ? WHERE id = ?")
        for (partition, records) in pending.sorted(by: { $0.key < $1.key }) {
            guard var place = places[partition] else { continue }
            let first = place.next
            let seal = Frame.Seal(partition)
            for run in Self.split(records) {
                let base = place.next
                let last = base + (run.count - 1)
                let (frame, newest) = Frame.encode(run, of: seal, at: base)
                place.newest = max(place.newest, newest)
                done.bytes += frame.count
                try insert.execute(arguments: [
                    place.row(base), last.rawValue, newest.rawValue, place.newest.rawValue, frame,
                ])
                place.next = last + 1
            }
            try advance.execute(arguments: [place.next.rawValue, place.newest.rawValue, place.id])
            places[partition] = place
            done.commit.append((partition, CommitCache.Run(base: first, end: place.next, records: records)))
        }
    }

    /// Cuts records into runs that are each stored in one row.
    private static func split(_ records: [NewRecord]) -> [ArraySlice<NewRecord>] {
        var runs: [ArraySlice<NewRecord>] = []
        var start = 0
        var bytes = 0
        for i in records.indices {
            let size = records[i].key.count + records[i].value.count + 32
            if i > start, bytes + size > Store.batchBytes {
                runs.append(records[start..<i])
                (start, bytes) = (i, 0)
            }
            bytes += size
        }
        if start < records.count { runs.append(records[start...]) }
        return runs
    }
}
