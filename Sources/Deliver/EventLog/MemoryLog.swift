public import EventModel
internal import Foundation
internal import Synchronization

/// The log in memory: for tests, and for what need not outlive its process.
public final class MemoryLog: Maintained {
    public let promises: Promises = [.transactions, .fencing, .timeIndex, .atomicAppend, .contiguous]

    let state: Mutex<State>
    let changed = Signal()

    /// - Parameter clock: stamps records of topics that go by the log's clock (default: this machine's).
    public init(
        clock: (@Sendable () -> Timestamp)? = nil
    ) {
        state = Mutex(State(clock: clock ?? { Timestamp(Int64(Date().timeIntervalSince1970 * 1000)) }))
    }

    public func create(_ topics: [Topic]) throws {
        let mismatch = state.withLock { state in
            var mismatch: LogError?
            for topic in topics {
                if let known = state.topics[topic.name] {
                    if known.partitions != topic.partitions, mismatch == nil {
                        mismatch = .mismatch(topic.name, has: known.partitions, wanted: topic.partitions)
                    }
                    continue
                }
                state.topics[topic.name] = topic
                for p in 0..<topic.partitions { state.partitions[TopicPartition(topic.name, Partition(p))] = Stored() }
            }
            return mismatch
        }
        changed.notify()
        if let mismatch { throw mismatch }
    }

    /// Gives a topic more partitions, so many in all, as anyone may who operates a broker.
    public func widen(_ topic: String, to count: Int) {
        state.withLock { state in
            guard let has = state.topics[topic]?.partitions, has < count else { return }
            state.topics[topic]?.partitions = count
            for p in has..<count { state.partitions[TopicPartition(topic, Partition(p))] = Stored() }
        }
        changed.notify()
    }

    public func configure(_ topics: [Topic]) {
        state.withLock { state in
            for topic in topics {
                state.topics[topic.name]?.retention = topic.retention
                state.topics[topic.name]?.cleanup = topic.cleanup
            }
        }
    }

    public func topics() -> [Topic] { state.withLock { $0.topics.values.sorted { $0.name < $1.name } } }

    public func append(_ appends: [Append]) throws -> [[Offset]] {
        let offsets = try state.withLock { try $0.append(appends) }
        changed.notify()
        return offsets
    }

    public func bounds(of partitions: [TopicPartition]) throws -> [TopicPartition: Range<Offset>] {
        try state.withLock { state in
            try partitions.reduce(into: [:]) { bounds, partition in
                guard let stored = state.partitions[partition] else { throw LogError.unknown(partition) }
                bounds[partition] = stored.start..<stored.end
            }
        }
    }

    public func offsets(of partitions: [TopicPartition], at time: Timestamp) throws -> [TopicPartition: Offset] {
        try state.withLock { state in
            try partitions.reduce(into: [:]) { offsets, partition in
                guard let stored = state.partitions[partition] else { throw LogError.unknown(partition) }
                offsets[partition] = stored.records.first { $0.timestamp >= time }?.offset ?? stored.end
            }
        }
    }

    public func reader(from positions: [TopicPartition: Offset]) throws -> any LogReader {
        try state.withLock { state in
            for partition in positions.keys where state.partitions[partition] == nil {
                throw LogError.unknown(partition)
            }
        }
        return MemoryReader(log: self, positions: positions)
    }

    public func join(_ group: String, topics: [String], sharing: Sharing) async throws -> any GroupMember {
        if sharing == .together { try await checkCopartitioned(topics, group) }
        let followers = sharing == .together ? Array(topics.dropFirst()) : []
        let id = try state.withLock { state in
            for topic in topics where state.topics[topic] == nil { throw LogError.unknown(topic) }
            state.members += 1
            let id = "member-\(state.members)"
            state.groups[group, default: Group()].topics[id] = Set(topics).subtracting(followers)
            return id
        }
        changed.notify()
        return MemoryMember(log: self, group: group, id: id, followers: followers)
    }

    public func committed(_ group: String, _ partitions: [TopicPartition]) -> [TopicPartition: Offset] {
        state.withLock { state in
            (state.groups[group]?.committed ?? [:]).filter { partitions.contains($0.key) }
        }
    }

    public func maintain(at now: Timestamp) {
        state.withLock { state in
            for (partition, stored) in state.partitions {
                guard let topic = state.topics[partition.topic] else { continue }
                var stored = stored
                switch topic.cleanup {
                case .delete:
                    guard let retention = topic.retention else { continue }
                    let kept = stored.records.firstIndex { $0.timestamp >= now - retention } ?? stored.records.endIndex
                    stored.records.removeFirst(kept)
                    stored.start = stored.records.first?.offset ?? stored.end
                case .compact:
                    stored.removals.pass(to: stored.end, at: now)
                    let (removals, newest) = (
                        stored.removals, stored.records.reduce(into: [Bytes: Offset]()) { $0[$1.key] = $1.offset }
                    )
                    stored.records.removeAll {
                        newest[$0.key] != $0.offset || $0.value.isEmpty && !removals.keeps($0.offset)
                    }
                }
                state.partitions[partition] = stored
            }
        }
    }

    public func close() {
        state.withLock { $0.closed = true }
        changed.notify()
    }
}
