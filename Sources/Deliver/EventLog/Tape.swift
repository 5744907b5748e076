public import EventModel

/// A stretch of a partition read record by record; only some batches of it are in memory.
public struct Tape {
    private let reader: any LogReader
    private let end: Offset
    private var at: Offset
    private var batch: ArraySlice<Record> = []

    public init(_ partition: TopicPartition, _ range: Range<Offset>, of log: any EventLog) async throws {
        reader = try await log.reader(from: [partition: range.lowerBound])
        (at, end) = (range.lowerBound, range.upperBound)
    }

    /// The next record, nil at the end of the stretch.
    public mutating func next() async throws -> Record? {
        while batch.isEmpty, at < end {
            for read in try await reader.next(max: 10_000, wait: .seconds(1)) {
                batch += read.records.prefix { $0.offset < end }
                at = read.next
            }
            try Task.checkCancellation()
        }
        return batch.popFirst()
    }

    public func close() async { await reader.close() }
}
