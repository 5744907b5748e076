public import EventLog
public import EventModel
public import Logging
public import ServiceLifecycle

/// Answers one domain's commands: reads, decides, and commits events, outcomes and the commands' offsets together.
///
/// It keeps no truth: what it knows of an aggregate is folded from the events partition that it alone writes, and the ids
/// it has answered from the outcomes partition, both when a partition becomes its own.
public struct Handler: Service, CustomStringConvertible {
    /// Commands decided in one commit.
    public static let batch = 4096

    private let domain: Domain
    private let decider: AnyDecider
    private let log: any EventLog
    private let clock: @Sendable () -> Timestamp
    private let logger: Logger
    /// Called when the worker has taken its first partitions.
    public var ready: @Sendable () -> Void = {}

    /// - Parameter clock: only for timers; decisions go by the commands' own time.
    public init(
        _ domain: Domain, _ decider: AnyDecider, log: any EventLog, clock: @escaping @Sendable () -> Timestamp,
        logger: Logger
    ) {
        self.domain = domain
        self.decider = decider
        self.log = log
        self.clock = clock
        self.logger = logger
    }

    /// A handler of a domain, nil where the domain decides nothing.
    public init?(_ domain: Domain, log: any EventLog, clock: @escaping @Sendable () -> Timestamp, logger: Logger) {
        guard let decider = domain.decider else { return nil }
        self.init(domain, decider, log: log, clock: clock, logger: logger)
    }

    public var name: String { Self.group(of: domain) }
    public var description: String { name }
    /// The consumer group of a domain's handlers.
    public static func group(of domain: Domain) -> String { "\(domain.name).handler" }

    public func run() async throws {
        var work = Deciding(domain: domain, decider: decider, log: log, clock: clock, logger: logger)
        let loop = GroupLoop(log: log, group: name, topics: [domain.commandsTopic], batch: Self.batch, ready: ready)
        try await loop.run(&work, until: { Task.isShuttingDownGracefully })
    }
}

/// A handler's work: one set of aggregates for each partition it owns.
private struct Deciding: GroupWork {
    private struct Known {
        var aggregates: any Aggregates
        var remembered = Remembered()
    }
    /// A command's answer on its way: its outcome, and which of the events appended for its partition are its own.
    private struct Answer: Sendable {
        var key: Bytes
        var time: Timestamp
        var outcome: Outcome
        var events: Range<Int>
        var types: [String]
        var repeated = false

        /// The outcome's record, once it is known where the events went.
        func record(events place: TopicPartition, _ offsets: [Offset]) -> NewRecord {
            var outcome = outcome
            if !events.isEmpty {
                outcome.events = zip(events, types).map { Outcome.Written(place: place, offset: offsets[$0], type: $1) }
            }
            return outcome.record(key: key, at: time)
        }
    }

    let domain: Domain
    let decider: AnyDecider
    let log: any EventLog
    let clock: @Sendable () -> Timestamp
    let logger: Logger
    private var known: [Partition: Known] = [:]

    init(
        domain: Domain, decider: AnyDecider, log: any EventLog, clock: @escaping @Sendable () -> Timestamp,
        logger: Logger
    ) {
        self.domain = domain
        self.decider = decider
        self.log = log
        self.clock = clock
        self.logger = logger
    }

