internal import EventLog
public import EventModel
internal import Kafka

extension KafkaLog {
    /// Makes what can be made, and then throws of what cannot.
    public func create(_ topics: [Topic]) async throws {
        let known = try await partitionCounts()
        let missing = topics.filter { known[$0.name] == nil }
        if !missing.isEmpty { try await make(missing) }
        try compare(topics, known)
    }

    private func make(_ missing: [Topic]) async throws {
        let errors = try await telling("the topics could not be created") { () throws(KafkaError) in
            try await admin.create(missing.map(NewTopic.init))
        }
        // Another process may have made one at the same moment.
        let failed = errors.filter { $0.value.code != .topicExists }.sorted { $0.key < $1.key }
        let made = missing.filter { topic in !failed.contains { $0.key == topic.name } }
        try await waitForLeaders(of: made.map(\.name), within: KafkaLog.leaderLimit)
        if let (topic, error) = failed.first {
            let more = failed.dropFirst().map { "; topic \($0.key): \($0.value)" }.joined()
            let first = LogError(error, doing: "topic \(topic) could not be created")
            throw LogError(error.code.refusesTopic ? .mismatch : first.kind, first.message + more)
        }
        try compare(missing, try await partitionCounts())
    }

    /// Waits until every partition of topics can be read and written. A broker that is asked for many topics at once has
    /// said that they are made long before.
    package func waitForLeaders(of topics: [String], within limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        // What is asked is all topics, so that it is asked seldom where there are so many that it takes time.
        var pause: Duration = .milliseconds(20)
        while true {
            let ready = Set(try await learn().filter(\.isReady).map(\.name))
            let waiting = topics.filter { !ready.contains($0) }
            guard let first = waiting.first else { return }
            if ContinuousClock.now >= deadline {
                let others = waiting.count == 1 ? "" : " and \(waiting.count - 1) more"
                throw LogError(
                    .unreachable,
                    "topic \(first)\(others) has no leader for every partition after \(limit.milliseconds / 1000) s: "
                        + "are the brokers busy, or is one of them down? What is made stays, so it can be tried again")
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(500))
        }
    }

    /// The topics that there are, without Kafka's own: also those with a partition that has no leader just now, as after the
    /// restart of a broker, for they are no less there.
    public func topics() async throws -> [Topic] {
        let found = try await learn().filter { $0.exists && !$0.name.hasPrefix("__") }
        let configs = try await telling("the topics' configuration could not be read") { () throws(KafkaError) in
            try await admin.configs(of: found.map(\.name))
        }
        // One without has been deleted since it was listed.
        return found.compactMap { topic in configs[topic.name].map { Topic(topic, $0) } }
    }

    /// It needs no right to read the topics' configuration. Workers wait for a broker that says it.
    public func partitionCounts() async throws -> [String: Int] {
        var wait = BrokerWait(self, for: "a broker")
        defer { wait.end(well: false) }
        while true {
            do {
                let found = try await learn()
                wait.end()
                let topics = found.filter { $0.exists && !$0.name.hasPrefix("__") }
                return Dictionary(topics.map { ($0.name, $0.partitions) }) { $1 }
            } catch {
                guard error.mayPass else { throw error }
                try wait.bear(error)
            }
            try await Task.sleep(for: wait.pause)
        }
    }

    private func compare(_ topics: [Topic], _ known: [String: Int]) throws(LogError) {
        for topic in topics {
            if let has = known[topic.name], has != topic.partitions {
                throw LogError.mismatch(topic.name, has: has, wanted: topic.partitions)
            }
        }
    }
}

extension KafkaError.Code {
    /// Whether brokers say so of a topic that cannot be as it is declared: its partitions, replicas, their places, its
    /// configuration, or what their policy allows.
    fileprivate var refusesTopic: Bool { (37...40).contains(rawValue) || rawValue == 44 }
}

extension NewTopic {
    init(_ topic: Topic) {
        self.init(
            topic.name, partitions: topic.partitions, replication: topic.replication,
            configs: [
                "cleanup.policy": topic.cleanup.rawValue,
                "message.timestamp.type": topic.clock == .log ? "LogAppendTime" : "CreateTime",
                "retention.ms": topic.retention.map { String($0.milliseconds) } ?? "-1",
                "min.insync.replicas": topic.minInSync.map { String($0) },
                "max.message.bytes": String(topic.maxMessageBytes ?? Limits.messageBytes),
            ].compactMapValues { $0 })
    }
}

extension Topic {
    init(_ topic: TopicDescription, _ configs: [String: String]) {
        let retention = configs["retention.ms"].flatMap { Int64($0) } ?? -1
        self.init(
            topic.name, partitions: topic.partitions, replication: topic.replication,
            retention: retention < 0 ? nil : .milliseconds(retention),
            cleanup: configs["cleanup.policy"]?.contains("compact") == true ? .compact : .delete,
            clock: configs["message.timestamp.type"] == "LogAppendTime" ? .log : .event, key: "", schema: "", owner: "",
            minInSync: configs["min.insync.replicas"].flatMap { Int($0) },
            maxMessageBytes: configs["max.message.bytes"].flatMap { Int($0) })
    }
}
