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
        _ = try await produce([], sending: offsets, of: group, within: limit)
    }

    /// Writes messages while consumed offsets become a part of the transaction, and returns where each message went.
    ///
    /// The offsets take the broker two answers and the messages one, which are waited for at once.
    public func produce(
        _ batches: [OutgoingBatch], sending offsets: [KafkaPartition: Int64], of group: GroupMetadata,
        within limit: Duration
    ) async throws(KafkaError) -> [[Written]] {
        let (client, sent) = (client, Sent())
        let written: Result<[[Written]], KafkaError>
        do throws(KafkaError) {
            written = .success(
                try await produce(batches) {
                    let result = Result { () throws(KafkaError) in
                        let list = PartitionList(offsets)
                        try group.withMetadata { metadata throws(KafkaError) in
                            try retry(within: limit) {
                                rd_kafka_send_offsets_to_transaction(client.rk, list.list, metadata, $0)
                            }
                        }
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
