internal import EventLog
internal import EventModel
internal import Kafka
internal import Synchronization

/// Tells a quiet log from one that cannot be reached, and from topics that are gone: librdkafka's consumer keeps trying in
/// silence.
///
/// When nothing was heard for as long as an answer may take, it asks. It never waits itself, so that whoever reads may stop.
final class BrokerWatch: Sendable {
    /// How long it goes without a look at what topics there are.
    static let glance = Duration.seconds(10)
    /// How long a topic that is not there may be away: brokers that have just started do not know of all.
    static let absence = Duration.seconds(10)
    /// Between two words about quotas.
    private static let throttlingPause = Duration.seconds(60)

    private struct State {
        var heard = ContinuousClock.now
        var wait: BrokerWait?
        var glanced = ContinuousClock.now
        var missing: [String: ContinuousClock.Instant] = [:]
        var throttled: ContinuousClock.Instant?
    }
    private let log: KafkaLog
    private let name: String
    private let topics: [String]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - name: Whose watch it is, for people.
    ///   - topics: What has to be there.
    init(_ log: KafkaLog, _ name: String, _ topics: [String]) {
        (self.log, self.name, self.topics) = (log, name, topics)
    }

    /// - Throws: `unreachable` or `refused` where no broker answers as long as patience lasts, `unknownTopic` where a topic
    ///   is gone.
    func saw(_ polled: Polled, of consumer: Consumer) async throws(LogError) {
        let now = ContinuousClock.now
        let silence = state.withLock { state in
            if !polled.batches.isEmpty || polled.rebalance != nil { state.heard = now }
            return now - state.heard
        }
        tell(of: consumer)
        try look(at: consumer)
        if silence >= log.admin.limit { try await ask() }
        let isDue = state.withLock { state in
            now - state.glanced >= (state.missing.isEmpty ? Self.glance : .seconds(1))
        }
        if isDue { try await glance() }
    }

    /// The consumer was told that one of its topics is not there.
    func doubts() async throws(LogError) { try await glance() }

    /// Brokers that take no connection of this consumer's, while others of this process may have theirs.
    private func look(at consumer: Consumer) throws(LogError) {
        guard let refusing = consumer.refusal else { return }
        log.refused(refusing)
        let lasted = refusing.last - refusing.since
        if lasted < log.patience.limit { return }
        var error = LogError.refused(refusing.refusal, log.tuning)
        error.waited = lasted
        throw error
    }

    private func ask() async throws(LogError) {
        do {
            try await log.learn()
            state.withLock { state in
                state.wait?.end()
                (state.wait, state.heard) = (nil, .now)
            }
        } catch {
            guard error.mayPass else { throw error }
            try state.withLock { state throws(LogError) in
                var wait = state.wait ?? BrokerWait(log, for: "a broker", since: state.heard)
                defer { state.wait = wait }
                try wait.bear(error)
            }
        }
    }

    private func glance() async throws(LogError) {
        let there: Set<String>
        do {
            there = try await log.topicNames(notOlderThan: Self.glance / 2)
        } catch {
            if error.mayPass { return }
            throw error
        }
        let now = ContinuousClock.now
        let (lost, back) = state.withLock { state -> ([String], [String]) in
            state.glanced = now
            let lost = topics.filter { !there.contains($0) && state.missing[$0] == nil }
            let back = state.missing.keys.filter { there.contains($0) }
            for topic in lost { state.missing[topic] = now }
            for topic in back { state.missing[topic] = nil }
            return (lost, back)
        }
        for topic in lost {
            log.patience.tell(
                "\(name): the topic \(topic) is not on the log any more; it is waited for, for \(Self.absence.inWords)")
        }
        for topic in back { log.patience.tell("\(name): the topic \(topic) is there again") }
        let gone = state.withLock { state in state.missing.first { now - $0.value >= Self.absence }?.key }
        if let gone { throw LogError.gone(gone, name) }
    }

    private func tell(of consumer: Consumer) {
        guard let throttling = consumer.takeThrottling() else { return }
        let now = ContinuousClock.now
        let isNews = state.withLock { state in
            if let told = state.throttled, now - told < Self.throttlingPause { return false }
            state.throttled = now
            return true
        }
        if isNews { log.patience.tell("\(name): \(throttling.inWords)") }
    }
}

extension Throttling {
    var inWords: String {
        "held back by the quota of \(broker), \(answers) answers by up to \(longest.inWords)"
    }
}

extension LogError {
    /// A topic that was there, and was deleted while it was read.
    static func gone(_ topic: String, _ reader: String) -> LogError {
        var error = LogError.unknown(topic)
        error.message = "\(reader) stops: the topic \(topic) is not on the log any more"
        return error
    }
}
