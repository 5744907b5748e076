public import EventLog
public import EventModel

/// One request to redrive the waiting records of a key, worked off in order: the first of them are dropped, the others are
/// handled until one fails.
///
/// It says in which order, and when to stop. How a record is handled, and in which transaction that is committed, is the
/// worker's own.
public struct Redrive {
    public typealias Waiting = (source: TopicPartition, record: Quarantine.Parked)

    /// Records to be given up for good, in order.
    public let dropped: [Waiting]
    /// Those to be handled after that, a partition after the other.
    private let line: [(source: TopicPartition, records: [Quarantine.Parked])]
    /// What has come of the request so far.
    public private(set) var result: RedriveResult

    /// - Parameter line: What waits in the partitions whose records of a key follow on one another, in this order.
    public init(_ request: RedriveRequest, _ line: [(source: TopicPartition, quarantine: Quarantine)]) {
        let all: [Waiting] = line.flatMap { source, quarantine in
            quarantine.parked(for: request).map { (source, $0) }
        }
        dropped = Array(all.prefix(request.drop))
        let rest = all.dropFirst(request.drop)
        self.line = line.map { source, _ in (source, rest.filter { $0.source == source }.map(\.record)) }
        result = RedriveResult(id: request.id, dropped: dropped.count, left: rest.count)
    }

    /// Handles the waiting records one after another.
    ///
    /// It stops at the first that fails or is not on the log any more: those behind it would be out of order.
    /// - Parameter handle: Says why a record cannot be handled, nil where it was.
    public mutating func run(
        on log: any EventLog,
        _ handle: (_ record: Record, _ waiting: Quarantine.Parked, _ source: TopicPartition) async throws -> String?
    ) async throws {
        for (source, records) in line {
            var (waiting, hasFailed) = (records[...], false)
            try await log.records(at: Set(records.map(\.offset)), in: source) { record in
                guard !hasFailed, let next = waiting.first, next.offset == record.offset else { return }
                if let why = try await handle(record, next, source) {
                    (hasFailed, result.reason) = (true, why)
                    return
                }
                waiting.removeFirst()
                result.redriven += 1
                result.left -= 1
            }
            guard let first = waiting.first else { continue }
            if !hasFailed { result.reason = first.gone(from: source) }
            return
        }
    }
}
