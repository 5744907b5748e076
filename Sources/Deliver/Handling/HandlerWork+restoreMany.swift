internal import EventModel
internal import Quarantining

/// How a handler comes to know many partitions: most of what each takes is waiting for the log, so that several wait at once.
extension HandlerWork {
    /// Partitions that are taken at once.
    private static let atOnce = 16
    /// So few are taken one after another.
    private static let few = 8

    mutating func take(all partitions: [Partition], _ book: QuarantineState?) async throws {
        if partitions.count <= Self.few {
            for partition in partitions { known[partition] = try await take(partition, book) }
            return
        }
        let mine = Apart(self)
        try await withThrowingTaskGroup(of: Apart<Taken>.self) { group in
            var rest = partitions[...]
            for partition in rest.prefix(Self.atOnce) { group.addTask { try await mine.value.taken(partition, book) } }
            rest = rest.dropFirst(Self.atOnce)
            for try await taken in group {
                let (partition, taken, lot) = taken.value
                known[partition] = taken
                self.lot.take(over: lot, [events(partition), commands(partition)])
                guard let next = rest.popFirst() else { continue }
                group.addTask { try await mine.value.taken(next, book) }
            }
        }
    }

    private typealias Taken = (partition: Partition, known: PartitionState, lot: ParkedRecords)

    private func taken(_ partition: Partition, _ book: QuarantineState?) async throws -> Apart<Taken> {
        var own = self
        let known = try await own.take(partition, book)
        return Apart((partition, known, own.lot))
    }
}

/// Unchecked because each task changes only what is of its own partition, in a copy that it hands back when it ends.
private struct Apart<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
