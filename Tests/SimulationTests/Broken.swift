import EventLog
import EventModel
import Projecting
import TestSupport

/// A log for workers that breaks one of its promises.
struct BrokenLog: WrappedLog {
    enum Fault: Sendable {
        /// A member whose partitions went to another writes all the same.
        case noFence
        /// Records and consumed offsets are written one after the other.
        case notAtOnce
        /// Outcomes are not there for who takes a partition, so no id is remembered.
        case forgetsOutcomes
    }
    let log: any EventLog
    let fault: Fault

    func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: Range<Offset>] {
        let bounds = try await log.bounds(of: partitions)
        if fault != .forgetsOutcomes { return bounds }
        return Dictionary(
            uniqueKeysWithValues: bounds.map { partition, range in
                (partition, partition.topic.hasSuffix(".outcomes") ? range.upperBound..<range.upperBound : range)
            })
    }
    func join(_ group: String, topics: [String], sharing: Sharing) async throws -> any GroupMember {
        BrokenMember(
            member: try await log.join(group, topics: topics, sharing: sharing), log: log, fault: fault)
    }
}

private struct BrokenMember: GroupMember {
    let member: any GroupMember
    let log: any EventLog
    let fault: BrokenLog.Fault

    func next(max: Int, wait: Duration) async throws -> Delivery { try await member.next(max: max, wait: wait) }
    func start(_ positions: [TopicPartition: Offset?]) async throws { try await member.start(positions) }
    func release(_ partitions: [TopicPartition]) async throws { try await member.release(partitions) }
    func commit(_ consumed: [TopicPartition: Offset]) async throws { try await member.commit(consumed) }
    func wake() { member.wake() }
    func leave() async { await member.leave() }

    func transact(_ transaction: Transaction) async throws -> [[Offset]] {
        switch fault {
        case .forgetsOutcomes: return try await member.transact(transaction)
        case .notAtOnce:
            let offsets = try await write(transaction)
            try await member.commit(transaction.consumed)
            return offsets
        case .noFence:
            do {
                return try await member.transact(transaction)
            } catch let error as LogError where error.kind == .fenced {
                return try await write(transaction)
            }
        }
    }

    private func write(_ transaction: Transaction) async throws -> [[Offset]] {
        let offsets = try await log.append(transaction.appends)
        return offsets + (try await log.append(transaction.replies(offsets)))
    }
}

/// A view store for workers that breaks one of its promises.
struct BrokenViews: WrappedViews {
    enum Fault: Sendable {
        /// An owner from whom a partition was claimed writes all the same.
        case noFence
        /// The offsets are moved on first, and then the rows are written.
        case offsetsFirst
    }
    let views: any ViewStore
    let fault: Fault

    func commit(
        _ tables: any StoredTables, to offsets: [TopicPartition: Offset], under epochs: [TopicPartition: Epoch],
        fold: @escaping @Sendable (ViewBatch) throws -> Void
    ) async throws {
        switch fault {
        case .noFence:
            do {
                try await views.commit(tables, to: offsets, under: epochs, fold: fold)
            } catch let error as ViewError where error.kind == .fenced {
                let newest = try await views.claim(tables, offsets.keys.sorted(), owner: "whoever")
                try await views.commit(tables, to: offsets, under: newest.mapValues(\.epoch), fold: fold)
            }
        case .offsetsFirst:
            try await views.commit(tables, to: offsets, under: epochs) { _ in }
            try await views.commit(tables, to: offsets, under: epochs, fold: fold)
        }
    }

    func close() async {}
}
