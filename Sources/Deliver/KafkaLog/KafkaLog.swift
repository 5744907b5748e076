package import CoreMetrics
public import EventLog
public import EventModel
internal import Kafka
internal import Synchronization

/// The log on Apache Kafka.
///
/// Partitions, offsets, groups and transactions are Kafka's own. An empty key or value is written as Kafka's null, which
/// compaction takes for a tombstone, and reads as empty. A timestamp of 0 is written as 1: to librdkafka 0 means now.
public final class KafkaLog: EventLog {
    /// How long a question to the brokers may take before they count as unreachable.
    public static let answerLimit: Duration = .seconds(10)
    /// How long new topics may be without leaders, after the brokers have said that they are made.
    public static let leaderLimit: Duration = .seconds(60)
    /// How long a new member waits for the coordinator of its transactions: the first of a cluster makes the brokers create a
    /// topic of their own for them, which takes a busy one tens of seconds.
    public static let coordinatorLimit: Duration = .seconds(60)
    /// How long an append is tried before it fails.
    public static let deliveryLimit: Duration = .seconds(30)
    /// How long a transaction may stay open; one whose owner died hides later records of its partitions for as long.
    public static let transactionLimit: Duration = .seconds(15)

    /// The librdkafka that this process runs, such as `2.0.2`.
    public static var libraryVersion: String { LibraryVersion.running }

    public let promises: Promises = [.durable, .transactions, .fencing, .timeIndex, .shared]
    /// How long its members and readers wait for brokers, and whom they tell.
    public let patience: Patience
    let tuning: Tuning
    let admin: Admin
    let waits: Waits
    private struct State {
        var producer: Producer
        var partitions: [String: Int] = [:]
        /// When the partitions were asked for.
        var learned = ContinuousClock.now
        var closed = false
        /// When it was said that brokers refuse a client, and that a quota holds one back.
        var toldOfRefusal: ContinuousClock.Instant?
        var toldOfQuota: ContinuousClock.Instant?
    }
    private let state: Mutex<State>

    /// Connects to a cluster.
    ///
    ///     let log = try await KafkaLog(brokers: "127.0.0.1:9092")
    ///
    /// - Parameter brokers: one or more `host:port`, with commas between.
    /// - Parameter properties: any of librdkafka's, for instance for TLS; they go over this log's own.
    /// - Parameter patience: How long members and readers wait for brokers that were there; `limit` unless told.
    /// - Parameter membership: Who this process is to its groups.
    /// - Parameter login: Reads `sasl.username` and `sasl.password` again where a broker refuses those that were given: a
    ///   password may change while workers run.
    /// - Throws: ``LogError`` `unreachable` where no broker answers within `limit`, `refused` where one takes no connection.
    public convenience init(
        brokers: String, properties: [String: String] = [:], limit: Duration = KafkaLog.answerLimit,
        patience: Patience? = nil, membership: Membership = Membership(),
        login: (@Sendable () -> [String: String]?)? = nil
    ) async throws {
        try await self.init(
            brokers: brokers, properties: properties, limit: limit, patience: patience, membership: membership,
            metrics: nil, login: login)
    }

    /// - Parameter metrics: What counts librdkafka's statistics; nil counts none.
    package init(
        brokers: String, properties: [String: String], limit: Duration, patience: Patience?, membership: Membership,
        metrics: (any MetricsFactory)?, login: (@Sendable () -> [String: String]?)?
    ) async throws {
        let patience = patience ?? Patience(limit)
        tuning = Tuning(
            brokers: brokers, properties: properties, membership: membership,
            credentials: login.flatMap { CredentialSource(properties, again: $0, patience) },
            statistics: metrics.map { ClientStatistics(in: $0) })
        (self.patience, waits) = (patience, Waits(patience))
        let (admin, producer) = try await telling("the Kafka client could not be made") {
            [tuning] () throws(KafkaError) in
            (
                try Admin(tuning.admin, limit: limit, credentials: tuning.credentials),
                try Producer(
                    .producer(tuning.producer), credentials: tuning.credentials,
                    onStatistics: tuning.statistics?.listener(of: "producer"))
            )
        }
        self.admin = admin
        state = Mutex(State(producer: producer))
        do {
            try await connect()
            try await learn()
        } catch {
            await close()
            throw error
        }
    }

    private func connect() async throws(LogError) {
        do {
            try await admin.connect(several: tuning.brokers.contains(","))
        } catch let refusal as BrokerRefusal {
            throw LogError.refused(refusal, tuning)
        } catch let error as KafkaError where LogError.Kind(error) != .unreachable {
            throw LogError(error, doing: "no broker could be asked")
        } catch {
            throw LogError.unreachable(tuning.brokers, admin.limit, admin.lastError)
        }
    }

    public func append(_ appends: [Append]) async throws -> [[Offset]] {
        try await check(appends)
        let producer = try await producer()
        do {
            defer { tell(of: producer) }
            return try await producer.write(appends)
        } catch let error where error.kind == .unreachable {
            if let refusing = producer.refusal { throw LogError.refused(refusing.refusal, tuning) }
            throw LogError.unreachable(tuning.brokers, tuning.deliveryLimit, producer.lastError)
        } catch let error where error.kind == .closed {
            // Its queue was thrown away: where it may not write at all, that is why.
            guard let fatal = producer.fatalError, fatal.code != .closed else { throw error }
            throw LogError(fatal, doing: "the records could not be appended")
        } catch let error where error.kind == .unknownTopic {
            try await learn()
            throw error
        }
    }

