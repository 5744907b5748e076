public import EventLog
public import EventModel
public import ServiceLifecycle
internal import Synchronization

/// Sends commands and waits for their outcomes. Any number of tasks may share one client.
///
/// It hears outcomes while ``run()`` runs: as a service of a group, or for the length of ``with(_:domains:clock:_:)``.
public final class CommandClient: Service {
    /// No handler has answered. The command is on the log and will be decided; asking again with its id gives the outcome.
    public struct NoAnswer: Error, Sendable {
        public var id: String
        public var waited: Duration
    }

    /// More commands await their outcomes than ``CommandClient/pendingReplies``; none of these was sent.
    public struct Overloaded: Error, Sendable {
        public var limit: Int
    }

    /// Commands of one client that may await their outcomes at once.
    public static let pendingReplies = 200_000
    /// How much later than its deadline a caller may be told that time is over.
    private static let look = Duration.milliseconds(50)
    /// The same where nobody waited when the look began, and others' outcomes come in.
    private static let idleLook = Duration.milliseconds(250)
    /// The same where nothing comes in: who begins to wait ends the pause.
    private static let rest = GroupLoop.heed

    private struct Waiting {
        var reply: Reply
        /// An id may be under way for another key too.
        var key: Bytes
        /// Of the command's kind and body: an id may be under way with another body too.
        var digest: UInt64
        var deadline: ContinuousClock.Instant
        var waited: Duration
    }

    private let log: any EventLog
    private let counts: [String: Int]
    private let reader: any LogReader
    private let clock: @Sendable () -> Timestamp
    private struct State {
        var waiting: [String: [Waiting]] = [:]
        var count = 0
        /// Why the listener has ended.
        var failure: (any Error)?

        /// Takes out those who wait under an id and for whom something holds.
        mutating func take(_ id: String, where holds: (Waiting) -> Bool) -> [Waiting] {
            guard let at = waiting.index(forKey: id) else { return [] }
            let taken = waiting.values[at].filter(holds)
            if taken.count == waiting.values[at].count {
                waiting.remove(at: at)
            } else {
                waiting.values[at].removeAll(where: holds)
            }
            count -= taken.count
            return taken
        }
    }
    private let state = Mutex(State())
    /// Rings when the first begins to wait.
    private let awaited = Signal()
    private let posted = Mutex(PostedCommands())
    /// Rings when something is posted.
    private let posting = Signal()

    private init(
        log: any EventLog, counts: [String: Int], reader: any LogReader, clock: @escaping @Sendable () -> Timestamp
    ) {
        self.log = log
        self.counts = counts
        self.reader = reader
        self.clock = clock
    }

    /// A client of some domains: the outcomes that come from now on are its to hear.
    ///
    /// - Throws: `LogError` where a topic of theirs is missing, or counts of partitions differ.
    public convenience init(
        _ log: any EventLog, domains: [Domain], clock: @escaping @Sendable () -> Timestamp
    ) async throws {
        let counts = try await log.partitionCounts()
        for domain in domains where domain.decider != nil {
            let topics = [domain.commandsTopic, domain.eventsTopic, domain.outcomesTopic].filter { counts[$0] != nil }
            try counts.checkCopartitioned(topics, Handler.group(of: domain))
        }
        let partitions = try domains.filter { $0.decider != nil }.flatMap { domain in
            guard let count = counts[domain.outcomesTopic] else { throw LogError.unknown(domain.outcomesTopic) }
            return (0..<count).map { TopicPartition(domain.outcomesTopic, Partition($0)) }
        }
        let ends = try await log.bounds(of: partitions).mapValues(\.upperBound)
        self.init(log: log, counts: counts, reader: try await log.reader(from: ends), clock: clock)
    }

