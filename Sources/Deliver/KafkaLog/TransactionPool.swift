internal import EventLog
internal import EventModel
internal import Kafka
internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Two transactional producers that take turns: while the broker still writes the markers of one's last transaction,
/// the other can begin. Their ids are this member's alone; what fences a stale member is the group's generation.
final class TransactionPool: Sendable {
    private struct State {
        var producers: [Producer?] = [nil, nil]
        var turn = 0
        var made = 0
        var closed = false
        var foresight = Foresight()
    }
    private let state = Mutex(State())
    private let tuning: Tuning
    private let id: String

    init(_ tuning: Tuning, _ group: String) {
        self.tuning = tuning
        id = "\(group)-\(hostName())-\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 36))"
    }

    /// Writes all or nothing.
    func run(
        _ transaction: Transaction, as place: Place?, in log: KafkaLog
    ) async throws(LogError) -> [[Offset]] {
        if let foreseen = state.withLock({ $0.foresight.offsets(of: transaction.appends) }) {
            do {
                return try await run(transaction, as: place, in: log, foreseen: foreseen)
            } catch {
                guard let offsets = error.wentTo else { throw error.told }
                state.withLock { $0.foresight.missed(transaction.appends, offsets) }
            }
        }
        do {
            return try await run(transaction, as: place, in: log, foreseen: nil)
        } catch {
            throw error.told
        }
    }

    private func run(
        _ transaction: Transaction, as place: Place?, in log: KafkaLog, foreseen: [[Offset]]?
    ) async throws(TransactionFailure) -> [[Offset]] {
        let (slot, producer): (Int, Producer)
        do {
            (slot, producer) = try await next()
        } catch {
            throw TransactionFailure(told: error)
        }
        do {
            let offsets = try await producer.write(transaction, as: place, in: log, foreseen: foreseen)
            state.withLock { $0.foresight.saw(transaction.appends, offsets) }
            return offsets
        } catch {
            if error.wentTo == nil { state.withLock { $0.foresight.forget(transaction.appends) } }
            throw await giveUp(error, producer, slot)
        }
    }

    /// Aborts what was begun, or replaces a producer that cannot; returns what the member is told.
    private func giveUp(_ failure: TransactionFailure, _ producer: Producer, _ slot: Int) async -> TransactionFailure {
        var dead = producer.fatalError != nil || failure.isUncertain
        if !dead {
            do { try await producer.abort(within: KafkaLog.answerLimit) } catch { dead = true }
        }
        if dead {
            state.withLock { if $0.producers[slot] === producer { $0.producers[slot] = nil } }
            await producer.close()
        }
        return failure
    }

    /// The producer whose turn it is, made if need be.
    private func next() async throws(LogError) -> (Int, Producer) {
        let (slot, found, number) = try state.withLock { state throws(LogError) in
            if state.closed { throw LogError.wasClosed }
            state.turn = (state.turn + 1) % state.producers.count
            state.made += 1
            return (state.turn, state.producers[state.turn], state.made)
        }
        if let found { return (slot, found) }
        let made = try await telling("a transactional producer could not be made") { () throws(KafkaError) in
            let producer = try Producer(
                .producer(tuning.transactions("\(id)-\(number)")), credentials: tuning.credentials,
                onStatistics: tuning.statistics?.listener(of: "transactions"))
            do throws(KafkaError) {
                try await producer.initTransactions(within: KafkaLog.coordinatorLimit)
            } catch {
                await producer.close()
                throw error
            }
            return producer
        }
        let kept = state.withLock { state in
            if !state.closed { state.producers[slot] = made }
            return !state.closed
        }
        if kept { return (slot, made) }
        await made.close()
        throw LogError.wasClosed
    }

    func close() async {
        let producers = state.withLock { state in
            state.closed = true
            defer { state.producers = [] }
            return state.producers
        }
        for producer in producers { await producer?.close() }
    }
}

private func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    return gethostname(&name, name.count - 1) == 0
        ? String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : "host"
}