    public func reader(from positions: [TopicPartition: Offset]) async throws -> any LogReader {
        try await check(Array(positions.keys))
        return try await KafkaReader(self, positions)
    }

    public func join(_ group: String, topics: [String], sharing: Sharing) async throws -> any GroupMember {
        for topic in topics where try await partitions(of: topic) == nil { throw LogError.unknown(topic) }
        if sharing == .apart { return try await KafkaMember(self, group, topics, followers: []) }
        try await checkCopartitioned(topics, group)
        return try await KafkaMember(self, group, Array(topics.prefix(1)), followers: Array(topics.dropFirst()))
    }

    public func close() async {
        let producer = state.withLock { state in
            state.closed = true
            return state.producer
        }
        await producer.close()
        await admin.close()
    }

    /// The producer of plain appends; one that can go on no more is replaced.
    private func producer() async throws(LogError) -> Producer {
        let (producer, closed) = state.withLock { ($0.producer, $0.closed) }
        if closed { throw LogError.wasClosed }
        guard producer.fatalError != nil else { return producer }
        let fresh = try await telling("a producer could not be made") { () throws(KafkaError) in
            try Producer(
                .producer(tuning.producer), credentials: tuning.credentials,
                onStatistics: tuning.statistics?.listener(of: "producer"))
        }
        let spare = state.withLock { state in
            if state.closed || state.producer !== producer { return fresh }
            state.producer = fresh
            return producer
        }
        await spare.close()
        return state.withLock(\.producer)
    }
}

// What topics there are, as far as it is known: topics are made and widened, hardly ever deleted.
extension KafkaLog {
    /// Asks the brokers for all topics.
    @discardableResult
    func learn() async throws(LogError) -> [TopicDescription] {
        if state.withLock(\.closed) { throw LogError.wasClosed }
        do {
            let asked = ContinuousClock.now
            let topics = try await admin.topics()
            state.withLock { state in
                let existing = topics.filter { $0.partitions > 0 }
                state.learned = asked
                state.partitions = Dictionary(existing.map { ($0.name, $0.partitions) }) { $1 }
            }
            return topics
        } catch {
            if LogError.Kind(error) == .unreachable {
                if let refusing = admin.refusal { throw LogError.refused(refusing.refusal, tuning) }
                throw LogError.unreachable(tuning.brokers, admin.limit, admin.lastError)
            }
            throw LogError(error, doing: "the topics could not be listed")
        }
    }

    /// The names of all topics, as they were not longer ago than that.
    func topicNames(notOlderThan age: Duration) async throws(LogError) -> Set<String> {
        if ContinuousClock.now - state.withLock(\.learned) > age { try await learn() }
        return Set(state.withLock(\.partitions).keys)
    }

    /// How many partitions a topic has; nil where there is no such topic.
    func partitions(of topic: String) async throws(LogError) -> Int? {
        if let known = state.withLock({ $0.partitions[topic] }) { return known }
        try await learn()
        return state.withLock { $0.partitions[topic] }
    }

    /// Throws where a partition does not exist.
    func check(_ partitions: [TopicPartition]) async throws(LogError) {
        if state.withLock(\.closed) { throw LogError.wasClosed }
        for partition in partitions {
            guard var count = try await self.partitions(of: partition.topic) else {
                throw LogError.unknown(partition.topic)
            }
            if partition.partition.rawValue >= count {
                try await learn()
                count = try await self.partitions(of: partition.topic) ?? 0
            }
            if !(0..<count).contains(Int(partition.partition.rawValue)) { throw LogError.unknown(partition) }
        }
    }

    func check(_ appends: [Append]) async throws(LogError) {
        try await check(appends.map(\.target))
        for append in appends {
            for record in append.records { try record.checkLimits(append.target) }
        }
    }
}

// What people are told of, once in a while, however many clients of this process meet with it.
extension KafkaLog {
    private static let silence = Duration.seconds(60)

    /// Brokers take no connection of a client just now.
    func refused(_ refusing: Refusing) {
        let isNews = state.withLock { state in
            let now = ContinuousClock.now
            if let told = state.toldOfRefusal, told >= refusing.last || now - told < Self.silence { return false }
            state.toldOfRefusal = now
            return true
        }
        if isNews {
            patience.tell(
                "\(LogError.refused(refusing.refusal, tuning).message); trying on, for \(patience.limit.inWords) at most"
            )
        }
    }

    /// A quota holds appends back.
    private func tell(of producer: Producer) {
        guard let throttling = producer.takeThrottling() else { return }
        let isNews = state.withLock { state in
            let now = ContinuousClock.now
            if let told = state.toldOfQuota, now - told < Self.silence { return false }
            state.toldOfQuota = now
            return true
        }
        if isNews { patience.tell(throttling.inWords) }
    }
}
