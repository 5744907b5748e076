public import EventModel
internal import Foundation
internal import Synchronization

/// The log in memory: for tests, and for what need not outlive its process.
public final class MemoryLog: Maintained {
    public let promises: Promises = [.transactions, .fencing, .timeIndex, .atomicAppend, .contiguous]

    fileprivate struct Stored {
        var start: Offset = 0
        var end: Offset = 0
        var records: [Record] = []

        /// The index of the first record at or after an offset.
        func index(of offset: Offset) -> Int { records.partitioningIndex { $0.offset >= offset } }
    }
    fileprivate struct Group {
        var topics: [String: Set<String>] = [:] { didSet { changes += 1 } }
        var owners: [TopicPartition: String] = [:] { didSet { changes += 1 } }
        /// How often members or owners have changed.
        private(set) var changes = 0
        var committed: [TopicPartition: Offset] = [:]

        /// What each member should have by now.
        func target(_ partitions: [TopicPartition]) -> [String: Set<TopicPartition>] {
            assignment(of: partitions, wanting: topics, owned: owners)
        }
    }
    fileprivate struct State {
        var topics: [String: Topic] = [:]
        var partitions: [TopicPartition: Stored] = [:]
        var groups: [String: Group] = [:]
        var members = 0
        var closed = false
        let clock: @Sendable () -> Timestamp

        func partitions(of topics: Set<String>) -> [TopicPartition] {
            partitions.keys.filter { topics.contains($0.topic) }
        }

        mutating func append(_ appends: [Append]) throws -> [[Offset]] {
            if closed { throw LogError.wasClosed }
            for append in appends {
                guard topics[append.target.topic] != nil else { throw LogError.unknown(append.target.topic) }
                guard partitions[append.target] != nil else { throw LogError.unknown(append.target) }
                for record in append.records { try record.checkLimits(append.target) }
            }
            return appends.map { append in
                let stamp = topics[append.target.topic]?.clock == .log ? clock() : nil
                return append.records.map { record in
                    let offset = partitions[append.target]!.end
                    partitions[append.target]!.records.append(
                        Record(
                            offset: offset, timestamp: stamp ?? record.timestamp, key: record.key,
                            value: record.value, headers: record.headers))
                    partitions[append.target]!.end = offset + 1
                    return offset
                }
            }
        }

        /// Takes back what was appended past these ends.
        mutating func undo(to ends: [TopicPartition: Offset]) {
            for (partition, end) in ends where partitions[partition]!.end > end {
                partitions[partition]!.records.removeSubrange(partitions[partition]!.index(of: end)...)
                partitions[partition]!.end = end
            }
        }

        func read(_ positions: [(partition: TopicPartition, from: Offset)], max: Int) -> [Batch] {
            var left = max
            var batches: [Batch] = []
            for (partition, from) in positions where left > 0 {
                guard let stored = partitions[partition], from < stored.end else { continue }
                let records = Array(stored.records[stored.index(of: from)...].prefix(left))
                let next = records.count < left ? stored.end : records.last!.offset + 1
                left -= records.count
                batches.append(Batch(source: partition, records: records, next: next))
            }
            return batches
        }
    }
    fileprivate let state: Mutex<State>
    fileprivate let changed = Signal()

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
                    let newest = stored.records.reduce(into: [Bytes: Offset]()) { $0[$1.key] = $1.offset }
                    stored.records.removeAll { newest[$0.key] != $0.offset || $0.value.isEmpty }
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

private final class MemoryReader: LogReader {
    private let log: MemoryLog
    private let cursors: Mutex<Cursors>

    init(log: MemoryLog, positions: [TopicPartition: Offset]) {
        self.log = log
        cursors = Mutex(Cursors(positions))
    }

    func next(max: Int, wait: Duration) async throws -> [Batch] {
        try await log.changed.first(within: wait) {
            let from = cursors.withLock { $0.inTurn() }
            let batches = try log.state.withLock { state in
                if state.closed { throw LogError.wasClosed }
                return state.read(from, max: max)
            }
            if batches.isEmpty { return nil }
            cursors.withLock { $0.advance(past: batches) }
            return batches
        } ?? []
    }

    func close() {}
}

private final class MemoryMember: GroupMember {
    private let log: MemoryLog
    private let group: String
    private let id: String
    /// Topics whose partitions go with those of the same number of the group's first topic.
    private let followers: [String]
    /// What this member was told is its own, and how far each partition it started has been delivered.
    private struct Holding {
        var told: Set<TopicPartition> = []
        var revoking: Set<TopicPartition> = []
        var cursors = Cursors()
        var isWoken = false
        /// The group's changes, and how many partitions there were, when this member was found to have what it should.
        var settled: [Int] = []
    }
    private let holding = Mutex(Holding())

