internal import EventModel

extension Aggregates {
    /// Decides a command, or admits a fact, as its record on the log has it.
    func answer(_ record: Record, id: String) -> Decision {
        let at = record.decisionTime
        if at > record.timestamp + maximumClockSkew { return .refused(.ahead(at, of: record.timestamp)) }
        return record.isFact
            ? admit(key: record.key, fact: record.value, at: at)
            : decide(key: record.key, command: record.value, id: id, at: at)
    }
}

extension Record {
    /// A command without an id is known by its place.
    func commandID(in partition: TopicPartition) -> String {
        self[header: HeaderName.id] ?? "\(partition)@\(offset)"
    }
}

extension Refused {
    /// The command's id was used before for another command of its key.
    static let idReused = "id-reused"

    /// A command that says a time of its own may not come from the future: it would see holds run out that have not.
    fileprivate static func ahead(_ time: Timestamp, of taken: Timestamp) -> Refused {
        Refused(
            reason: "ahead-of-time",
            message: "the command's time \(time.rfc3339) is ahead of \(taken.rfc3339), when the log took it")
    }
}
