internal import EventLog
internal import EventModel
internal import Synchronization

/// Which ids a checkpoint may have, so that it need not be asked about each that is new.
///
/// Those that were there before are read concurrently with the worker, once enough have been asked for one by one. One
/// task owns it.
final class RememberedIDs {
    private static let page = 10_000

    private let rows: CheckpointRows
    private let partition: Partition
    private let checkpoint: any Checkpoint
    private let patience: Int
    private var added = IDFilter()
    private var asked = 0
    private let before: Before
    private var reading: Task<Void, Never>?
    /// Whether the checkpoint may have ids without their keys, as earlier versions wrote them.
    var hasPlain = false

    /// What earlier owners left.
    private struct Found: Sendable {
        var ids = IDFilter()
        /// Ids without their keys.
        var plain = IDFilter()

        func mayHave(_ id: KeyedID) -> Bool { id.isLong || ids.mayHave(id) || plain.mayHave(id.id) }
    }

    /// The ids of earlier owners, nil while they are not known.
    private final class Before: Sendable {
        let ids: Mutex<Found?>
        init(_ ids: Found?) { self.ids = Mutex(ids) }
    }

    /// - Parameters:
    ///   - isEmpty: Whether the checkpoint has none yet.
    ///   - patience: Ids that are asked for one by one before all are read.
    init(
        _ rows: CheckpointRows, _ partition: Partition, _ checkpoint: any Checkpoint, isEmpty: Bool, patience: Int
    ) {
        (self.rows, self.partition, self.checkpoint, self.patience) = (rows, partition, checkpoint, patience)
        before = Before(isEmpty ? Found() : nil)
    }

    deinit { reading?.cancel() }

    /// These go to the checkpoint.
    func add(_ ids: some Sequence<KeyedID>) {
        for id in ids { added.add(id) }
    }

    /// Of these ids, those that the checkpoint may have.
    func sought(_ ids: [KeyedID]) -> [KeyedID] {
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
            // If they cannot be read, each id is asked for as before, and that read throws the reason.
            let found = try? await read(rows, partition, checkpoint)
            before.ids.withLock { $0 = $0 ?? found }
        }
    }

    private static func read(
        _ rows: CheckpointRows, _ partition: Partition, _ checkpoint: any Checkpoint
    ) async throws -> Found {
        var found = Found()
        var scan = Scan(rows.ids, equal: [Value(partition)], limit: page)
        while !(found.ids.isFull && found.plain.isFull) {
            let asked = scan
            let rows = try await checkpoint.read { try $0.rows(asked) }
            for text in rows.compactMap({ $0[1].text }) {
                if let id = KeyedID(storable: text) {
                    found.ids.add(id)
                } else if KeyedID.isPlain(text) {
                    found.plain.add(Bytes(storable: text).text)
                }
            }
            guard rows.count == page, let last = rows.last else { break }
            scan.after = asked.order.map { last[$0] }
            try Task.checkCancellation()
        }
        return found
    }
}
