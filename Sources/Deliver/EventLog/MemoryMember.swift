internal import EventModel
internal import Synchronization

/// A member of a group of a log in memory.
final class MemoryMember: GroupMember {
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