    mutating func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset?] {
        for partition in partitions { known[partition.partition] = try await fold(partition.partition) }
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, nil) })
    }

    mutating func dropped(_ partitions: [TopicPartition]) {
        for partition in partitions { known[partition.partition] = nil }
    }

    private func fold(_ partition: Partition) async throws -> Known {
        var known = Known(aggregates: decider.aggregates())
        let events = TopicPartition(domain.eventsTopic, partition)
        let outcomes = TopicPartition(domain.outcomesTopic, partition)
        let bounds = try await log.bounds(of: [events, outcomes])
        for (source, range) in bounds where source == events {
            try await log.scan(source, from: range.lowerBound, to: range.upperBound) { batch in
                for record in batch.records {
                    do {
                        try known.aggregates.evolve(key: record.key, event: record.value, at: record.timestamp)
                    } catch {
                        throw LogError(.damaged, "\(source)@\(record.offset) cannot be folded: \(error)")
                    }
                }
            }
        }
        for (source, range) in bounds where source == outcomes {
            try await log.scan(source, from: range.lowerBound, to: range.upperBound) { batch in
                for record in batch.records {
                    guard let outcome = try? Outcome(record.value), known.remembered[outcome.id] == nil else {
                        continue
                    }
                    known.remembered.add(
                        outcome.id, Remembered.Entry(digest: outcome.digest, outcome: record.offset),
                        at: record.timestamp)
                }
            }
        }
        logger.info(
            "partition taken",
            metadata: ["partition": "\(events)", "aggregates": "\(known.aggregates.count)"])
        return known
    }

    mutating func handle(_ batches: [Batch], as member: any GroupMember) async throws {
        var appends: [Append] = []
        var answers: [(Partition, [Answer])] = []
        var consumed: [TopicPartition: Offset] = [:]
        for batch in batches {
            let (events, answered) = try await decide(batch)
            appends.append(Append(TopicPartition(domain.eventsTopic, batch.source.partition), events))
            answers.append((batch.source.partition, answered))
            consumed[batch.source] = batch.next
        }
        let (outcomes, events, answered) = (domain.outcomesTopic, domain.eventsTopic, answers)
        let transaction = Transaction(appends: appends, consumed: consumed) { offsets in
            zip(answered, offsets).map { answers, offsets in
                let records = answers.1.map { $0.record(events: TopicPartition(events, answers.0), offsets) }
                return Append(TopicPartition(outcomes, answers.0), records)
            }
        }
        let offsets = try await member.transact(transaction)
        remember(answers, Array(offsets.dropFirst(appends.count)))
    }

    /// Decides one partition's commands; gives the events to append and the answers.
    private mutating func decide(_ batch: Batch) async throws -> ([NewRecord], [Answer]) {
        let partition = batch.source.partition
        guard let known = known[partition] else {
            throw LogError(.fenced, "\(batch.source) was delivered but is not assigned")
        }
        var events: [NewRecord] = []
        var answers: [Answer] = []
        var inHand: [String: Int] = [:]
        for record in batch.records {
            let id = record.commandID(in: batch.source)
            let digest = digest(of: record.value, isFact: record.isFact)
            let at = record.decisionTime
            if let answer = try await repeated(id, digest, record, known, inHand[id].map { answers[$0] }, partition) {
                answers.append(answer)
                continue
            }
            let decision = known.aggregates.answer(record, id: id)
            let first = events.count
            var types: [String] = []
            if case .accepted(let decided) = decision {
                for event in decided {
                    types.append(event.type)
                    events.append(
                        NewRecord(
                            key: event.key, value: event.value, timestamp: at,
                            headers: [Header(HeaderName.cause, Bytes(id)), Header(HeaderName.type, Bytes(event.type))]))
                }
            }
            inHand[id] = answers.count
            answers.append(
                Answer(
                    key: record.key, time: record.timestamp,
                    outcome: Outcome(id: id, decision: decision, digest: digest, commandOffset: record.offset),
                    events: first..<events.count, types: types))
        }
        return (events, answers)
    }

    /// The answer to a command whose id was answered before: the same, or a refusal where its body is another.
    private func repeated(
        _ id: String, _ digest: UInt64, _ record: Record, _ known: Known, _ inHand: Answer?, _ partition: Partition
    ) async throws -> Answer? {
        var answer: Answer
        if let inHand {
            // Its events' places are told by the same offsets.
            answer = inHand
        } else if let entry = known.remembered[id] {
            var stored: Outcome?
            let source = TopicPartition(domain.outcomesTopic, partition)
            try await log.scan(source, from: entry.outcome, to: entry.outcome + 1, batch: 1) { batch in
                stored = try batch.records.first.map { try Outcome($0.value) }
            }
            guard let stored else { return nil }
            answer = Answer(key: record.key, time: record.timestamp, outcome: stored, events: 0..<0, types: [])
        } else {
            return nil
        }
        answer.repeated = true
        if answer.outcome.digest != digest {
            let message = "the id \(id) was used before for another command; give this one an id of its own"
            let no = Refused(reason: "id-reused", message: message)
            answer.outcome = Outcome(
                id: id, decision: .refused(no), digest: digest, commandOffset: answer.outcome.commandOffset)
            (answer.events, answer.types) = (0..<0, [])
        }
        return answer
    }

    private mutating func remember(_ answers: [(Partition, [Answer])], _ offsets: [[Offset]]) {
        for ((partition, answered), offsets) in zip(answers, offsets) {
            for (answer, offset) in zip(answered, offsets) where !answer.repeated {
                let entry = Remembered.Entry(digest: answer.outcome.digest, outcome: offset)
                known[partition]?.remembered.add(answer.outcome.id, entry, at: answer.time)
            }
            if let retention = domain.topics.first(where: { $0.name == domain.outcomesTopic })?.retention {
                let cutoff = clock() - retention
                known[partition]?.remembered.forget(before: cutoff)
            }
        }
    }

    mutating func tick(_ member: any GroupMember) async throws -> Duration {
        let now = clock()
        var appends: [Append] = []
        for (partition, known) in known {
            let due = known.aggregates.due(by: now)
            if due.isEmpty { continue }
            let records = due.map { $0.record(now: now) }
            appends.append(Append(TopicPartition(domain.commandsTopic, partition), records))
        }
        if !appends.isEmpty { _ = try await log.append(appends) }
        let next = known.values.compactMap(\.aggregates.nextDue).min()
        return next.map { .milliseconds($0.rawValue - clock().rawValue) } ?? GroupLoop.heed
    }
}
