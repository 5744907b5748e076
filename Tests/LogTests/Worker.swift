import EventLog
import EventModel
import Testing

/// A group's member as the contract wants one: starts what it is assigned, and commits and releases what is revoked.
final class Worker {
    let member: any GroupMember
    /// Where partitions are to start, other than where the group has committed.
    var starts: [TopicPartition: Offset] = [:]
    private(set) var owned: Set<TopicPartition> = []
    private(set) var haul = Haul()
    /// What was delivered and not committed yet.
    private(set) var undone: [Batch] = []
    private let max: Int

    init(_ member: any GroupMember, max: Int = 1000) {
        self.member = member
        self.max = max
    }

    /// Where the group would go on, were all committed that was delivered.
    var consumed: [TopicPartition: Offset] { undone.reduce(into: [:]) { $0[$1.source] = $1.next } }

    /// Takes the next delivery.
    func step() async throws {
        switch try await member.next(max: max, wait: .milliseconds(50)) {
        case .assigned(let partitions):
            #expect(owned.isDisjoint(with: partitions), "assigned what it had already")
            owned.formUnion(partitions)
            for partition in partitions { haul.restart(partition) }
            try await member.start(Dictionary(uniqueKeysWithValues: partitions.map { ($0, starts[$0]) }))
        case .revoked(let partitions):
            #expect(owned.isSuperset(of: partitions), "revoked what it did not have")
            try await commit(partitions)
            try await member.release(partitions)
            owned.subtract(partitions)
        case .lost(let partitions):
            owned.subtract(partitions)
            undone.removeAll { partitions.contains($0.source) }
        case .records(let batches):
            #expect(owned.isSuperset(of: batches.map(\.source)), "delivered of what it did not have")
            haul.take(batches)
            undone += batches
        case .idle: break
        }
    }

    /// Commits what was delivered of these partitions.
    func commit(_ partitions: some Collection<TopicPartition>) async throws {
        let done = consumed.filter { partitions.contains($0.key) }
        if done.isEmpty { return }
        try await member.commit(done)
        undone.removeAll { partitions.contains($0.source) }
    }
    func commit() async throws { try await commit(owned) }

    /// Writes in one transaction with the offsets of all that was delivered.
    @discardableResult
    func transact(
        _ appends: [Append], replies: @escaping @Sendable ([[Offset]]) -> [Append] = { _ in [] }
    ) async throws -> [[Offset]] {
        let offsets = try await member.transact(Transaction(appends: appends, consumed: consumed, replies: replies))
        undone = []
        return offsets
    }
}

/// Lets workers take turns until `done` holds; at no time may two own the same partition.
func drive(
    _ workers: Worker..., until what: String, sourceLocation: SourceLocation = #_sourceLocation, _ done: () -> Bool
) async throws {
    let deadline = Deadline()
    while !done() {
        let state = workers.map { "\($0.owned.sorted()) with \($0.haul.count) records" }
        _ = try deadline.left(for: "\(what); now \(state)")
        for worker in workers {
            try await worker.step()
            let owned = workers.flatMap(\.owned)
            #expect(Set(owned).count == owned.count, "two members own one partition", sourceLocation: sourceLocation)
        }
    }
}
