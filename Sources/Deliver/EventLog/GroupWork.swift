public import EventModel

/// What a worker does as a member of a group. Its methods are called one after another, by one task.
public protocol GroupWork {
    /// These partitions are this worker's now: says where each begins, nil for where the group has committed.
    mutating func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset?]
    /// These partitions go to another, or have gone, or the worker stops: what is known of them is of no use any more.
    mutating func dropped(_ partitions: [TopicPartition]) async
    /// Does the work of some batches and commits it.
    mutating func handle(_ batches: [Batch], as member: any GroupMember) async throws
    /// Does what time has made due; says how long until it wants to be asked again.
    mutating func tick(_ member: any GroupMember) async throws -> Duration
    /// Records that it takes at once; nil for as many as its loop says.
    var most: Int? { get }
    /// Whether nobody waits for what it does with each record, so that records of a durable log may gather after it has handled few.
    var gathers: Bool { get }
    /// Waits for the next thing that happens to its member.
    mutating func next(of member: any GroupMember, max: Int, wait: Duration) async throws -> Delivery
}

extension GroupWork {
    public var most: Int? { nil }
    public var gathers: Bool { false }
    public mutating func next(of member: any GroupMember, max: Int, wait: Duration) async throws -> Delivery {
        try await member.next(max: max, wait: wait)
    }
}

/// How a worker takes part in its group, from joining to leaving.
public struct GroupLoop: Sendable {
    /// How long a worker goes at most without a look around, where it does not ask for one. What there is to do wakes it.
    public static let heed = Duration.seconds(5)

    /// The longest that records gather.
    public static let longestLull = Duration.milliseconds(20)
    /// Of so many a commit costs little each.
    private static let few = 1000

    public var log: any EventLog
    public var group: String
    public var topics: [String]
    public var sharing: Sharing
    /// Records in one batch of work.
    public var batch: Int
    /// Called when the first partitions have been taken and begun.
    public var ready: @Sendable () -> Void
    /// Who tells the worker to stop, or asks something of it, rings this.
    public var wake = Wake()
    /// Called when it has left the group and is about to join anew.
    package var rejoining: @Sendable () -> Void = {}
    public init(
        log: any EventLog, group: String, topics: [String], sharing: Sharing = .apart, batch: Int,
        ready: @escaping @Sendable () -> Void = {}
    ) {
        self.log = log
        self.group = group
        self.topics = topics
        self.sharing = sharing
        self.batch = batch
        self.ready = ready
    }

    /// How long records may gather after so many were handled: each commit costs about the same, however few it has, and under load those
    /// of many workers would take the processors from whom they work for. Whoever is handled after a rest sees nothing of it.
    static func lull(after records: Int, in took: Duration) -> Duration {
        records < few ? min(took * 2, longestLull) : .zero
    }

    /// Works until told to stop; then finishes what is in hand, commits it and leaves.
    ///
    /// After a transaction that was fenced or aborted, everything known is dropped, and the worker leaves and joins anew:
    /// its records come again from where the group has committed, to it or to another. The same where the log does not answer,
    /// for as long as its patience says: what was on its way is found out by where the group stands.
    public func run(_ work: inout some GroupWork, until stopping: () -> Bool) async throws {
        var trouble = Trouble(log.patience)
        var isFirst = true
        while !stopping() && !Task.isCancelled {
            if !isFirst { rejoining() }
            isFirst = false
            do {
                try await takePart(&work, &trouble, until: stopping)
            } catch let error as LogError {
                guard trouble.bears(error, of: group) else { throw error }
                try? await Task.sleep(for: Trouble.rest)
            }
        }
    }

    /// Joins, works until told to stop or to join anew, and leaves.
    private func takePart(
        _ work: inout some GroupWork, _ trouble: inout Trouble, until stopping: () -> Bool
    ) async throws {
        let member = try await log.join(group, topics: topics, sharing: sharing)
        wake.attend(member)
        var held: Set<TopicPartition> = []
        do {
            try await take(part: member, &held, &work, &trouble, until: stopping)
            await work.dropped(held.sorted())
        } catch let error as LogError where error.kind == .fenced || error.kind == .aborted {
            await work.dropped(held.sorted())
        } catch {
            // It stops with an error, which is not a crash and is not counted as one.
            await work.dropped(held.sorted())
            wake.attend(nil)
            await member.leave()
            throw error
        }
        wake.attend(nil)
        await member.leave()
    }

