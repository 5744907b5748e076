public import EventLog
public import EventModel

extension EventLog {
    /// Moments of a log that lie so many events apart, each as the offsets before its first record that is later.
    ///
    /// A view folded up to such a cut is in the past of every later moment, however partitions are filled: what comes behind
    /// a cut may be earlier, but nothing before it is later. Records of one time are not parted, so a cut may have more events
    /// than asked for.
    public func cuts(
        of topics: [String], every: Int64
    ) async throws -> [[TopicPartition: Offset]] {
        let partitions = try await partitions(of: topics)
        let bounds = try await bounds(of: partitions)
        let count = { (offsets: [TopicPartition: Offset]) in offsets.reduce(0) { $0 + $1.value.rawValue } }
        let total = count(bounds.mapValues(\.upperBound))
        func offsets(after time: Timestamp) async throws -> [TopicPartition: Offset] {
            try await self.offsets(of: partitions, at: time + .milliseconds(1)).reduce(into: [:]) { ends, entry in
                let range = bounds[entry.key] ?? 0..<0
                ends[entry.key] = min(max(entry.value, range.lowerBound), range.upperBound)
            }
        }
        var cuts: [[TopicPartition: Offset]] = []
        var wanted = max(1, every)
        var low = Timestamp.calendar.lowerBound
        while wanted <= total {
            // The first moment with as many events: doubled steps find a later one, halved ones that one.
            var high = low
            var step: Int64 = 1
            while high < Timestamp.calendar.upperBound, count(try await offsets(after: high)) < wanted {
                low = high
                high = min(high + .milliseconds(step), Timestamp.calendar.upperBound)
                step *= 2
            }
            while high.milliseconds(since: low) > 1 {
                let middle = Timestamp(low.rawValue + (high.rawValue - low.rawValue) / 2)
                if count(try await offsets(after: middle)) < wanted { low = middle } else { high = middle }
            }
            let cut = try await offsets(after: high)
            if count(cut) < wanted { break }
            cuts.append(cut)
            wanted = (count(cut) / max(1, every) + 1) * max(1, every)
            low = high
        }
        return cuts
    }
}
