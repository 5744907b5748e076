public import EventLog
public import EventModel
internal import Foundation
internal import Synchronization

/// Checkpoints as rows in a store of views, fenced by its epochs.
public struct ViewCheckpoints: CheckpointStore {
    private let views: any ViewStore

    public init(_ views: any ViewStore) { self.views = views }

    public func claim(_ tables: WorkerTables, _ partitions: [TopicPartition]) async throws -> any Checkpoint {
        let owner = "\(getpid())-\(UUID().uuidString.prefix(8))"
        do {
            try await views.open(tables)
            return ViewCheckpoint(views, tables, try await views.claim(tables, partitions, owner: owner))
        } catch let error as ViewError where error.kind == .busy {
            throw LogError(.busy, error.message)
        }
    }
}

private final class ViewCheckpoint: Checkpoint {
    private struct Offsets {
        var written: [TopicPartition: Offset]
        /// On their way, so that a reader may see either.
        var leaving: [TopicPartition: Offset] = [:]
    }
    private let views: any ViewStore
    private let tables: WorkerTables
    private let epochs: [TopicPartition: Epoch]
    private let offsets: Mutex<Offsets>
    let next: [TopicPartition: Offset]

    init(_ views: any ViewStore, _ tables: WorkerTables, _ claims: [TopicPartition: Claim]) {
        (self.views, self.tables) = (views, tables)
        epochs = claims.mapValues(\.epoch)
        next = claims.compactMapValues(\.next)
        offsets = Mutex(Offsets(written: next))
    }

    func read<R: Sendable>(_ body: @escaping @Sendable (any ViewReader) throws -> R) async throws -> R {
        let before = offsets.withLock { $0 }
        let (result, asOf) = try await views.read(tables, showing: Array(epochs.keys)) { reader, asOf in
            (try body(reader), asOf)
        }
        try check(asOf, since: before)
        return result
    }

    func readNow<R>(_ body: (any ViewReader) throws -> R) throws -> R? {
        let before = offsets.withLock { $0 }
        guard
            let (result, asOf) = try views.readNow(tables, { reader, asOf in (try body(reader), try asOf()) })
        else { return nil }
        try check(asOf, since: before)
        return result
    }

    /// Checks that what was read is what this owner has written.
    private func check(_ asOf: [TopicPartition: Offset], since before: Offsets) throws {
        let after = offsets.withLock { $0 }
        for partition in epochs.keys {
            let own = [before.written, before.leaving, after.written, after.leaving].map { $0[partition] }
            if !own.contains(asOf[partition]) { throw fenced(partition) }
        }
    }

    func write(
        to moved: [TopicPartition: Offset], _ body: @escaping @Sendable (ViewBatch) throws -> Void
    ) async throws {
        offsets.withLock { $0.leaving = moved }
        do {
            try await views.commit(tables, to: moved, under: epochs.filter { moved[$0.key] != nil }, fold: body)
        } catch let error as ViewError where error.kind == .fenced {
            throw LogError(.fenced, error.message)
        }
        offsets.withLock { $0.written.merge(moved) { $1 } }
    }

    private func fenced(_ partition: TopicPartition) -> LogError {
        LogError(.fenced, "another owner writes the checkpoint of \(tables.name) for \(partition)")
    }
}
