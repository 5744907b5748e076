internal import EventLog
internal import EventModel

/// What follows from events, by the partition that it goes to.
struct Emissions: StepOutput {
    private var records: [TopicPartition: [NewRecord]] = [:]
    private var count = 0
    private var bytes = 0

    mutating func add(_ emission: Emission, among partitions: Int, following event: Record) {
        let (time, trace) = (emission.time ?? event.timestamp, event.trace)
        for (partition, key, value) in emission.records(among: partitions) {
            records[TopicPartition(emission.topic, partition), default: []].append(
                Self.record(emission, key, value, at: time, trace))
            count += 1
            bytes += value.count
        }
    }

    var isLarge: Bool { count >= Reactor.emissions || bytes >= Reactor.emittedBytes }
    var appends: [Append] { records.sorted { $0.key < $1.key }.map { Append($0.key, $0.value) } }
    var refusal: String? { nil }
    var replies: @Sendable (_ offsets: [[Offset]]) -> [Append] { { _ in [] } }

    /// A command goes by the time of the event it follows from; a derived event has that time.
    private static func record(
        _ emission: Emission, _ key: Bytes, _ value: Bytes, at time: Timestamp, _ trace: TraceContext?
    ) -> NewRecord {
        if let id = emission.commandID {
            var command = EncodedCommand(type: emission.type, key: key, value: value, id: id, time: time)
            command.trace = trace
            return command.record(now: time)
        }
        return NewRecord(
            key: key, value: value, timestamp: time,
            headers: [Header(HeaderName.type, Bytes(emission.type))] + (trace.map { [$0.header] } ?? []))
    }
}
