internal import EventModel

/// What a log in memory has: topics, their records, and who shares them. It is changed under one lock.
extension MemoryLog {
    struct Stored {
        var start: Offset = 0
        var end: Offset = 0
        var records: [Record] = []
        /// Where it is compacted.
        var removals = RemovalHorizon()

        /// The index of the first record at or after an offset.
        func index(of offset: Offset) -> Int { records.partitioningIndex { $0.offset >= offset } }
    }
    struct Group {
        var topics: [String: Set<String>] = [:] { didSet { changes += 1 } }
        var owners: [TopicPartition: String] = [:] { didSet { changes += 1 } }
        /// How often members or owners have changed.
        private(set) var changes = 0
        var committed: [TopicPartition: Offset] = [:]

        /// What each member should have by now.
        func target(_ partitions: [TopicPartition]) -> [String: Set<TopicPartition>] {
            assignment(of: partitions, wanting: topics, owned: owners)
        }
    }
    struct State {
        var topics: [String: Topic] = [:]
        var partitions: [TopicPartition: Stored] = [:]
        var groups: [String: Group] = [:]
        var members = 0
        var closed = false
        let clock: @Sendable () -> Timestamp

        func partitions(of topics: Set<String>) -> [TopicPartition] {
            partitions.keys.filter { topics.contains($0.topic) }
        }

        mutating func append(_ appends: [Append]) throws -> [[Offset]] {
            if closed { throw LogError.wasClosed }
            for append in appends {
                guard topics[append.target.topic] != nil else { throw LogError.unknown(append.target.topic) }
                guard partitions[append.target] != nil else { throw LogError.unknown(append.target) }
                for record in append.records { try record.checkLimits(append.target) }
            }
            return appends.map { append in
                let stamp = topics[append.target.topic]?.clock == .log ? clock() : nil
                return append.records.map { record in
                    let offset = partitions[append.target]!.end
                    partitions[append.target]!.records.append(
                        Record(
                            offset: offset, timestamp: stamp ?? record.timestamp, key: record.key,
                            value: record.value, headers: record.headers))
                    partitions[append.target]!.end = offset + 1
                    return offset
                }
            }
        }

        /// Takes back what was appended past these ends.
        mutating func undo(to ends: [TopicPartition: Offset]) {
            for (partition, end) in ends where partitions[partition]!.end > end {
                partitions[partition]!.records.removeSubrange(partitions[partition]!.index(of: end)...)
                partitions[partition]!.end = end
            }
        }

        func read(_ positions: [(partition: TopicPartition, from: Offset)], max: Int) -> [Batch] {
            var left = max
            var batches: [Batch] = []
            for (partition, from) in positions where left > 0 {
                guard let stored = partitions[partition], from < stored.end else { continue }
                let records = Array(stored.records[stored.index(of: from)...].prefix(left))
                let next = records.count < left ? stored.end : records.last!.offset + 1
                left -= records.count
                batches.append(Batch(source: partition, records: records, next: next))
            }
            return batches
        }
    }
}

extension Array {
    /// The index of the first element for which `belongs` holds, where all before it do not and all after it do.
    fileprivate func partitioningIndex(where belongs: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
