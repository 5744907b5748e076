internal import CRdkafka
internal import Dispatch
internal import Synchronization

/// A consumer's place in its group, which the broker compares when a transaction commits offsets (KIP-447).
public final class GroupMetadata: Sendable {
    /// The bytes of `rd_kafka_consumer_group_metadata_write`: `CGMDv2:`, the generation, the group's and member's names.
    private let bytes: [UInt8]
    /// The group's generation; negative where this consumer is no member of it.
    public let generation: Int32

    /// Takes librdkafka's object, which is the caller's.
    init?(taking metadata: OpaquePointer?) {
        guard let metadata else { return nil }
        defer { rd_kafka_consumer_group_metadata_destroy(metadata) }
        var buffer: UnsafeMutableRawPointer?
        var size = 0
        guard KafkaError(taking: rd_kafka_consumer_group_metadata_write(metadata, &buffer, &size)) == nil, let buffer
        else { return nil }
        defer { rd_kafka_mem_free(nil, buffer) }
        bytes = Array(UnsafeRawBufferPointer(start: buffer, count: size))
        let magic = Array("CGMDv2:".utf8)
        guard bytes.starts(with: magic), bytes.count >= magic.count + 4 else { return nil }
        generation = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: magic.count, as: Int32.self) }
    }

    func withMetadata<R>(_ body: (OpaquePointer) throws(KafkaError) -> R) throws(KafkaError) -> R {
        var metadata: OpaquePointer?
        try KafkaError.check(rd_kafka_consumer_group_metadata_read(&metadata, bytes, bytes.count))
        guard let metadata else { throw KafkaError(.invalidSetting, "the group's metadata is unreadable") }
        defer { rd_kafka_consumer_group_metadata_destroy(metadata) }
        return try body(metadata)
    }
}

/// Transactions, for a producer whose settings have a `transactional.id`.
///
/// An error with `needsAbort` asks for `abort`, after which the next may begin; one with `isFatal` asks for another
/// producer. What may simply be asked again is asked again until the time given is over.
extension Producer {
    /// Ends what an earlier producer of the same id left open, and keeps it out. Once, before the first transaction.
    public func initTransactions(within limit: Duration) async throws(KafkaError) {
        try await run { client throws(KafkaError) in
            try retry(within: limit) { rd_kafka_init_transactions(client.rk, $0) }
        }
    }

    /// Begins a transaction; everything that is produced from now on is part of it.
    public func begin() async throws(KafkaError) {
        try await run { client throws(KafkaError) in try KafkaError.check(rd_kafka_begin_transaction(client.rk)) }
    }

    /// Makes consumed offsets a part of the transaction; the broker refuses them where the member's generation is past.
    public func send(
        offsets: [KafkaPartition: Int64], of group: GroupMetadata, within limit: Duration
    ) async throws(KafkaError) {
        _ = try await produce([], sending: offsets, of: { group }, within: limit)
    }

    /// Writes messages while consumed offsets become a part of the transaction, and returns where each message went.
    ///
    /// The offsets take the broker two answers and the messages one, which are waited for at once.
    /// - Parameter place: Tells whose offsets they are; it is asked on this producer's thread.
    public func produce(
        _ batches: [OutgoingBatch], sending offsets: [KafkaPartition: Int64],
        of place: @escaping @Sendable () throws(KafkaError) -> GroupMetadata, within limit: Duration
    ) async throws(KafkaError) -> [[Written]] {
        let (client, sent) = (client, Sent())
        let written: Result<[[Written]], KafkaError>
        do throws(KafkaError) {
            written = .success(
                try await produce(batches) {
                    let result = Result { () throws(KafkaError) in
                        try client.send(offsets: offsets, of: place(), within: limit)
                    }
                    sent.result.withLock { $0 = result }
                })
        } catch {
            written = .failure(error)
        }
        // Calls are made one after another: this one has ended when those before it have.
        await calls.finish()
        if case .failure(let error) = sent.result.withLock({ $0 }) { throw error }
        return try written.get()
    }

