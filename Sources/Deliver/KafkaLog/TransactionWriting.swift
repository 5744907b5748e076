internal import EventLog
internal import EventModel
internal import Kafka

/// Why a transaction did not come about.
struct TransactionFailure: Error {
    var told: LogError
    /// The commit was sent and not answered: only a new producer tells how it ended.
    var isUncertain = false
    /// Where records went that were foreseen elsewhere. Nothing is committed, and the same may be written again.
    var wentTo: [[Offset]]?

    init(told: LogError, wentTo: [[Offset]]? = nil) { (self.told, self.wentTo) = (told, wentTo) }

    /// The commit failed.
    init(commit error: KafkaError) {
        isUncertain = error.isRetriable
        told = error.isRetriable ? .undecided(error) : LogError(transaction: error)
    }
}

/// Tells a member's place in its group; throws `unknownMember` where it has none. It may be called on any thread.
typealias Place = @Sendable () throws(KafkaError) -> GroupMetadata

extension Producer {
    /// One transaction from begin to commit.
    ///
    /// - Parameters:
    ///   - place: Tells the member's place in its group; nil where nothing is consumed.
    ///   - foreseen: Where the records of `appends` are thought to go. Where it is told, the replies are written
    ///   together with them, which saves a round to the broker, and nothing is committed unless they went there.
    func write(
        _ transaction: Transaction, as place: Place?, in log: KafkaLog, foreseen: [[Offset]]? = nil
    ) async throws(TransactionFailure) -> [[Offset]] {
        do {
            guard let foreseen else { return try await writeInTwoRounds(transaction, as: place, in: log) }
            let replies = try await checked(transaction.replies(foreseen), log)
            let isTold = !replies.allSatisfy(\.records.isEmpty)
            let end = try await transact(
                (transaction.appends + replies).map(OutgoingBatch.init), sending: transaction.consumed.forKafka,
                of: place, within: KafkaLog.answerLimit, committingWithin: Self.commitLimit
            ) { written in !isTold || written.offsets.starts(with: foreseen) }
            switch end {
            case .committed(let written): return written.offsets
            case .elsewhere(let written): throw TransactionFailure(told: .misforeseen, wentTo: written.offsets)
            case .uncommitted(let error): throw TransactionFailure(commit: error)
            }
        } catch let failure as TransactionFailure {
            throw failure
        } catch let error as KafkaError {
            throw TransactionFailure(told: LogError(transaction: await cause(of: error)))
        } catch {
            throw TransactionFailure(told: LogError(.failed, "\(error)"))
        }
    }

    private static var commitLimit: Duration { KafkaLog.transactionLimit * 2 }

    private func writeInTwoRounds(
        _ transaction: Transaction, as place: Place?, in log: KafkaLog
    ) async throws -> [[Offset]] {
        try await begin()
        let batches = transaction.appends.map(OutgoingBatch.init)
        var offsets: [[Offset]]
        if let place {
            offsets = try await produce(
                batches, sending: transaction.consumed.forKafka, of: place, within: KafkaLog.answerLimit
            ).offsets
        } else {
            offsets = try await produce(batches).offsets
        }
        let replies = try await checked(transaction.replies(offsets), log)
        offsets += try await produce(replies.map(OutgoingBatch.init)).offsets
        do {
            try await commit(within: Self.commitLimit)
        } catch {
            throw TransactionFailure(commit: error)
        }
        return offsets
    }
}

extension Producer {
    private func checked(_ replies: [Append], _ log: KafkaLog) async throws(TransactionFailure) -> [Append] {
        do {
            try await log.check(replies)
        } catch {
            throw TransactionFailure(told: error)
        }
        return replies
    }

    /// Why the messages of a transaction were thrown away: asked to commit, librdkafka refuses and says.
    private func cause(of error: KafkaError) async -> KafkaError {
        guard error.code == .purgedFromQueue || error.code == .purgedInFlight else { return error }
        do {
            try await commit(within: .seconds(1))
            return error
        } catch {
            return error
        }
    }
}

extension LogError {
    static let misforeseen = LogError(.aborted, "the transaction was aborted: its records went elsewhere than foreseen")

    /// The commit was sent, and no answer came.
    static func undecided(_ error: KafkaError) -> LogError {
        LogError(
            .unreachable,
            "the broker does not say whether the transaction was committed; join again, where the group goes on tells: \(error)"
        )
    }

    /// What a failed transaction means: fenced where the group has gone on without this member, replaced where another has
    /// its name, too large or denied where trying again would not help, else aborted.
    init(transaction error: KafkaError) {
        let kind = Kind(error)
        switch kind {
        case .fenced, .replaced, .tooLarge, .denied, .unknownTopic, .closed:
            self.init(error, doing: "the transaction was aborted")
        default: self.init(.aborted, "the transaction was aborted: \(error)")
        }
    }
}

extension [[Written]] {
    fileprivate var offsets: [[Offset]] { map { written in written.map { Offset($0.offset) } } }
}