    init(log: MemoryLog, group: String, id: String, followers: [String]) {
        self.log = log
        self.group = group
        self.id = id
        self.followers = followers
    }

    func next(max: Int, wait: Duration) async throws -> Delivery {
        try await log.changed.first(within: wait) {
            if holding.withLock({ $0.isWoken.take() }) { return .idle }
            return try take(max: max)
        } ?? .idle
    }

    func wake() {
        holding.withLock { $0.isWoken = true }
        log.changed.notify()
    }

    private func take(max: Int) throws -> Delivery? {
        try log.state.withLock { state in
            if state.closed { throw LogError.wasClosed }
            return holding.withLock { holding in
                guard let group = state.groups[group], let topics = group.topics[id] else {
                    defer { holding = Holding(isWoken: holding.isWoken) }
                    return holding.told.isEmpty ? nil : .lost(holding.told.sorted())
                }
                let lost = holding.told.filter { group.owners[$0] != id }
                if !lost.isEmpty {
                    holding.told.subtract(lost)
                    for partition in lost { holding.cursors[partition] = nil }
                    return .lost(lost.sorted())
                }
                let seen = [group.changes, state.partitions.count]
                if holding.settled != seen {
                    let target = (group.target(state.partitions(of: topics))[id] ?? []).with(followers)
                    let leaving = holding.told.subtracting(target).subtracting(holding.revoking)
                    if !leaving.isEmpty {
                        holding.revoking.formUnion(leaving)
                        for partition in leaving { holding.cursors[partition] = nil }
                        return .revoked(leaving.sorted())
                    }
                    let free = target.filter { group.owners[$0] == nil }
                    if !free.isEmpty {
                        for partition in free { state.groups[self.group]!.owners[partition] = id }
                        holding.told.formUnion(free)
                        return .assigned(free.sorted())
                    }
                    holding.settled = seen
                }
                let batches = state.read(holding.cursors.inTurn(), max: max)
                if batches.isEmpty { return nil }
                holding.cursors.advance(past: batches)
                return .records(batches)
            }
        }
    }

    func start(_ positions: [TopicPartition: Offset?]) {
        log.state.withLock { state in
            holding.withLock { holding in
                for (partition, position) in positions where holding.told.contains(partition) {
                    holding.cursors[partition] =
                        position ?? state.groups[group]?.committed[partition] ?? state.partitions[partition]?.start ?? 0
                }
            }
        }
    }

    func release(_ partitions: [TopicPartition]) {
        log.state.withLock { state in
            holding.withLock { holding in
                holding.told.subtract(partitions)
                holding.revoking.subtract(partitions)
            }
            for partition in partitions where state.groups[group]?.owners[partition] == id {
                state.groups[group]?.owners[partition] = nil
            }
        }
        log.changed.notify()
    }

    func commit(_ consumed: [TopicPartition: Offset]) throws {
        try transact(Transaction(appends: [], consumed: consumed))
    }

    @discardableResult
    func transact(_ transaction: Transaction) throws -> [[Offset]] {
        let offsets = try log.state.withLock { state in
            for partition in transaction.consumed.keys where state.groups[group]?.owners[partition] != id {
                throw LogError(.fenced, "\(partition) of group \(group) belongs to another member now")
            }
            let ends = state.partitions.mapValues(\.end)
            do {
                let offsets = try state.append(transaction.appends)
                let replied = try state.append(transaction.replies(offsets))
                state.groups[group]?.committed.merge(transaction.consumed) { $1 }
                return offsets + replied
            } catch {
                state.undo(to: ends)
                throw error
            }
        }
        log.changed.notify()
        return offsets
    }

    func leave() {
        log.state.withLock { state in
            state.groups[group]?.topics[id] = nil
            for (partition, owner) in state.groups[group]?.owners ?? [:] where owner == id {
                state.groups[group]?.owners[partition] = nil
            }
        }
        log.changed.notify()
    }

}

extension Bool {
    /// What it is; it is false from now on.
    package mutating func take() -> Bool {
        defer { self = false }
        return self
    }
}

extension Array {
    /// The index of the first element for which `belongs` holds, where all before it do not and all after it do.
    fileprivate func partitioningIndex(where belongs: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
