internal import EventLog
internal import EventModel

extension [Batch] {
    /// What comes before a record, and that record with what comes after.
    func split(at offset: Offset, in source: TopicPartition) -> (before: [Batch], after: [Batch]) {
        guard let at = firstIndex(where: { $0.source == source && $0.next > offset }) else { return (self, []) }
        let records = self[at].records
        let cut = records.firstIndex { $0.offset >= offset } ?? records.endIndex
        return divided(at, cut, next: offset)
    }

    /// The first and the second half of all records.
    var halves: (before: [Batch], after: [Batch]) {
        var left = reduce(0) { $0 + $1.records.count } / 2
        for (at, batch) in enumerated() {
            if left < batch.records.count { return divided(at, left, next: batch.records[left].offset) }
            left -= batch.records.count
        }
        return (self, [])
    }

    /// Cuts one batch before one of its records.
    private func divided(_ at: Int, _ cut: Int, next: Offset) -> (before: [Batch], after: [Batch]) {
        let batch = self[at]
        var before = [Batch](self[..<at])
        if cut > 0 { before.append(Batch(source: batch.source, records: [Record](batch.records[..<cut]), next: next)) }
        return (
            before,
            [Batch(source: batch.source, records: [Record](batch.records[cut...]), next: batch.next)]
                + self[(at + 1)...]
        )
    }
}
