public import EventModel

/// A stretch of a partition read record by record; only some batches of it are in memory.
public struct RecordCursor {
    private let log: any EventLog
    private let partition: TopicPartition
    private let reader: any LogReader
    private let end: Offset
    private var at: Offset
    private var batch: ArraySlice<Record> = []
    private var silence = Silence()

    public init(_ partition: TopicPartition, _ range: Range<Offset>, of log: any EventLog) async throws {
        (self.log, self.partition) = (log, partition)
        reader = try await log.reader(from: [partition: range.lowerBound])
        (at, end) = (range.lowerBound, range.upperBound)
    }

    /// The next record, nil at the end of the stretch.
    ///
    /// - Throws: ``LogError/Kind/damaged`` where the log ends before that.
    public mutating func next() async throws -> Record? {
        while batch.isEmpty, at < end {
            let batches = try await reader.next(max: 10_000, wait: Silence.look)
            if batches.isEmpty {
                if try await !silence.lasts(in: partition, from: at, to: end, of: log) { break }
            } else {
                silence.broke()
            }
            for read in batches {
                batch += read.records.prefix { $0.offset < end }
                at = read.next
            }
            try Task.checkCancellation()
        }
        return batch.popFirst()
    }

    public func close() async { await reader.close() }
}
