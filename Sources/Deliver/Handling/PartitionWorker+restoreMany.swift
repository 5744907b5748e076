internal import EventLog
internal import EventModel
internal import Quarantining

/// How many partitions are restored side by side.
enum RestoreLimits {
    /// Partitions that are restored at once.
    static let atOnce = 16
    /// So few are restored one after another.
    static let few = 8
}

/// How a worker restores many partitions: most of what each takes is waiting for the log, so that several wait at once.
extension PartitionWorker {
    /// - Parameter assigned: The partitions that it handles, by their number.
    mutating func restore(
        _ assigned: [Partition: [TopicPartition]], _ committed: [TopicPartition: Offset], _ said: QuarantineState?
    ) async throws {
        let sources = assigned.sorted { $0.key < $1.key }.map { ($0.key, step.folded($0.key, $0.value.sorted())) }
        if sources.count <= RestoreLimits.few {
            for (number, sources) in sources { partitions[number] = try await restore(sources, committed, said) }
            return
        }
        let mine = Apart(self)
        try await withThrowingTaskGroup(of: Apart<RestoredApart>.self) { group in
            for (at, (number, sources)) in sources.enumerated() {
                if at >= RestoreLimits.atOnce, let restored = try await group.next() { adopt(restored.value) }
                group.addTask { try await mine.value.restored(number, sources, committed, said) }
            }
            for try await restored in group { adopt(restored.value) }
        }
    }

    private typealias RestoredApart = (
        number: Partition, partition: Restored, sources: [TopicPartition], parked: ParkedRecords
    )

    private mutating func adopt(_ restored: RestoredApart) {
        partitions[restored.number] = restored.partition
        parked.adopt(from: restored.parked, restored.sources)
    }

    private func restored(
        _ number: Partition, _ sources: [TopicPartition], _ committed: [TopicPartition: Offset],
        _ said: QuarantineState?
    ) async throws -> Apart<RestoredApart> {
        var own = self
        let restored = try await own.restore(sources, committed, said)
        return Apart((number, restored, sources, own.parked))
    }
}

/// Unchecked because each task changes only what is of its own partition, in a copy that it hands back when it ends.
private struct Apart<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
