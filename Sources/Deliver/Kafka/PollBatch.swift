internal import CRdkafka

/// The most bytes of keys and values that one poll brings, give or take a message.
private let bytesPerPoll = 16 << 20

/// Errors that a consumer does not get over by itself. A connection that a broker refuses is none of them: others may do.
private let serious: Set<KafkaError.Code> = [
    .unknownTopic, .unknownTopicLocally, .unknownPartitionLocally, .topicDenied, .groupDenied, .clusterDenied, .corrupt,
    .noOffset, .outOfRange,
]

/// Takes events off a consumer's queue: waits for the first message, then takes what else is there.
func gather(
    _ client: Client, news: ClientStatus, max: Int, wait: Duration, headers: Bool
) -> (Polled, KafkaError?) {
    let deadline = ContinuousClock.now + wait
    var polled = Polled()
    var failure: KafkaError?
    var harvest = PollBatch(readsHeaders: headers)
    while harvest.count < max, harvest.bytes < bytesPerPoll, failure == nil, polled.rebalance == nil {
        let left = harvest.isEmpty ? Swift.max(deadline - .now, .zero).milliseconds : 0
        guard let event = client.poll(left) else { break }
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_FETCH:
            harvest.take(event)
            continue
        case RD_KAFKA_EVENT_REBALANCE: polled.rebalance = Rebalance(event, client)
        case RD_KAFKA_EVENT_ERROR:
            let error = KafkaError(event: event)
            if rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__PARTITION_EOF {
                harvest.reachedEnd(event)
            } else if error.isFatal {
                // The event itself only says that there is one.
                failure = client.fatalError ?? error
            } else if serious.contains(error.code), BrokerRefusal(error) == nil {
                failure = error
            } else {
                news.take(event)
            }
        default: news.take(event)
        }
        rd_kafka_event_destroy(event)
    }
    polled.batches = harvest.batches()
    return (polled, failure)
}

extension Rebalance {
    fileprivate init?(_ event: OpaquePointer, _ client: Client) {
        guard let list = rd_kafka_event_topic_partition_list(event) else { return nil }
        let partitions = PartitionList.partitions(in: list)
        if rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self = .assigned(partitions)
        } else {
            self = rd_kafka_assignment_lost(client.rk) != 0 ? .lost(partitions) : .revoked(partitions)
        }
    }
}

/// Messages that are still librdkafka's, until `batches` has copied them.
private struct PollBatch {
    private struct Place: Hashable {
        var topic: OpaquePointer?
        var partition: Int32
    }
    private struct Picked {
        var event: OpaquePointer
        var message: UnsafePointer<rd_kafka_message_t>
        var headers: OpaquePointer?
        var slot: Int
    }
    private let readsHeaders: Bool
    private var picked: [Picked] = []
    private var slots: [Place: Int] = [:]
    private var sources: [KafkaPartition: Int] = [:]
    private var last: (place: Place, slot: Int)?
    private var made: [MessageBatch] = []
    private(set) var bytes = 0

    init(readsHeaders: Bool) { self.readsHeaders = readsHeaders }

    var count: Int { picked.count }
    var isEmpty: Bool { made.isEmpty }

    /// Takes a fetch event, which is destroyed in `batches`.
    mutating func take(_ event: OpaquePointer) {
        guard let message = rd_kafka_event_message_next(event) else { return rd_kafka_event_destroy(event) }
        let slot = slot(Place(topic: message.pointee.rkt, partition: message.pointee.partition))
        picked.append(
            Picked(event: event, message: message, headers: readsHeaders ? message.headers : nil, slot: slot))
        made[slot].next = message.pointee.offset + 1
        bytes += message.pointee.key_len + message.pointee.len
    }

    /// An end tells the position past control records and records of aborted transactions, which are no messages.
    mutating func reachedEnd(_ event: OpaquePointer) {
        guard let end = rd_kafka_event_topic_partition(event) else { return }
        defer { rd_kafka_topic_partition_destroy(end) }
        let source = KafkaPartition(String(cString: end.pointee.topic), end.pointee.partition)
        made[slot(source)].next = end.pointee.offset
    }

    /// Where a partition's batch is; it may not be among a thousand others yet.
    private mutating func slot(_ source: KafkaPartition) -> Int {
        if let slot = sources[source] { return slot }
        made.append(MessageBatch(source: source, messages: [], next: 0))
        sources[source] = made.count - 1
        return made.count - 1
    }

    private mutating func slot(_ place: Place) -> Int {
        if let last, last.place == place { return last.slot }
        if let slot = slots[place] {
            last = (place, slot)
            return slot
        }
        let slot = slot(KafkaPartition(String(cString: rd_kafka_topic_name(place.topic)), place.partition))
        slots[place] = slot
        last = (place, slot)
        return slot
    }

    /// Copies all messages into one arena, gives them back to librdkafka, and returns slices.
    consuming func batches() -> [MessageBatch] {
        var batches = made
        let size = picked.reduce(0) { $0 + $1.message.arenaBytes($1.headers) }
        let arena = [UInt8](unsafeUninitializedCapacity: size) { buffer, used in
            for one in picked { one.message.copy(one.headers, into: UnsafeMutableRawBufferPointer(buffer), at: &used) }
        }
        var at = 0
        for one in picked {
            batches[one.slot].messages.append(one.message.read(one.headers, arena, at: &at))
            rd_kafka_event_destroy(one.event)
        }
        return batches
    }
}
