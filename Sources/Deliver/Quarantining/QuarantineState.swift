public import EventModel

/// What the topic of the quarantine says: whose records wait, and what has been asked for.
public struct QuarantineState: Sendable {
    /// Of each worker, the partitions of which records wait or were dropped.
    public private(set) var workers: [String: [TopicPartition: Quarantine]] = [:]
    /// Requests that nobody has ended, oldest first.
    public private(set) var open: [RedriveRequest] = []
    /// Those of them that a worker has taken in hand.
    public private(set) var begun: Set<String> = []
    /// What came of requests, by their id.
    public private(set) var ended: [String: RedriveResult] = [:]
    /// Records that waited once and do no more, in the order in which they were let go.
    public private(set) var unparked: [String: [Unparked]] = [:]
    /// What each worker has never seen, for it was past its retention before.
    public private(set) var missed: [String: [TopicPartition: RangeSet<Offset>]] = [:]
    /// Up to where the topic has been read.
    public private(set) var next = Offset(0)

    public struct Unparked: Hashable, Sendable {
        public var source: TopicPartition
        public var offset: Offset
        public var dropped: Bool
        /// Where the quarantine's topic says so.
        public var at: Offset
    }

    public init() {}

    /// Takes note of a record of the topic; one that was read before, or that is no entry, changes nothing.
    mutating func apply(_ record: Record) {
        if record.offset < next { return }
        next = record.offset + 1
        // A record that cannot be read must not stop every worker. verify reports it.
        switch try? QuarantineEntry(record.value) {
        case nil: break
        case .parked(let worker, let source, let parked):
            // A late report that a record waits does not bring back one that was dropped.
            if workers[worker]?[source]?.dropped.contains(parked.offset) ?? false { return }
            workers[worker, default: [:]][source, default: Quarantine()].park(parked)
        case .unparked(let worker, let source, let offset, let dropped):
            workers[worker, default: [:]][source, default: Quarantine()].unpark(offset, dropping: dropped)
            unparked[worker, default: []].append(
                Unparked(source: source, offset: offset, dropped: dropped, at: record.offset))
        case .asked(let request):
            if ended[request.id] == nil { open.append(request) }
        case .begun(let id): begun.insert(id)
        case .ended(let end):
            ended[end.id] = end
            open.removeAll { $0.id == end.id }
            begun.remove(end.id)
        case .missed(let worker, let source, let range):
            missed[worker, default: [:]][source, default: RangeSet()].insert(contentsOf: range)
        }
    }

    /// Records of a partition that a worker had kept waiting and has handled since.
    ///
    /// - Parameters:
    ///   - since: Where this topic stood when somebody last took note of it.
    ///   - end: Only records before that, nil for none.
    public func redriven(
        of worker: String, in source: TopicPartition, since: Offset, before end: Offset?
    ) -> Set<Offset> {
        guard let end else { return [] }
        let offsets = (unparked[worker] ?? []).lazy
            .filter { $0.source == source && !$0.dropped && $0.at >= since && $0.offset < end }.map(\.offset)
        return Set(offsets).filter { !(workers[worker]?[source]?.leavesOut($0) ?? false) }
    }

    /// Whether a record waits for a worker, or once did.
    public func knows(_ offset: Offset, in source: TopicPartition, of worker: String) -> Bool {
        workers[worker]?[source]?.leavesOut(offset) ?? false
            || unparked[worker]?.contains { $0.source == source && $0.offset == offset } ?? false
    }
}
