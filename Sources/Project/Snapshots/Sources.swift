internal import EventLog
internal import EventModel

extension EventLog {
    /// Records looked at before an offset to find the last one: transactions and compaction leave gaps.
    private var near: Int { 64 }

    /// How far each partition had been folded, with the last record before that, and how late the latest is.
    ///
    /// - Parameter kept: Snapshots of the same view. What they know of their times need not be read again.
    func sources(_ offsets: [TopicPartition: Offset], after kept: [Snapshot]) async throws -> [Snapshot.Source] {
        let bounds = try await bounds(of: offsets.keys.sorted())
        let known = try await reached(before: offsets.filter { $0.value <= bounds[$0.key]?.upperBound ?? 0 })
        var sources: [Snapshot.Source] = []
        for (place, next) in offsets.sorted(by: { $0.key < $1.key }) {
            var last: Record?
            let range = bounds[place] ?? 0..<0
            let first = max(range.lowerBound, Offset(next.rawValue - Int64(near)))
            if next <= range.upperBound {
                try await scan(place, from: first, to: next, batch: near) { last = $0.records.last ?? last }
            }
            var reached = known[place]
            if reached == nil { reached = try await latest(of: place, before: next, in: range, after: kept) }
            sources.append(
                Snapshot.Source(
                    place, next: next, mark: last.map { LogFingerprint($0) }, time: last?.timestamp, reached: reached))
        }
        return sources
    }

    /// The greatest time before an offset, read from the newest snapshot on that knows its own; nil where records are gone
    /// that none has.
    private func latest(
        of place: TopicPartition, before next: Offset, in range: Range<Offset>, after kept: [Snapshot]
    ) async throws -> Timestamp? {
        if next > range.upperBound { return nil }
        var (from, reached): (Offset, Timestamp) = (0, Timestamp(.min))
        let earlier = kept.flatMap(\.sources).filter { $0.place == place && $0.reached != nil && $0.next <= next }
        for source in earlier.sorted(by: { $0.next > $1.next }) {
            guard let time = source.reached, let mark = source.mark else { continue }
            if range.contains(mark.last), try await mark.contradiction(to: self, in: place) != nil { continue }
            (from, reached) = (source.next, time)
            break
        }
        if from < range.lowerBound { return nil }
        try await scan(place, from: from, to: next) { batch in
            for record in batch.records { reached = max(reached, record.timestamp) }
        }
        return reached
    }
}
