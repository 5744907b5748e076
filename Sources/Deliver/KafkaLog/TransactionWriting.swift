internal import EventLog
internal import EventModel
internal import Kafka

/// Why a transaction did not come about.
struct TransactionFailure: Error {
    var told: LogError
    /// The commit was sent and not answered: only a new producer tells how it ended.
    var isUncertain = false
}

extension Producer {
    /// One transaction from begin to commit.
    func write(
        _ transaction: Transaction, as member: GroupMetadata?, in log: KafkaLog
    ) async throws(TransactionFailure) -> [[Offset]] {
        do {
            try await begin()
            let batches = transaction.appends.map(OutgoingBatch.init)
            let written =
                if let member {
                    try await produce(
                        batches, sending: transaction.consumed.forKafka, of: member, within: KafkaLog.answerLimit)
                } else {
                    try await produce(batches)
                }
            let offsets = written.map { written in written.map { Offset($0.offset) } }
            let replies = transaction.replies(offsets)
            do {
                try await log.check(replies)
            } catch {
                throw TransactionFailure(told: error)
            }
            let replied = try await produce(replies.map(OutgoingBatch.init))
                .map { written in written.map { Offset($0.offset) } }
            do {
                try await commit(within: KafkaLog.transactionLimit * 2)
            } catch {
                if error.isRetriable { throw TransactionFailure(told: .undecided(error), isUncertain: true) }
                throw TransactionFailure(told: LogError(transaction: error))
            }
            return offsets + replied
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
    /// The commit was sent, and no answer came.
    static func undecided(_ error: KafkaError) -> LogError {
        LogError(
            .unreachable,
            "the broker does not say whether the transaction was committed; join again, where the group goes on tells: \(error)"
        )
    }

    /// What a failed transaction means: fenced where the group has gone on without this member, too large or denied
    /// where trying again would not help, else aborted.
    init(transaction error: KafkaError) {
        let kind = Kind(error)
        switch kind {
        case .fenced, .tooLarge, .denied, .unknownTopic, .closed: self.init(error, doing: "the transaction was aborted")
        default: self.init(.aborted, "the transaction was aborted: \(error)")
        }
    }
}
