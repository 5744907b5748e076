public import EventModel
public import Quarantining

/// Crash counts as rows in a store of views. Writes are not fenced: a late one only makes the next owner take smaller
/// steps.
public struct ViewTries: TriesStore {
    private static let rows = AnyProjection(keptBy: "millrace.tries", version: 1, topics: [], tables: [Tries.table])
    private let views: any ViewStore

    public init(_ views: any ViewStore) { self.views = views }

    public func tries(of worker: String, _ sources: [TopicPartition]) async throws -> [TopicPartition: Tries] {
        try await views.open(Self.rows)
        let keys = sources.map { Tries.key($0, of: worker) }
        let rows = try await views.read(Self.rows) { reader, _ in try reader.rows(Tries.table, keys: keys) }
        return rows.reduce(into: [:]) { tries, row in
            guard let topic = row[1].text, let partition = row[2].integer.flatMap(Stored.partition) else { return }
            tries[TopicPartition(topic, partition)] = Tries(row)
        }
    }

    public func keep(_ tries: [TopicPartition: Tries], of worker: String) async throws {
        if tries.isEmpty { return }
        try await views.commit(Self.rows, to: [:], under: [:]) { batch in
            for (source, tries) in tries { batch.put(Tries.table, Tries.key(source, of: worker) + tries.row) }
        }
    }
}
