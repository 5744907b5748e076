public import EventModel

/// Times from one to another, both included. Records of a partition come in any order of time, so what is asked for by time
/// is picked from among the others, in the order of the log.
extension ClosedRange<Timestamp> {
    public static var always: ClosedRange<Timestamp> { Timestamp(.min)...Timestamp(.max) }
}

extension EventLog {
    public func reached(before ends: [TopicPartition: Offset]) async throws -> [TopicPartition: Timestamp] { [:] }

    public func reader(
        from positions: [TopicPartition: Offset], within times: ClosedRange<Timestamp>
    ) async throws -> any LogReader {
        PickingReader(try await reader(from: positions), times)
    }

    /// - Parameter times: Nil for any.
    public func reader(
        from positions: [TopicPartition: Offset], ofTimes times: ClosedRange<Timestamp>?
    ) async throws -> any LogReader {
        guard let times else { return try await reader(from: positions) }
        return try await reader(from: positions, within: times)
    }
}

extension Batch {
    /// The records of some times; the batch goes on where it did.
    public func within(_ times: ClosedRange<Timestamp>) -> Batch {
        Batch(source: source, records: records.filter { times.contains($0.timestamp) }, next: next)
    }
}

/// Reads all there is, and hands on the records of some times.
private struct PickingReader: LogReader {
    private let reader: any LogReader
    private let times: ClosedRange<Timestamp>

    init(_ reader: any LogReader, _ times: ClosedRange<Timestamp>) { (self.reader, self.times) = (reader, times) }

    func next(max: Int, wait: Duration) async throws -> [Batch] {
        try await reader.next(max: max, wait: wait).map { $0.within(times) }
    }
    func close() async { await reader.close() }
}
