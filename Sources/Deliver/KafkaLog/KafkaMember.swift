internal import EventLog
internal import EventModel
internal import Kafka
internal import Synchronization

/// One member of a consumer group (cooperative-sticky), with its transactional producers.
///
/// The group's word about partitions is answered at once where that begins nothing, and otherwise when the application
/// has acted: `start` begins to fetch, and `release` lets the group's rebalance go on.
final class KafkaMember: GroupMember {
    let log: KafkaLog
    let group: String
    let consumer: Consumer
    private let watch: BrokerWatch
    private let transactions: TransactionPool
    private let holding = Mutex(MemberAssignment())
    private let isWoken = Atomic(false)
    /// Topics whose partitions go with those of the same number of the one subscribed to.
    private let followers: [String]

    init(_ log: KafkaLog, _ group: String, _ topics: [String], followers: [String]) async throws(LogError) {
        self.log = log
        self.group = group
        self.followers = followers
        watch = BrokerWatch(log, group, topics + followers)
        consumer = try await telling("a member of group \(group) could not be made") { () throws(KafkaError) in
            try Consumer(
                .consumer(log.tuning.member(group)), credentials: log.tuning.credentials,
                onStatistics: log.tuning.statistics?.listener(of: "member"))
        }
        transactions = TransactionPool(log.tuning, group)
        let consumer = consumer
        do {
            try await telling("group \(group) could not be joined") { () throws(KafkaError) in
                try await consumer.subscribe(topics)
            }
        } catch {
            await consumer.close()
            throw error
        }
    }

    func next(max: Int, wait: Duration) async throws -> Delivery {
        let deadline = ContinuousClock.now + Beat.within(wait)
        while true {
            if let rebalance = holding.withLock({ $0.postponed.take() }), let delivery = try await answer(rebalance) {
                return delivery
            }
            let polled = try await poll(max: max, wait: Swift.max(deadline - .now, .zero))
            try await watch.saw(polled, of: consumer)
            let batches = try holding.withLock { holding in
                holding.postponed = polled.rebalance
                return try polled.batches.compactMap { try holding.advance(Batch($0)) }
            }
            if !batches.isEmpty { return .records(batches) }
            if polled.rebalance != nil { continue }
            if isWoken.exchange(false, ordering: .acquiringAndReleasing) { return .idle }
            if Task.isCancelled || ContinuousClock.now >= deadline { return .idle }
        }
    }

    private func poll(max: Int, wait: Duration) async throws(LogError) -> Polled {
        do {
            return try await consumer.poll(max: max, wait: wait)
        } catch {
            switch error.code {
            case .closed: throw LogError.wasClosed
            case .fencedInstance: throw replaced(error)
            case .unknownTopic, .unknownTopicLocally, .unknownPartitionLocally:
                // Told once. A broker that has just started may say so too, so that it is looked at again.
                try await watch.doubts()
                return Polled()
            default: throw LogError(error, doing: "group \(group) could not go on")
            }
        }
    }

    /// Another process of the same name is the member now. To join anew would drive that one out in turn.
    private func replaced(_ error: any Error) -> LogError {
        let name = log.tuning.member(group)["group.instance.id"] ?? ""
        return LogError(
            .replaced,
            "another process has joined group \(group) under this one's name \(name), and this one stops: give each process a "
                + "name of its own (MILLRACE_INSTANCE): \(error)")
    }

    func wake() {
        isWoken.store(true, ordering: .releasing)
        consumer.wake()
    }

    /// Acts on a rebalance; nil where it concerns nothing that the application knows of.
    private func answer(_ rebalance: Rebalance) async throws(LogError) -> Delivery? {
        try await telling("group \(group) could not be rebalanced") { () throws(KafkaError) in
            switch rebalance {
            case .assigned(let partitions):
                // This lets the group go on; fetching begins with `start`.
                try await consumer.add([:])
                let fresh = holding.withLock { $0.assign(all(partitions)) }
                return fresh.isEmpty ? nil : .assigned(fresh)
            case .revoked(let partitions):
                let told = holding.withLock { $0.revoke(all(partitions)) }
                if told.isEmpty { try await consumer.remove([]) }
                return told.isEmpty ? nil : .revoked(told)
            case .lost(let partitions):
                let (told, fetched) = holding.withLock { $0.lose(all(partitions)) }
                try await consumer.remove(fetched.map(KafkaPartition.init))
                return told.isEmpty ? nil : .lost(told)
            }
        }
    }

    private func all(_ partitions: [KafkaPartition]) -> [TopicPartition] {
        Array(partitions.map(TopicPartition.init).with(followers))
    }

