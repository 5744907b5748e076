internal import EventLog
internal import EventModel

/// Where the records of a member's next transaction will go: a pure value.
///
/// In partitions that nobody else writes to, the next record stands behind the last one and the mark that ended its
/// transaction. The broker may write that mark late, behind the next record, so the actual offsets must be compared
/// before the commit.
struct Foresight: Sendable {
    private var last: [TopicPartition: Offset] = [:]
    /// From the last record of a transaction to the first of the next: 2 with the mark between them, and 1 on a log that
    /// keeps none.
    private var step: Int64 = 2

    /// Nil where one of the partitions is not known.
    func offsets(of appends: [Append]) -> [[Offset]]? {
        if Set(appends.map(\.target)).count < appends.count { return nil }
        var foreseen: [[Offset]] = []
        for append in appends {
            if append.records.isEmpty {
                foreseen.append([])
                continue
            }
            guard let last = last[append.target] else { return nil }
            let first = last.rawValue + step
            foreseen.append(append.records.indices.map { Offset(first + Int64($0)) })
        }
        return foreseen
    }

    /// Learns where records went whose transaction is committed.
    mutating func saw(_ appends: [Append], _ offsets: [[Offset]]) {
        for (append, offsets) in zip(appends, offsets) { if let end = offsets.last { last[append.target] = end } }
    }

    /// Learns where records went that were foreseen elsewhere, and whose transaction is aborted.
    mutating func missed(_ appends: [Append], _ offsets: [[Offset]]) {
        for (append, offsets) in zip(appends, offsets) {
            guard let first = offsets.first, let last = last[append.target] else { continue }
            step = first.rawValue - last.rawValue == 1 ? 1 : 2
        }
        forget(appends)
    }

    /// What follows in these partitions is not known until it is seen again: an aborted transaction leaves a mark, or more.
    mutating func forget(_ appends: [Append]) { for append in appends { last[append.target] = nil } }
}
