internal import EventLog
public import EventModel

/// A record of a topic, as a program reads it.
public struct RecordedEvent: Sendable, Hashable {
    /// The partition that it was read from.
    public let partition: TopicPartition
    /// The record as the log has it, its envelope not decoded.
    public let record: Record
    /// The event's or command's name: `ThingLiked`; `unknown` and its number where a newer writer's is not known here.
    public let type: String

    /// Its place in the partition.
    public var offset: Offset { record.offset }
    /// When it happened, as its writer says; for a topic with the log's clock, when the log took it.
    public var timestamp: Timestamp { record.timestamp }

    /// The event itself; nil where a newer writer's kind is not known here.
    ///
    /// - Parameter envelope: The message that the topic carries: `LikesEvent`.
    /// - Throws: `Undecodable` where its bytes are no such message.
    public func content<E: Envelope>(_ envelope: E.Type) throws(Undecodable) -> E.Kind? {
        try E.kind(in: record.value)
    }
}

/// The records of a topic, in the order of each partition, as they come.
public struct EventSequence: AsyncSequence, Sendable {
    public typealias Element = RecordedEvent

    /// Where reading begins.
    public enum Start: Sendable, Hashable {
        /// The first record that is kept.
        case start
        /// Behind the last record that is there now.
        case end
        /// From an offset of each partition; of those that are not named, from the start.
        case offsets([TopicPartition: Offset])
    }

    private static let batch = 1000
    private static let look = Duration.milliseconds(250)

    let log: any EventLog
    let topic: String
    let schema: Schema?
    let start: Start
    let follows: Bool

    public func makeAsyncIterator() -> Iterator { Iterator(sequence: self) }

    /// Reads on where its last element stood. It is one task's.
    public struct Iterator: AsyncIteratorProtocol {
        private let sequence: EventSequence
        private var reader: (any LogReader)?
        /// What each partition is read up to, where the sequence ends at what was there when it began.
        private var rest: [TopicPartition: Offset] = [:]
        private var waiting: [RecordedEvent] = []
        private var isOver = false

        fileprivate init(sequence: EventSequence) { self.sequence = sequence }

        /// - Throws: `LogError`; `CancellationError` where its task is cancelled.
        public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async throws -> RecordedEvent? {
            while true {
                if !waiting.isEmpty { return waiting.removeLast() }
                if isOver { return nil }
                do {
                    try await fill(actor)
                } catch {
                    await end(actor)
                    throw error
                }
            }
        }

        private mutating func fill(_ actor: isolated (any Actor)?) async throws {
            let reader = try await opened(actor)
            try Task.checkCancellation()
            if !sequence.follows, rest.isEmpty { return await end(actor) }
            let batches = try await reader.next(max: EventSequence.batch, wait: EventSequence.look)
            for batch in batches {
                let end = rest[batch.source]
                if !sequence.follows, end == nil { continue }
                let records = end.map { batch.records(before: $0) } ?? batch.records[...]
                waiting += records.map { record in
                    RecordedEvent(
                        partition: batch.source, record: record,
                        type: sequence.schema?.kindName(in: record.value) ?? record[header: HeaderName.type] ?? "")
                }
                if let end, batch.next >= end { rest[batch.source] = nil }
            }
            waiting.reverse()
        }

        private mutating func opened(_ actor: isolated (any Actor)?) async throws -> any LogReader {
            if let reader { return reader }
            let log = sequence.log
            guard let count = try await log.partitionCounts()[sequence.topic] else {
                throw LogError.unknown(sequence.topic)
            }
            let partitions = (0..<count).map { TopicPartition(sequence.topic, Partition($0)) }
            let bounds = try await log.bounds(of: partitions)
            var from = bounds.mapValues { sequence.start == .end ? $0.upperBound : $0.lowerBound }
            if case .offsets(let given) = sequence.start {
                for (partition, offset) in given {
                    guard let range = bounds[partition] else {
                        throw BusError(
                            .usage, "there is no \(partition): \(sequence.topic) has partitions 0 to \(count - 1)")
                    }
                    from[partition] = Swift.max(offset, range.lowerBound)
                }
            }
            if !sequence.follows {
                rest = bounds.mapValues(\.upperBound).filter { $0.value > from[$0.key] ?? 0 }
            }
            let opened = try await log.reader(from: from)
            reader = opened
            return opened
        }

        private mutating func end(_ actor: isolated (any Actor)?) async {
            isOver = true
            await reader?.close()
            reader = nil
        }
    }
}

extension Bus {
    /// The records of a topic.
    ///
    /// - Parameters:
    ///   - topic: Such as `likes.events`.
    ///   - start: Where it begins.
    ///   - follows: Whether it goes on with what comes; else it ends with what was there when it began.
    public func events(
        _ topic: String, from start: EventSequence.Start = .start, following follows: Bool = true
    ) -> EventSequence {
        EventSequence(
            log: log, topic: topic, schema: domains.lazy.compactMap { $0.schema(of: topic) }.first, start: start,
            follows: follows)
    }
}
