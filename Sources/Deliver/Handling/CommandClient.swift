public import EventLog
public import EventModel
internal import Synchronization

/// Sends commands and waits for their outcomes. Any number of tasks may share one client.
public final class CommandClient: Sendable {
    /// No handler has answered. The command is on the log and will be decided; asking again with its id gives the outcome.
    public struct NoAnswer: Error, Sendable {
        public var id: String
        public var waited: Duration
    }

    private struct Waiting {
        var reply: Reply
        /// Of the command's kind and body: an id may be under way with another body too.
        var digest: UInt64
        var deadline: ContinuousClock.Instant
        var waited: Duration
    }

    private let log: any EventLog
    private let counts: [String: Int]
    private let reader: any LogReader
    private let clock: @Sendable () -> Timestamp
    private let waiting = Mutex<[String: [Waiting]]>([:])

    private init(
        log: any EventLog, counts: [String: Int], reader: any LogReader, clock: @escaping @Sendable () -> Timestamp
    ) {
        self.log = log
        self.counts = counts
        self.reader = reader
        self.clock = clock
    }

    /// Listens to the outcomes of some domains for as long as `body` runs.
    public static func with<R>(
        _ log: any EventLog, domains: [Domain], clock: @escaping @Sendable () -> Timestamp,
        _ body: (CommandClient) async throws -> R
    ) async throws -> R {
        let counts = try await log.partitionCounts()
        let partitions = try domains.filter { $0.decider != nil }.flatMap { domain in
            guard let count = counts[domain.outcomesTopic] else { throw LogError.unknown(domain.outcomesTopic) }
            return (0..<count).map { TopicPartition(domain.outcomesTopic, Partition($0)) }
        }
        let ends = try await log.bounds(of: partitions).mapValues(\.upperBound)
        let client = CommandClient(
            log: log, counts: counts, reader: try await log.reader(from: ends), clock: clock)
        do {
            let result = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.listen() }
                defer { group.cancelAll() }
                return try await body(client)
            }
            await client.reader.close()
            return result
        } catch {
            await client.reader.close()
            throw error
        }
    }

    /// Sends commands of one domain in one append, and waits for all their outcomes, in the same order.
    ///
    /// - Throws: ``NoAnswer`` for the first that nobody answered in time.
    public func send(
        _ commands: [EncodedCommand], to domain: Domain, asFacts: Bool = false, within limit: Duration
    ) async throws -> [Outcome] {
        guard let count = counts[domain.commandsTopic] else { throw LogError.unknown(domain.commandsTopic) }
        var appends: [TopicPartition: [NewRecord]] = [:]
        for command in commands {
            let target = TopicPartition(
                domain.commandsTopic, Partitioner.partition(of: command.key, among: count))
            appends[target, default: []].append(command.record(asFact: asFacts, now: clock()))
        }
        // Whoever answers finds the replies waiting, for they are there before the commands are.
        let replies = commands.map { command in
            let reply = Reply()
            let entry = Waiting(
                reply: reply, digest: digest(of: command.value, isFact: asFacts), deadline: .now + limit, waited: limit)
            waiting.withLock { $0[command.id, default: []].append(entry) }
            return reply
        }
        _ = try await log.append(appends.map { Append($0.key, $0.value) })
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(commands.count)
        for reply in replies { outcomes.append(try await reply.value()) }
        return outcomes
    }

    private func listen() async throws {
        do {
            while !Task.isCancelled {
                for batch in try await reader.next(max: 10_000, wait: .milliseconds(50)) {
                    for record in batch.records {
                        guard let id = record[header: HeaderName.id] else { continue }
                        if waiting.withLock({ $0[id] == nil }) { continue }
                        let outcome = Result { try Outcome(record.value) }
                        for entry in take(id, try? outcome.get().digest) { entry.reply.give(outcome) }
                    }
                }
                expire()
            }
        } catch is CancellationError {
        } catch {
            let all = waiting.withLock { waiting in
                defer { waiting = [:] }
                return waiting.values.flatMap { $0 }
            }
            for entry in all { entry.reply.give(.failure(error)) }
            throw error
        }
    }

    /// Takes out those who wait for the outcome of that very command; all of that id where the outcome is unreadable.
    private func take(_ id: String, _ digest: UInt64?) -> [Waiting] {
        waiting.withLock { waiting in
            let entries = waiting[id] ?? []
            let others = entries.filter { digest != nil && $0.digest != digest }
            waiting[id] = others.isEmpty ? nil : others
            return entries.filter { digest == nil || $0.digest == digest }
        }
    }

    private func expire() {
        let now = ContinuousClock.now
        let late = waiting.withLock { waiting in
            let late = waiting.compactMap { id, entries in
                entries.contains { $0.deadline <= now } ? (id, entries) : nil
            }
            for (id, _) in late { waiting[id] = nil }
            return late
        }
        for (id, entries) in late {
            for entry in entries { entry.reply.give(.failure(NoAnswer(id: id, waited: entry.waited))) }
        }
    }
}

/// An outcome that is awaited once, given before or after.
private final class Reply: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Outcome, any Error>)
        case given(Result<Outcome, any Error>)
    }
    private let state = Mutex(State.open)

    func give(_ result: Result<Outcome, any Error>) {
        let continuation = state.withLock { state -> CheckedContinuation<Outcome, any Error>? in
            switch state {
            case .open:
                state = .given(result)
                return nil
            case .awaited(let continuation):
                state = .given(result)
                return continuation
            case .given: return nil
            }
        }
        continuation?.resume(with: result)
    }

    func value() async throws -> Outcome {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let given = state.withLock { state -> Result<Outcome, any Error>? in
                    if case .given(let result) = state { return result }
                    state = .awaited(continuation)
                    return nil
                }
                if let given { continuation.resume(with: given) }
            }
        } onCancel: {
            give(.failure(CancellationError()))
        }
    }
}