    private func take(
        part member: any GroupMember, _ held: inout Set<TopicPartition>, _ work: inout some GroupWork,
        _ trouble: inout Trouble, until stopping: () -> Bool
    ) async throws {
        while !stopping() && !Task.isCancelled {
            let pause = try await work.tick(member)
            let wait = min(max(pause, .zero), Self.heed)
            switch try await work.next(of: member, max: work.most ?? batch, wait: wait) {
            case .assigned(let partitions):
                held.formUnion(partitions)
                try await member.start(work.assigned(partitions))
                trouble.passed(group)
                ready()
            case .revoked(let partitions):
                held.subtract(partitions)
                await work.dropped(partitions)
                try await member.release(partitions)
            case .lost(let partitions):
                held.subtract(partitions)
                await work.dropped(partitions)
            case .records(let batches):
                let start = ContinuousClock.now
                try await work.handle(batches, as: member)
                trouble.passed(group)
                // To bring little to the memory costs little.
                if work.gathers, log.promises.contains(.durable) {
                    let count = batches.reduce(0) { $0 + $1.records.count }
                    let lull = Self.lull(after: count, in: .now - start)
                    if lull > .zero { try? await Task.sleep(for: lull) }
                }
            case .idle: break
            }
        }
    }
}

extension EventLog {
    /// Reads a partition from an offset up to another, batch by batch. No batch has, or goes on past, what is behind the end.
    ///
    /// - Parameter times: Of which the records are, nil for any; batches go on past the others.
    /// - Throws: ``LogError/Kind/damaged`` where the log ends before that.
    public func scan(
        _ partition: TopicPartition, from: Offset, to end: Offset, within times: ClosedRange<Timestamp>? = nil,
        batch: Int = 10_000, _ body: (Batch) async throws -> Void
    ) async throws {
        if from >= end { return }
        let reader = try await reader(from: [partition: from], ofTimes: times)
        do {
            var (at, silence) = (from, Silence())
            while at < end {
                let batches = try await reader.next(max: batch, wait: Silence.look)
                if batches.isEmpty {
                    if try await !silence.lasts(in: partition, from: at, to: end, of: self) { break }
                } else {
                    silence.broke()
                }
                for batch in batches {
                    at = min(batch.next, end)
                    try await body(
                        batch.next <= end
                            ? batch : Batch(source: batch.source, records: Array(batch.records(before: end)), next: end)
                    )
                }
                try Task.checkCancellation()
            }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
    }

    /// Reads records of a partition by their offsets, in order; those that the log has no more are left out.
    public func records(
        at offsets: Set<Offset>, in partition: TopicPartition, _ body: (Record) async throws -> Void
    ) async throws {
        guard let first = offsets.min(), let last = offsets.max(),
            let bounds = try await bounds(of: [partition])[partition]
        else { return }
        let (from, end) = (max(first, bounds.lowerBound), min(last + 1, bounds.upperBound))
        try await scan(partition, from: from, to: end, batch: min(10_000, Int(max(1, end - from)))) { batch in
            for record in batch.records where offsets.contains(record.offset) { try await body(record) }
        }
    }

    /// One record by its offset; nil where the log does not have it, or not any more.
    public func record(at offset: Offset, in partition: TopicPartition) async throws -> Record? {
        var found: Record?
        try await records(at: [offset], in: partition) { found = $0 }
        return found
    }

    /// All partitions of some topics.
    ///
    /// - Throws: ``LogError/Kind/unknownTopic`` where the log has not all of them.
    public func partitions(of topics: [String]) async throws -> [TopicPartition] {
        let counts = try await partitionCounts()
        return try topics.flatMap { topic in
            guard let count = counts[topic] else { throw LogError.unknown(topic) }
            return (0..<count).map { TopicPartition(topic, Partition($0)) }
        }
    }

    public func partitionCounts() async throws -> [String: Int] {
        Dictionary(try await topics().map { ($0.name, $0.partitions) }) { $1 }
    }
}