    func start(_ positions: [TopicPartition: Offset?]) async throws {
        let wanted = holding.withLock { holding in positions.filter { holding.mayStart($0.key) } }
        var known = wanted.compactMapValues { $0 }
        let unknown = wanted.keys.filter { known[$0] == nil }
        if !unknown.isEmpty {
            known.merge(try await log.committed(group, unknown)) { $1 }
            let rest = unknown.filter { known[$0] == nil }
            if !rest.isEmpty { known.merge(try await log.bounds(of: rest).mapValues(\.lowerBound)) { $1 } }
        }
        let fresh = holding.withLock { [known] in $0.start(known) }
        if fresh.isEmpty { return }
        try await telling("partitions of group \(group) could not be started") { () throws(KafkaError) in
            try await consumer.add(fresh.forKafka)
        }
    }

    func release(_ partitions: [TopicPartition]) async throws {
        guard let fetched = holding.withLock({ $0.release(partitions) }) else { return }
        try await telling("partitions of group \(group) could not be released") { () throws(KafkaError) in
            try await consumer.remove(fetched.map(KafkaPartition.init))
        }
    }

    /// How long a member that commits under an old generation may take to hear of the new one.
    private static let patience = Duration.seconds(2)

    func commit(_ consumed: [TopicPartition: Offset]) async throws {
        if consumed.isEmpty { return }
        let began = ContinuousClock.now
        var wait = BrokerWait(log, for: "the coordinator of group \(group)")
        defer { wait.end(well: false) }
        while true {
            try checkHeld(consumed)
            let place = try await telling("group \(group) could not be asked") { () throws(KafkaError) in
                try await consumer.groupMetadata()
            }
            if place == nil { throw LogError(.fenced, "group \(group) has expelled this member") }
            do {
                try await consumer.commit(consumed.forKafka)
                return wait.end()
            } catch {
                if error.code == .fencedInstance { throw replaced(error) }
                let told = LogError(error, doing: "offsets of group \(group) could not be committed")
                if error.mayPass {
                    try wait.bear(told)
                } else {
                    // The group's new generation is about to be told. Who is told of none has been left behind.
                    let patience =
                        error.code == .rebalancing
                        ? log.admin.limit : error.code == .illegalGeneration ? Self.patience : .zero
                    if ContinuousClock.now - began >= patience { throw told }
                }
                try await Task.sleep(for: wait.pause)
            }
        }
    }

    func show(_ positions: [TopicPartition: Offset]) async {
        let own = holding.withLock { holding in positions.filter { holding.told.contains($0.key) } }
        await consumer.note(own.forKafka)
    }

    @discardableResult
    func transact(_ transaction: Transaction) async throws -> [[Offset]] {
        try await log.check(transaction.appends)
        try checkHeld(transaction.consumed)
        let place: Place = { [group, consumer] () throws(KafkaError) in
            guard let place = try consumer.groupMetadataAtOnce() else { throw .expelled(from: group) }
            return place
        }
        do {
            return try await transactions.run(transaction, as: transaction.consumed.isEmpty ? nil : place, in: log)
        } catch {
            if error.kind == .replaced { throw replaced(error) }
            let isNamed = log.tuning.membership.instance != nil
            guard isNamed, error.kind == .aborted, let fatal = await driven() else { throw error }
            throw replaced(fatal)
        }
    }

    /// Why this member was driven out for good, where it was. It is told with a heartbeat.
    private func driven() async -> KafkaError? {
        let deadline = ContinuousClock.now + Self.patience
        while ContinuousClock.now < deadline {
            if let fatal = consumer.fatalError { return fatal.code == .fencedInstance ? fatal : nil }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }

    /// Throws where one of the partitions is not this member's, or another process has its name.
    private func checkHeld(_ consumed: [TopicPartition: Offset]) throws(LogError) {
        if consumed.isEmpty { return }
        if log.tuning.membership.instance != nil, let fatal = consumer.fatalError, fatal.code == .fencedInstance {
            throw replaced(fatal)
        }
        for partition in consumed.keys where !holding.withLock({ $0.told.contains(partition) }) {
            throw LogError(.fenced, "\(partition) of group \(group) belongs to another member now")
        }
    }

    func leave() async {
        holding.withLock { $0 = MemberAssignment() }
        await transactions.close()
        await consumer.close()
    }
}

extension [TopicPartition: Offset] {
    var forKafka: [KafkaPartition: Int64] { reduce(into: [:]) { $0[KafkaPartition($1.key)] = $1.value.rawValue } }
}

extension KafkaError {
    fileprivate static func expelled(from group: String) -> KafkaError {
        KafkaError(.unknownMember, "group \(group) has expelled this member")
    }
}
