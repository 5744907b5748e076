internal import EventLog
internal import EventModel

/// A decided command on its way to the log: its outcome, and which of the events appended for its partition are its own.
struct DecidedCommand: Sendable {
    var key: Bytes
    var time: Timestamp
    var outcome: Outcome
    var events: Range<Int>
    var types: [String]
    /// Whether it was decided before, and this says so again.
    var isRepeated = false
    /// The trace that the command belongs to.
    var trace: TraceContext?

    /// The outcome's record, once it is known where the events went.
    func record(events place: TopicPartition, _ offsets: [Offset]) -> NewRecord {
        var outcome = outcome
        if !events.isEmpty {
            outcome.events = zip(events, types).map { Outcome.Written(place: place, offset: offsets[$0], type: $1) }
        }
        var record = outcome.record(key: key, at: time)
        if let trace { record.headers.append(trace.header) }
        return record
    }
}
