internal import CRdkafka

extension Admin {
    /// The first offset kept and the one that the next message will get, transactions still open included.
    ///
    /// - Parameters:
    ///   - partitions: Of topics that are there.
    ///   - time: How long each of its two calls may take, where that is less than the limit.
    public func bounds(
        of partitions: [KafkaPartition], within time: Duration? = nil
    ) async throws(KafkaError) -> [KafkaPartition: Range<Int64>] {
        let low = try await listOffsets(partitions, KafkaOffset.beginning, time)
        let high = try await listOffsets(partitions, KafkaOffset.end, time)
        var bounds: [KafkaPartition: Range<Int64>] = [:]
        for (partition, end) in high {
            let start = low[partition] ?? end
            bounds[partition] = start..<max(start, end)
        }
        return bounds
    }

    /// The first offset whose message's timestamp is at or after a moment, given in milliseconds since 1970; nothing
    /// for a partition that has none.
    public func offsets(
        of partitions: [KafkaPartition], at milliseconds: Int64, within time: Duration? = nil
    ) async throws(KafkaError) -> [KafkaPartition: Int64] {
        // Negative numbers stand for places; no message is older than 1970.
        try await listOffsets(partitions, max(0, milliseconds), time).filter { $0.value >= 0 }
    }

    /// Asks each leader once; a negative number stands for a place.
    private func listOffsets(
        _ partitions: [KafkaPartition], _ place: Int64, _ time: Duration?
    ) async throws(KafkaError) -> [KafkaPartition: Int64] {
        if partitions.isEmpty { return [:] }
        return try await run(within: time) { client, milliseconds throws(KafkaError) in
            let list = PartitionList(Dictionary(partitions.map { ($0, place) }) { $1 })
            try KafkaError.check(rd_kafka_offsets_for_times(client.rk, list.list, milliseconds))
            return try list.offsets()
        }
    }

    /// Where a group has committed to go on, for the partitions it has committed.
    ///
    /// It throws ``KafkaError/Code/unstableOffset`` while a transaction that commits some of them is not resolved.
    public func committed(
        _ group: String, _ partitions: [KafkaPartition], within time: Duration? = nil
    ) async throws(KafkaError) -> [KafkaPartition: Int64] {
        if partitions.isEmpty { return [:] }
        return try await ask(RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, within: time) { options in
            if let error = rd_kafka_AdminOptions_set_require_stable_offsets(options, 1) {
                rd_kafka_error_destroy(error)
            }
        } send: { rk, options, queue in
            let list = PartitionList(partitions)
            var request = rd_kafka_ListConsumerGroupOffsets_new(group, list.list)
            defer { rd_kafka_ListConsumerGroupOffsets_destroy(request) }
            rd_kafka_ListConsumerGroupOffsets(rk, &request, 1, options, queue)
        } read: { event throws(KafkaError) in
            var count = 0
            let answer = rd_kafka_event_ListConsumerGroupOffsets_result(event)
            let groups = rd_kafka_ListConsumerGroupOffsets_result_groups(answer, &count)
            guard count > 0, let found = groups?[0] else { return [:] }
            if let error = rd_kafka_group_result_error(found) {
                throw KafkaError(
                    KafkaError.Code(rd_kafka_error_code(error)), String(cString: rd_kafka_error_string(error)))
            }
            guard let list = rd_kafka_group_result_partitions(found) else { return [:] }
            return try PartitionList.offsets(in: list).filter { $0.value >= 0 }
        }
    }
}
