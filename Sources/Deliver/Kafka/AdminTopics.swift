internal import CRdkafka
internal import Synchronization

/// A topic to be made.
public struct NewTopic: Sendable, Hashable {
    /// The topic's name, of at most 249 letters, digits, `.`, `_` and `-`.
    public var name: String
    /// How many partitions it is to have.
    public var partitions: Int
    /// On how many brokers each partition is kept.
    public var replication: Int
    /// Such as `retention.ms`; what is left out is the broker's default.
    public var configs: [String: String]
    /// A topic with these settings.
    public init(_ name: String, partitions: Int, replication: Int = 1, configs: [String: String] = [:]) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
        self.configs = configs
    }
}

/// A topic as the brokers describe it.
public struct TopicDescription: Sendable, Hashable {
    /// The topic's name.
    public var name: String
    /// How many partitions it has; 0 where it is being made or deleted.
    public var partitions: Int
    /// On how many brokers each partition is kept.
    public var replication: Int
    /// Every partition has a leader, so that it can be read and written.
    public var isReady: Bool
    /// It is there, though a partition may have no leader just now. One that is being made or deleted has no partitions.
    public var exists: Bool { partitions > 0 }
}

extension Admin {
    /// All topics that there are, by name. It never makes one.
    ///
    /// Calls are made one after another. Many that wait for the same have one answer, or a broker that is away would keep the
    /// last of them waiting for as long as all of them together.
    public func topics() async throws(KafkaError) -> [TopicDescription] {
        let wanted = ContinuousClock.now
        return try await run { [self] client, milliseconds throws(KafkaError) in
            if let last = seen.withLock({ $0 }), last.asked >= wanted { return try last.answer.get() }
            let asked = ContinuousClock.now
            let answer = Result { () throws(KafkaError) in try allTopics(client, milliseconds) }
            seen.withLock { $0 = (asked, answer) }
            hearNews()
            if case .success = answer { news.heard() }
            return try answer.get()
        }
    }

    private func allTopics(_ client: Client, _ milliseconds: Int32) throws(KafkaError) -> [TopicDescription] {
        var answer: UnsafePointer<rd_kafka_metadata>?
        try KafkaError.check(rd_kafka_metadata(client.rk, 1, nil, &answer, milliseconds))
        guard let answer else { return [] }
        defer { rd_kafka_metadata_destroy(answer) }
        return (0..<Int(answer.pointee.topic_cnt)).map { i in TopicDescription(answer.pointee.topics[i]) }
            .sorted { $0.name < $1.name }
    }

