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
}

extension Producer {
    /// One transaction from begin to commit.
    ///
    /// - Parameter foreseen: Where the records of `appends` are thought to go. Where it is told, the replies are written
    ///   together with them, which saves a round to the broker, and nothing is committed unless they went there.
    func write(
        _ transaction: Transaction, as member: GroupMetadata?, in log: KafkaLog, foreseen: [[Offset]]? = nil
    ) async throws(TransactionFailure) -> [[Offset]] {
        do {
            try await begin()
            let sent = transaction.consumed
            func produceFirst(_ appends: [Append]) async throws(KafkaError) -> [[Offset]] {
                let batches = appends.map(OutgoingBatch.init)
                guard let member else { return try await produce(batches).offsets }
                return try await produce(batches, sending: sent.forKafka, of: member, within: KafkaLog.answerLimit)
                    .offsets
            }
            var offsets: [[Offset]]
            let replies = try await checked(foreseen.map(transaction.replies) ?? [], log)
            if let foreseen, !replies.allSatisfy(\.records.isEmpty) {
                offsets = try await produceFirst(transaction.appends + replies)
                if !offsets.starts(with: foreseen) { throw TransactionFailure(told: .misforeseen, wentTo: offsets) }
            } else {
                offsets = try await produceFirst(transaction.appends)
                let replies = try await checked(transaction.replies(offsets), log)
                offsets += try await produce(replies.map(OutgoingBatch.init)).offsets
            }
            do {
                try await commit(within: KafkaLog.transactionLimit * 2)
            } catch {
                if error.isRetriable { throw TransactionFailure(told: .undecided(error), isUncertain: true) }
                throw TransactionFailure(told: LogError(transaction: error))
            }
            return offsets
        } catch let failure as TransactionFailure {
            throw failure
        } catch let error as KafkaError {
            throw TransactionFailure(told: LogError(transaction: await cause(of: error)))
        } catch {
            throw TransactionFailure(told: LogError(.failed, "\(error)"))
        }
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
