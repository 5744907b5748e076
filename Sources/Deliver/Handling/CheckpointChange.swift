internal import Dispatch
internal import EventLog
internal import EventModel

/// What one checkpoint writes.
struct CheckpointChange: Sendable {
    var rows: CheckpointRows
    var partition: Partition
    var states: [StateChange]
    var ids: [(id: KeyedID, entry: Remembered.Entry)]
    var marks: [TopicPartition: LogFingerprint]
    var next: [TopicPartition: Offset]
    var cutoff: Timestamp?
    var forgotten: Int

    func write(to checkpoint: any Checkpoint) async throws {
        let states = try await encoded()
        let old = try await expired(in: checkpoint)
        let change = self
        try await checkpoint.write(to: next) { batch in
            for row in old { batch.delete(change.rows.ids, Array(row.prefix(2))) }
            for (id, entry) in change.ids { batch.put(change.rows.ids, entry.row(id, in: change.partition)) }
            for (source, mark) in change.marks { batch.put(change.rows.marks, mark.row(source)) }
            for (key, rest) in states {
                if let rest { batch.put(change.rows.states, key + rest) } else { batch.delete(change.rows.states, key) }
            }
        }
    }

    /// Large states take long to encode: on a thread that holds up no other task.
    private func encoded() async throws -> [(key: Row, rest: Row?)] {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global(qos: .utility).async {
                continuation.resume(
                    with: Result {
                        // Rows that lie beside each other are written together.
                        let sorted = states.sorted { $0.key.slice.lexicographicallyPrecedes($1.key.slice) }
                        return try sorted.map { change in
                            let due = change.due.map { Value($0) } ?? .null
                            let key = change.key.storable
                            return (
                                [Value(partition), .text(key)],
                                try change.json().map { [due, .text(StateEncoding.text(of: $0, key: key))] }
                            )
                        }
                    })
            }
        }
    }

    private func expired(in checkpoint: any Checkpoint) async throws -> [Row] {
        guard let cutoff else { return [] }
        let scan = Scan(
            rows.ids, by: "time", equal: [Value(partition)], through: Value(cutoff - .milliseconds(1)), limit: forgotten
        )
        return try await checkpoint.read { try $0.rows(scan) }
    }
}