    private final class Sent: Sendable { let result = Mutex<Result<Void, KafkaError>?>(nil) }

    /// Begins, writes messages while consumed offsets become a part of the transaction, and commits. All of it is one call on this
    /// producer's thread, where to begin, produce and commit one after another changes threads with each.
    ///
    /// What it throws came before the commit, and the transaction is still open then.
    /// - Parameters:
    ///   - place: Tells whose offsets they are, which is asked on that thread; nil where there are none.
    ///   - limit: How long the offsets may take.
    ///   - patience: How long the commit may take.
    ///   - holds: Whether the messages went where they were to go.
    public func transact(
        _ batches: [OutgoingBatch], sending offsets: [KafkaPartition: Int64],
        of place: (@Sendable () throws(KafkaError) -> GroupMetadata)?, within limit: Duration,
        committingWithin patience: Duration, where holds: @escaping @Sendable (_ written: [[Written]]) -> Bool
    ) async throws(KafkaError) -> TransactionEnd {
        try await run { [self] client throws(KafkaError) in
            try KafkaError.check(rd_kafka_begin_transaction(client.rk))
            var sent: Result<Void, KafkaError> = .success(())
            let written: Result<[[Written]], KafkaError> = Result { () throws(KafkaError) in
                try write(batches) {
                    sent = Result { () throws(KafkaError) in
                        if let place { try client.send(offsets: offsets, of: place(), within: limit) }
                    }
                }
            }
            try sent.get()
            let places = try written.get()
            if !holds(places) { return .elsewhere(places) }
            do throws(KafkaError) {
                try retry(within: patience) { rd_kafka_commit_transaction(client.rk, $0) }
            } catch {
                return .uncommitted(error)
            }
            return .committed(places)
        }
    }

    /// Where it throws a retriable error after that time, nobody knows yet how the transaction ended.
    public func commit(within limit: Duration) async throws(KafkaError) {
        try await run { client throws(KafkaError) in
            try retry(within: limit) { rd_kafka_commit_transaction(client.rk, $0) }
        }
    }

    /// Gives the open transaction up: nobody who reads what is committed sees its messages.
    public func abort(within limit: Duration) async throws(KafkaError) {
        try await run { client throws(KafkaError) in
            try retry(within: limit) { rd_kafka_abort_transaction(client.rk, $0) }
        }
    }
}

/// How a transaction ended that was made by one call.
public enum TransactionEnd: Sendable {
    /// It is committed; where each message went.
    case committed([[Written]])
    /// Its messages went elsewhere than they were to. It is still open, and asks for `abort`.
    case elsewhere([[Written]])
    /// The commit failed; where the error is retriable, nobody knows yet how the transaction ended.
    case uncommitted(KafkaError)
}

extension Client {
    fileprivate func send(
        offsets: [KafkaPartition: Int64], of group: GroupMetadata, within limit: Duration
    ) throws(KafkaError) {
        let list = PartitionList(offsets)
        try group.withMetadata { metadata throws(KafkaError) in
            try retry(within: limit) { rd_kafka_send_offsets_to_transaction(rk, list.list, metadata, $0) }
        }
    }
}

/// Calls with the milliseconds left, again as long as the error says that this may help.
private func retry(within limit: Duration, _ call: (Int32) -> OpaquePointer?) throws(KafkaError) {
    let deadline = ContinuousClock.now + limit
    while true {
        let left = max(deadline - .now, .milliseconds(1))
        guard let error = KafkaError(taking: call(left.milliseconds)) else { return }
        // A call that waited in vain is not made again, though librdkafka allows it: the answer that still comes to the first
        // is taken for one to the second, and a commit was told as done that never was (2.0.2). It comes before the deadline
        // where the machine's clock was put forward meanwhile.
        if !error.isRetriable || error.code == .timedOut || ContinuousClock.now >= deadline { throw error }
        // Some say so at once; this thread may well wait.
        _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(10))
    }
}
