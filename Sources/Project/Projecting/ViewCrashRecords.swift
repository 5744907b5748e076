public import EventModel
public import Quarantining

/// Crash counts as rows in a store of views. Writes are not fenced: a late one only makes the next owner take smaller
/// steps.
public struct ViewCrashRecords: CrashRecordStore {
    private static let tables = WorkerTables(keptBy: "millrace.tries", version: 1, tables: [CrashRecord.table])
    private let views: any ViewStore

    public init(_ views: any ViewStore) { self.views = views }

    public func crashRecords(of worker: String, _ sources: [TopicPartition]) async throws -> [TopicPartition:
        CrashRecord]
    {
        try await views.open(Self.tables)
        let keys = sources.map { CrashRecord.key($0, of: worker) }
        let rows = try await views.read(Self.tables) { reader, _ in try reader.rows(CrashRecord.table, keys: keys) }
        return rows.reduce(into: [:]) { records, row in
            guard let topic = row[1].text, let partition = row[2].integer.flatMap(Stored.partition) else { return }
            records[TopicPartition(topic, partition)] = CrashRecord(row)
        }
    }

    public func keep(_ records: [TopicPartition: CrashRecord], of worker: String) async throws {
        if records.isEmpty { return }
        try await views.commit(Self.tables, to: [:], under: [:]) { batch in
            for (source, record) in records {
                batch.put(CrashRecord.table, CrashRecord.key(source, of: worker) + record.row)
            }
        }
    }
}
