import EventLog
import EventModel
import Testing

/// A group's member as the contract wants one: starts what it is assigned, commits and releases what is revoked, and joins
/// anew where the group has gone on without it.
final class Worker {
    private(set) var member: any GroupMember
    /// How often a commit of what was revoked was fenced: what it had in hand is delivered again, to it or to another.
    private(set) var fenced = 0
    /// Where partitions are to start, other than where the group has committed.
    var starts: [TopicPartition: Offset] = [:]
    private(set) var owned: Set<TopicPartition> = []
    private(set) var haul = Haul()
    /// What was delivered and not committed yet.
    private(set) var undone: [Batch] = []
    private let max: Int
    private let join: () async throws -> any GroupMember

    init(max: Int = 1000, _ join: @escaping () async throws -> any GroupMember) async throws {
        self.max = max
        self.join = join
        member = try await join()
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
            do {
                try await commit(partitions)
            } catch let error as LogError where error.kind == .fenced {
                return try await joinAnew()
            }
            try await member.release(partitions)
            owned.subtract(partitions)
        case .lost(let partitions):
            forget(partitions)
        case .records(let batches):
            #expect(owned.isSuperset(of: batches.map(\.source)), "delivered of what it did not have")
            haul.take(batches)
            undone += batches
        case .idle: break
        }
    }

    /// Forgets what was delivered of partitions and not committed: it is delivered again.
    private func forget(_ partitions: some Collection<TopicPartition>) {
        owned.subtract(partitions)
        haul.takeBack(undone.filter { partitions.contains($0.source) })
        undone.removeAll { partitions.contains($0.source) }
    }

    private func joinAnew() async throws {
        fenced += 1
        forget(owned)
        await member.leave()
        member = try await join()
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
