internal import EventLog
internal import EventModel
internal import GRDB
internal import Synchronization

/// Work that waiting members have lent to the writer, so that it is done within the commits that bring their records.
///
/// Only what stands exactly where a member goes on is handled so. All else is left for it to be delivered: what others have
/// appended meanwhile comes before it, and large batches would keep other processes from the log for long.
final class Lending: Sendable {
    /// Records of one commit that a member's work may handle; more are delivered.
    static let most = 512

    private struct Loan {
        let work: any InlineWork
        let group: String
        var positions: [TopicPartition: Offset]
        /// The writer has it in a commit.
        var isInHand = false
        /// Its member's task is wanted.
        var isWanted = false
        var returning: CheckedContinuation<Return, Never>?
    }
    /// What a member gets back.
    struct Return: Sendable {
        var positions: [TopicPartition: Offset] = [:]
        var isWanted = false
    }
    /// What one commit has a member's work do.
    struct Piece: Sendable {
        let member: String
        let group: String
        let work: any InlineWork
        var partitions: [TopicPartition]
        /// Of what was taken of it; nil where it did not take the records.
        var offsets: [[Offset]]?
        var next: [TopicPartition: Offset] = [:]
    }
    private struct State {
        /// By the members' ids.
        var loans: [String: Loan] = [:]
        var members: [TopicPartition: String] = [:]
        /// Up to where records of this process's commits are to be delivered, by partition.
        var left: [TopicPartition: Offset] = [:]

        /// Nil where the writer has it in hand.
        mutating func takeBack(_ member: String) -> Return? {
            guard let loan = loans[member] else { return Return() }
            if loan.isInHand { return nil }
            loans[member] = nil
            for partition in loan.positions.keys { members[partition] = nil }
            return Return(positions: loan.positions, isWanted: loan.isWanted)
        }
    }
    private let state = Mutex(State())
    private let changed: Signal

    init(_ changed: Signal) { self.changed = changed }

    /// What stands for a member among the partitions that a wait is for. No topic has this name.
    static func mark(of member: String) -> TopicPartition { TopicPartition("\u{0}\u{0}\(member)", 0) }

    // MARK: Members

    /// Lends the work of a member that has come to these places and waits.
    ///
    /// - Returns: false where something is to be delivered to it first.
    func lend(
        _ work: any InlineWork, of member: String, in group: String, _ positions: [TopicPartition: Offset]
    ) -> Bool {
        state.withLock { state in
            let isBehind = positions.contains { partition, next in
                state.left[partition].map { $0 > next } ?? false || state.members[partition] != nil
            }
            if positions.isEmpty || isBehind { return false }
            state.loans[member] = Loan(work: work, group: group, positions: positions)
            for partition in positions.keys { state.members[partition] = member }
            return true
        }
    }

    /// Takes a member's work back, after the commit that it is in.
    func takeBack(from member: String) async -> Return {
        if let back = state.withLock({ $0.takeBack(member) }) { return back }
        return await withCheckedContinuation { continuation in
            let back = state.withLock { state -> Return? in
                if let back = state.takeBack(member) { return back }
                state.loans[member]?.returning = continuation
                return nil
            }
            if let back { continuation.resume(returning: back) }
        }
    }

    // MARK: The writer

    /// What of a commit's records members' work is to handle.
    func pieces(of round: GroupCommit) -> [Piece] {
        let taken = round.taken
        return state.withLock { state in
            var pieces: [String: Piece] = [:]
            for (partition, range) in taken {
                guard let member = state.members[partition], let loan = state.loans[member] else {
                    state.left[partition] = range.upperBound
                    continue
                }
                let isNext = loan.positions[partition] == range.lowerBound
                if isNext, loan.returning == nil, range.upperBound.rawValue - range.lowerBound.rawValue <= Self.most {
                    pieces[member, default: Piece(member: member, group: loan.group, work: loan.work, partitions: [])]
                        .partitions.append(partition)
                } else {
                    state.left[partition] = range.upperBound
                    state.loans[member]?.isWanted = true
                }
            }
            for member in pieces.keys { state.loans[member]?.isInHand = true }
            return pieces.values.sorted { $0.member < $1.member }
        }
    }

    /// Has the work done and takes what comes of it into the commit.
    ///
    /// - Throws: `DatabaseError` where nothing can be committed.
    func run(_ piece: inout Piece, in round: GroupCommit) throws {
        let batches = piece.partitions.sorted().compactMap { round.batch(of: $0) }
        guard let transaction = piece.work.handle(batches) else { return leave(piece, batches) }
        do {
            piece.offsets = try round.take(transaction, of: piece.group, by: piece.member)
            piece.next = transaction.consumed
        } catch let error as LogError {
            piece.work.failed(error)
            leave(piece, batches)
        } catch {
            piece.work.failed(LogError(.aborted, "\(error)"))
            leave(piece, batches)
            throw error
        }
    }

    /// These records are delivered.
    private func leave(_ piece: Piece, _ batches: [Batch]) {
        state.withLock { state in
            for batch in batches { state.left[batch.source] = batch.next }
            state.loans[piece.member]?.isWanted = true
        }
    }

    /// The commit is done.
    func committed(_ pieces: [Piece]) {
        for piece in pieces {
            guard let offsets = piece.offsets else { continue }
            let isWanted = piece.work.committed(offsets)
            state.withLock { state in
                state.loans[piece.member]?.positions.merge(piece.next) { $1 }
                if isWanted { state.loans[piece.member]?.isWanted = true }
            }
        }
    }

    /// Nothing was committed: neither what the work gave, nor what was left.
    func failed(_ pieces: [Piece], _ round: [TopicPartition], _ error: LogError) {
        for piece in pieces where piece.offsets != nil { piece.work.failed(error) }
        state.withLock { state in
            for partition in round { state.left[partition] = nil }
            for piece in pieces where piece.offsets != nil { state.loans[piece.member]?.isWanted = true }
        }
    }

    /// Lets go of the work, once readers can have what was committed, and wakes members that are wanted.
    func release(_ pieces: [Piece]) {
        let (back, wanted) = state.withLock { state in
            var back: [(CheckedContinuation<Return, Never>, Return)] = []
            for piece in pieces {
                state.loans[piece.member]?.isInHand = false
                guard let continuation = state.loans[piece.member]?.returning, let given = state.takeBack(piece.member)
                else { continue }
                back.append((continuation, given))
            }
            return (back, state.loans.filter(\.value.isWanted).map { Self.mark(of: $0.key) })
        }
        for (continuation, given) in back { continuation.resume(returning: given) }
        if !wanted.isEmpty { changed.notify(wanted) }
    }
}