    /// Makes topics; returns the errors of those that could not be made, by name.
    public func create(_ topics: [NewTopic]) async throws(KafkaError) -> [String: KafkaError] {
        if topics.isEmpty { return [:] }
        return try await ask(RD_KAFKA_ADMIN_OP_CREATETOPICS) { rk, options, queue throws(KafkaError) in
            var made: [OpaquePointer?] = []
            defer { for topic in made { rd_kafka_NewTopic_destroy(topic) } }
            for topic in topics { made.append(try topic.make()) }
            rd_kafka_CreateTopics(rk, &made, made.count, options, queue)
        } read: { event in
            var count = 0
            return errors(rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count), count)
        }
    }

    /// Gives a topic more partitions: so many in all.
    public func widen(_ topic: String, to partitions: Int) async throws(KafkaError) {
        try await ask(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS) { rk, options, queue throws(KafkaError) in
            var text = [CChar](repeating: 0, count: 512)
            var request = rd_kafka_NewPartitions_new(topic, partitions, &text, text.count)
            if request == nil { throw KafkaError(.invalidSetting, "topic \(topic): \(string(text))") }
            defer { rd_kafka_NewPartitions_destroy(request) }
            rd_kafka_CreatePartitions(rk, &request, 1, options, queue)
        } read: { event throws(KafkaError) in
            var count = 0
            let answer = rd_kafka_event_CreatePartitions_result(event)
            if let error = errors(rd_kafka_CreatePartitions_result_topics(answer, &count), count)[topic] { throw error }
        }
    }

    /// Deletes topics; returns the errors of those that could not be deleted, by name.
    public func delete(_ topics: [String]) async throws(KafkaError) -> [String: KafkaError] {
        if topics.isEmpty { return [:] }
        return try await ask(RD_KAFKA_ADMIN_OP_DELETETOPICS) { rk, options, queue in
            var doomed = topics.map { rd_kafka_DeleteTopic_new($0) }
            defer { for topic in doomed { rd_kafka_DeleteTopic_destroy(topic) } }
            rd_kafka_DeleteTopics(rk, &doomed, doomed.count, options, queue)
        } read: { event in
            var count = 0
            return errors(rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count), count)
        }
    }

    /// Each topic's configuration, the broker's defaults included; nothing of a topic that is not there.
    public func configs(of topics: [String]) async throws(KafkaError) -> [String: [String: String]] {
        if topics.isEmpty { return [:] }
        return try await ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS) { rk, options, queue in
            var resources = topics.map { rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, $0) }
            defer { for resource in resources { rd_kafka_ConfigResource_destroy(resource) } }
            rd_kafka_DescribeConfigs(rk, &resources, resources.count, options, queue)
        } read: { event throws(KafkaError) in
            var count = 0
            let answer = rd_kafka_event_DescribeConfigs_result(event)
            let resources = rd_kafka_DescribeConfigs_result_resources(answer, &count)
            var configs: [String: [String: String]] = [:]
            for i in 0..<count {
                guard let resource = resources?[i] else { continue }
                let error = rd_kafka_ConfigResource_error(resource)
                if error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART { continue }
                try KafkaError.check(error)
                configs[String(cString: rd_kafka_ConfigResource_name(resource))] = entries(of: resource)
            }
            return configs
        }
    }

    /// Forgets the records before an offset of each partition.
    public func deleteRecords(before offsets: [KafkaPartition: Int64]) async throws(KafkaError) {
        if offsets.isEmpty { return }
        try await ask(RD_KAFKA_ADMIN_OP_DELETERECORDS) { rk, options, queue in
            let list = PartitionList(offsets)
            var request = rd_kafka_DeleteRecords_new(list.list)
            defer { rd_kafka_DeleteRecords_destroy(request) }
            rd_kafka_DeleteRecords(rk, &request, 1, options, queue)
        } read: { event throws(KafkaError) in
            let answer = rd_kafka_event_DeleteRecords_result(event)
            if let list = rd_kafka_DeleteRecords_result_offsets(answer) { _ = try PartitionList.offsets(in: list) }
        }
    }
}

extension TopicDescription {
    fileprivate init(_ topic: rd_kafka_metadata_topic) {
        let partitions = (0..<Int(topic.partition_cnt)).map { topic.partitions[$0] }
        self.init(
            name: String(cString: topic.topic), partitions: partitions.count,
            replication: Int(partitions.first?.replica_cnt ?? 0),
            isReady: topic.err == RD_KAFKA_RESP_ERR_NO_ERROR && partitions.allSatisfy { $0.leader >= 0 })
    }
}

extension NewTopic {
    fileprivate func make() throws(KafkaError) -> OpaquePointer? {
        var text = [CChar](repeating: 0, count: 512)
        guard let made = rd_kafka_NewTopic_new(name, Int32(partitions), Int32(replication), &text, text.count) else {
            throw KafkaError(.invalidSetting, "topic \(name): \(string(text))")
        }
        for (config, value) in configs.sorted(by: { $0.key < $1.key }) {
            if let error = KafkaError(rd_kafka_NewTopic_set_config(made, config, value)) {
                rd_kafka_NewTopic_destroy(made)
                throw error
            }
        }
        return made
    }
}

private func errors(
    _ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int
) -> [String: KafkaError] {
    var errors: [String: KafkaError] = [:]
    for i in 0..<count {
        guard let result = results?[i] else { continue }
        let text = rd_kafka_topic_result_error_string(result).map { String(cString: $0) }
        if let error = KafkaError(rd_kafka_topic_result_error(result), text) {
            errors[String(cString: rd_kafka_topic_result_name(result))] = error
        }
    }
    return errors
}

private func entries(of resource: OpaquePointer) -> [String: String] {
    var count = 0
    let list = rd_kafka_ConfigResource_configs(resource, &count)
    var entries: [String: String] = [:]
    for i in 0..<count {
        guard let entry = list?[i], let value = rd_kafka_ConfigEntry_value(entry) else { continue }
        entries[String(cString: rd_kafka_ConfigEntry_name(entry))] = String(cString: value)
    }
    return entries
}
