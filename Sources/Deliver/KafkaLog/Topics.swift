internal import EventLog
public import EventModel
internal import Kafka

extension KafkaLog {
    public func create(_ topics: [Topic]) async throws {
        var known = try await partitionCounts()
        try compare(topics, known)
        let missing = topics.filter { known[$0.name] == nil }
        let errors = try await telling("the topics could not be created") { () throws(KafkaError) in
            try await admin.create(missing.map(NewTopic.init))
        }
        // Another process may have made one at the same moment.
        for (topic, error) in errors.sorted(by: { $0.key < $1.key }) where error.code != .topicExists {
            throw LogError(error, doing: "topic \(topic) could not be created")
        }
        let deadline = ContinuousClock.now + admin.limit
        while true {
            known = try await partitionCounts()
            if topics.allSatisfy({ known[$0.name] != nil }) { break }
            if ContinuousClock.now >= deadline {
                throw LogError(
                    .unreachable, "the new topics have no leaders after \(admin.limit.milliseconds / 1000) s")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        try compare(topics, known)
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

    private func partitionCounts() async throws(LogError) -> [String: Int] {
        Dictionary(try await learn().filter(\.isReady).map { ($0.name, $0.partitions) }) { $1 }
    }

    private func compare(_ topics: [Topic], _ known: [String: Int]) throws(LogError) {
        for topic in topics {
            if let has = known[topic.name], has != topic.partitions {
                throw LogError.mismatch(topic.name, has: has, wanted: topic.partitions)
            }
        }
    }
}

extension NewTopic {
    init(_ topic: Topic) {
        self.init(
            topic.name, partitions: topic.partitions, replication: topic.replication,
            configs: [
                "cleanup.policy": topic.cleanup.rawValue,
                "message.timestamp.type": topic.clock == .log ? "LogAppendTime" : "CreateTime",
                "retention.ms": topic.retention.map { String($0.milliseconds) } ?? "-1",
            ])
    }
}

extension Topic {
    init(_ topic: TopicDescription, _ configs: [String: String]) {
        let retention = configs["retention.ms"].flatMap { Int64($0) } ?? -1
        self.init(
            topic.name, partitions: topic.partitions, replication: topic.replication,
            retention: retention < 0 ? nil : .milliseconds(retention),
            cleanup: configs["cleanup.policy"]?.contains("compact") == true ? .compact : .delete,
            clock: configs["message.timestamp.type"] == "LogAppendTime" ? .log : .event, key: "", schema: "", owner: "")
    }
}
