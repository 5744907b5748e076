internal import EventModel

extension Aggregates {
    /// Decides a command, or admits a fact, as its record on the log has it, where it belongs into the partition.
    func decide(_ record: Record, id: String, in home: KeyedPartition) -> Decision {
        if let no = home.refusal(of: record.key) { return .refused(no) }
        let at = record.decisionTime
        if at > record.timestamp + maximumClockSkew { return .refused(.ahead(at, of: record.timestamp)) }
        return record.isFact
            ? admit(key: record.key, fact: record.value, at: at)
            : decide(key: record.key, command: record.value, id: id, at: at)
    }
}

extension KeyedPartition {
    /// Why nothing is decided here on a key that belongs into another partition; nil where it belongs here.
    func refusal(of key: Bytes) -> Refused? {
        other(for: key).map { right in
            Refused(
                reason: Refused.wrongPartition,
                message: """
                    the key \(key.text) belongs into partition \(right) of \(place.topic), and this is in \(place.partition): \
                    write it with the partitioner murmur2 (murmur2_random in librdkafka), and name no partition
                    """)
        }
    }
}

extension Record {
    /// Whether it says by which id its outcome is to be known.
    var namesItself: Bool { headers.contains { $0.name == HeaderName.id } }

    /// A command without an id is known by its place.
    func commandID(in partition: TopicPartition) -> String {
        self[header: HeaderName.id] ?? "\(partition)@\(offset)"
    }
}

extension Refused {
    /// The command's id was used before for another command of its key.
    static let idReused = "id-reused"
    /// The command lies in a partition that its key does not belong into.
    static let wrongPartition = "wrong-partition"

    /// A command that says a time of its own may not come from the future: it would see holds run out that have not.
    fileprivate static func ahead(_ time: Timestamp, of taken: Timestamp) -> Refused {
        Refused(
            reason: "ahead-of-time",
            message: "the command's time \(time.rfc3339) is ahead of \(taken.rfc3339), when the log took it")
    }
}
