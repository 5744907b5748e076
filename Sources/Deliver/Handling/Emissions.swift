internal import EventLog
internal import EventModel

/// What follows from events, by the partition that it goes to.
struct Emissions: StepOutput {
    private var records: [TopicPartition: [NewRecord]] = [:]
    private var count = 0
    private var bytes = 0

    mutating func add(_ emission: Emission, among partitions: Int, following event: Record) {
        let time = emission.time ?? event.timestamp
        for (partition, key, value) in emission.records(among: partitions) {
            records[TopicPartition(emission.topic, partition), default: []].append(
                Self.record(emission, key, value, at: time))
            count += 1
            bytes += value.count
        }
    }

    var isLarge: Bool { count >= Reactor.emissions || bytes >= Reactor.emittedBytes }
    var appends: [Append] { records.sorted { $0.key < $1.key }.map { Append($0.key, $0.value) } }
    var replies: @Sendable (_ offsets: [[Offset]]) -> [Append] { { _ in [] } }

    /// A command goes by the time of the event it follows from; a derived event has that time.
    private static func record(_ emission: Emission, _ key: Bytes, _ value: Bytes, at time: Timestamp) -> NewRecord {
        if let id = emission.commandID {
            return EncodedCommand(type: emission.type, key: key, value: value, id: id, time: time).record(now: time)
        }
        return NewRecord(
            key: key, value: value, timestamp: time, headers: [Header(HeaderName.type, Bytes(emission.type))])
    }
}