    /// Listens until it is told to stop or is cancelled. Whoever still waits then is told so.
    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await self.listen() }
                    group.addTask { await self.appendPosted() }
                    defer { group.cancelAll() }
                    try await group.next()
                }
            }
        } catch {
            await reader.close()
            throw error
        }
        fail(CancellationError())
        await reader.close()
    }

    /// A client that listens for as long as `body` runs.
    public static func with<R>(
        _ log: any EventLog, domains: [Domain], clock: @escaping @Sendable () -> Timestamp,
        _ body: (CommandClient) async throws -> R
    ) async throws -> R {
        let client = try await CommandClient(log, domains: domains, clock: clock)
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
    /// An id names a command among those of its key: it has one outcome, however often it is sent.
    ///
    /// An id with a colon is a worker's own: those of timers and reactions follow from what they are about, and whoever
    /// took one first would keep it from happening.
    /// - Parameter each: Told each outcome as soon as it and those before it are there.
    /// - Throws: ``NoAnswer`` for the first that nobody answered in time, ``Overloaded``, or ``Malformed`` for an id.
    @discardableResult
    public func send(
        _ commands: [EncodedCommand], to domain: Domain, asFacts: Bool = false, within limit: Duration,
        each: (Outcome) throws -> Void = { _ in }
    ) async throws -> [Outcome] {
        let count = try partitions(for: commands, of: domain)
        // Whoever answers finds the replies waiting, for they are there before the commands are.
        let replies = try expect(commands, asFacts: asFacts, within: limit)
        let records = commands.map { $0.record(asFact: asFacts, now: clock()) }
        _ = try await log.append(Append.byKey(records, to: domain.commandsTopic, among: count))
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(commands.count)
        for reply in replies {
            outcomes.append(try await reply.value())
            try each(outcomes[outcomes.count - 1])
        }
        return outcomes
    }

    /// Sends a command for which no task waits: it goes to the log with others that come meanwhile. It takes ``run()``.
    ///
    /// - Parameter done: Told once what came of it, on whichever thread knows it, with the errors of ``send(_:to:asFacts:within:each:)``. It
    ///   must not wait.
    public func post(
        _ command: EncodedCommand, to domain: Domain, within limit: Duration,
        done: @escaping @Sendable (Result<Outcome, any Error>) -> Void
    ) {
        do {
            let count = try partitions(for: [command], of: domain)
            let reply = try expect([command], asFacts: false, within: limit) { Reply(done) }[0]
            let one = PostedCommands.One(
                topic: domain.commandsTopic, partitions: count, id: command.id, record: command.record(now: clock()),
                reply: reply)
            posted.withLock { $0.add(one) }
            posting.notify()
        } catch {
            done(.failure(error))
        }
    }

    /// How many partitions they go to.
    private func partitions(for commands: [EncodedCommand], of domain: Domain) throws -> Int {
        guard let count = counts[domain.commandsTopic] else { throw LogError.unknown(domain.commandsTopic) }
        for command in commands {
            if command.id.isEmpty || command.id.count > Limits.commandID || command.id.contains(":") {
                throw Malformed(
                    "id", "must be 1 to \(Limits.commandID) characters without ':', which workers' ids have")
            }
        }
        return count
    }

    private func appendPosted() async {
        while !Task.isCancelled {
            let version = posting.version
            let all = posted.withLock { $0.take() }
            if all.isEmpty {
                await posting.wait(past: version, atMost: Beat.within(Self.rest))
                continue
            }
            do {
                _ = try await log.append(all.appends)
            } catch {
                // Where one cannot be taken, the others can.
                let isOfOne = (error as? LogError)?.kind == .tooLarge && all.count > 1
                for one in all {
                    do {
                        if !isOfOne { throw error }
                        _ = try await log.append([one].appends)
                    } catch {
                        give(up: one, error)
                    }
                }
            }
        }
    }

    private func give(up one: PostedCommands.One, _ error: any Error) {
        _ = state.withLock { $0.take(one.id) { $0.reply === one.reply } }
        one.reply.give(.failure(error))
    }

    private func expect(
        _ commands: [EncodedCommand], asFacts: Bool, within limit: Duration, reply: () -> Reply = { Reply() }
    ) throws -> [Reply] {
        let entries = commands.map { command in
            Waiting(
                reply: reply(), key: command.key, digest: digest(of: command.value, isFact: asFacts),
                deadline: .now + limit,
                waited: limit)
        }
        let isFirst = try state.withLock { state in
            if let failure = state.failure { throw failure }
            if state.count + entries.count > Self.pendingReplies { throw Overloaded(limit: Self.pendingReplies) }
            defer { state.count += entries.count }
            for (command, entry) in zip(commands, entries) { state.waiting[command.id, default: []].append(entry) }
            return state.count == 0
        }
        if isFirst { awaited.notify() }
        return entries.map(\.reply)
    }

    private func listen() async throws {
        do {
            var (looked, isQuiet) = (ContinuousClock.now, false)
            while !Task.isCancelled {
                let version = awaited.version
                let isAwaited = state.withLock { $0.count > 0 }
                if !isAwaited, isQuiet { await awaited.wait(past: version, atMost: Beat.within(Self.rest)) }
                let pause = isAwaited ? Self.look : isQuiet ? .zero : Self.idleLook
                let batches = try await reader.next(max: 10_000, wait: pause)
                for batch in batches { hear(batch.records, in: batch.source) }
                isQuiet = !isAwaited && batches.isEmpty
                // This looks through all pending replies, so it is not done after each batch.
                if ContinuousClock.now - looked < Self.look { continue }
                expire()
                looked = .now
            }
        } catch is CancellationError {
        } catch {
            fail(error)
            throw error
        }
    }

    /// Nobody listens any more: all who wait are told why, and all who come.
    private func fail(_ error: any Error) {
        let all = state.withLock { state in
            state.failure = state.failure ?? error
            defer { (state.waiting, state.count) = ([:], 0) }
            return state.waiting.values.flatMap { $0 }
        }
        for entry in all { entry.reply.give(.failure(error)) }
    }

    /// Gives those who wait their outcomes. What somebody else has written into a wrong partition is refused there, and is no
    /// answer to the same command in the right one.
    private func hear(_ records: [Record], in source: TopicPartition) {
        let home = KeyedPartition(source, among: counts[source.topic] ?? 1)
        let known = records.compactMap { record in record[header: HeaderName.id].map { (id: $0, record: record) } }
        let awaited = state.withLock { state in known.filter { state.waiting[$0.id] != nil } }
            .filter { home.other(for: $0.record.key) == nil }
        if awaited.isEmpty { return }
        let outcomes = awaited.map { one in
            (id: one.id, key: one.record.key, outcome: Result { try Outcome(one.record.value) })
        }
        let given = state.withLock { state in
            outcomes.flatMap { id, key, outcome in
                let digest = try? outcome.get().digest
                // An unreadable outcome is for all who wait under its key and id.
                return state.take(id) { $0.key == key && (digest == nil || $0.digest == digest) }
                    .map { ($0.reply, outcome) }
            }
        }
        for (reply, outcome) in given { reply.give(outcome) }
    }

    private func expire() {
        let now = ContinuousClock.now
        let late = state.withLock { state in
            let ids = state.waiting.compactMap { id, entries in entries.contains { $0.deadline <= now } ? id : nil }
            return ids.flatMap { id in state.take(id) { $0.deadline <= now }.map { (id, $0) } }
        }
        for (id, entry) in late { entry.reply.give(.failure(NoAnswer(id: id, waited: entry.waited))) }
    }
}
