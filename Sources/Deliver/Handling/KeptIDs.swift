internal import EventLog
internal import EventModel
internal import Synchronization

/// Which ids a checkpoint may have, so that it need not be asked about each that is new.
///
/// Those that were there before are read beside the worker's own task, once enough have been asked for one by one. One task
/// owns it.
final class KeptIDs {
    private static let page = 10_000

    private let rows: CheckpointRows
    private let partition: Partition
    private let checkpoint: any Checkpoint
    private let patience: Int
    private var added = IDFilter()
    private var asked = 0
    private let before: Before
    private var reading: Task<Void, Never>?

    /// The ids of earlier owners, nil while they are not known.
    private final class Before: Sendable {
        let ids: Mutex<IDFilter?>
        init(_ ids: IDFilter?) { self.ids = Mutex(ids) }
    }

    /// - Parameters:
    ///   - isEmpty: Whether the checkpoint has none yet.
    ///   - patience: Ids that are asked for one by one before all are read.
    init(
        _ rows: CheckpointRows, _ partition: Partition, _ checkpoint: any Checkpoint, isEmpty: Bool, patience: Int
    ) {
        (self.rows, self.partition, self.checkpoint, self.patience) = (rows, partition, checkpoint, patience)
        before = Before(isEmpty ? IDFilter() : nil)
    }

    deinit { reading?.cancel() }

    /// These go to the checkpoint.
    func add(_ ids: some Sequence<String>) {
        for id in ids { added.add(id) }
    }

    /// Of these ids, those that the checkpoint may have.
    func sought(_ ids: [String]) -> [String] {
        if ids.isEmpty { return [] }
        let sought = before.ids.withLock { before in
            guard let before else { return ids }
            return ids.filter { added.mayHave($0) || before.mayHave($0) }
        }
        asked += sought.count
        if asked > patience, reading == nil { reading = Self.fill(before, rows, partition, checkpoint) }
        return sought
    }

    private static func fill(
        _ before: Before, _ rows: CheckpointRows, _ partition: Partition, _ checkpoint: any Checkpoint
    ) -> Task<Void, Never> {
        Task {
            // Where they cannot be read, each is asked for as before, and whoever asks hears why.
            let ids = try? await read(rows, partition, checkpoint)
            before.ids.withLock { $0 = $0 ?? ids }
        }
    }

    private static func read(
        _ rows: CheckpointRows, _ partition: Partition, _ checkpoint: any Checkpoint
    ) async throws -> IDFilter {
        var ids = IDFilter()
        var scan = Scan(rows.ids, equal: [Value(partition)], limit: page)
        while !ids.isFull {
            let asked = scan
            let rows = try await checkpoint.read { try $0.rows(asked) }
            for row in rows { if let id = row[1].text { ids.add(Bytes(storable: id).text) } }
            guard rows.count == page, let last = rows.last else { break }
            scan.after = asked.order.map { last[$0] }
            try Task.checkCancellation()
        }
        return ids
    }
}
