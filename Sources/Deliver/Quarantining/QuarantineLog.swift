public import EventLog
public import EventModel
internal import Synchronization

/// The topic on which every worker says what it keeps waiting, and people say what is to be tried again.
///
/// One for a process: it reads the topic when somebody asks, from where it stopped.
public final class QuarantineLog: Sendable {
    public static let topic = Topic(
        "millrace.quarantine", partitions: 1, key: "worker", schema: "millrace.quarantine.Event", owner: "workers")
    public static let schema = Schema(QuarantineEvent.self, Descriptor(base64: quarantineDescriptor))
    /// How old what is known may be for a worker that looks whether something is asked of it.
    public static let heed = Duration.milliseconds(200)

    static let partition = TopicPartition(topic.name, 0)

    private struct State {
        var said = QuarantineState()
        var read: ContinuousClock.Instant?
        /// Whether the topic is being followed, so that what is known is current but for records on their way.
        var isFollowed = false
        var wakes: [Wake] = []
    }
    private let log: any EventLog
    private let clock: @Sendable () -> Timestamp
    private let state = Mutex(State())

    /// - Parameter clock: The time that records of the topic have.
    public init(_ log: any EventLog, clock: @escaping @Sendable () -> Timestamp) {
        (self.log, self.clock) = (log, clock)
    }

    /// What the topic says now.
    ///
    /// - Parameter age: What was read so long ago will do, and so will what ``follow()`` has read.
    @discardableResult
    public func read(notOlderThan age: Duration = .zero) async throws -> QuarantineState {
        let (said, read, isFollowed) = state.withLock { ($0.said, $0.read, $0.isFollowed) }
        if isFollowed, age > .zero { return said }
        if let read, age > .zero, ContinuousClock.now - read < age { return said }
        let now = ContinuousClock.now
        guard let bounds = try await log.bounds(of: [Self.partition])[Self.partition] else {
            throw LogError.unknown(Self.topic.name)
        }
        try await log.scan(Self.partition, from: max(said.next, bounds.lowerBound), to: bounds.upperBound) { batch in
            state.withLock { state in
                for record in batch.records { state.said.apply(record) }
            }
        }
        return state.withLock { state in
            state.read = now
            return state.said
        }
    }

    /// Reads the topic as it grows, until it is cancelled, so that no worker need ask; wakes those that wait. Where the log does
    /// not answer it begins anew, for as long as the log's patience says.
    public func follow() async throws {
        var trouble = Trouble(log.patience)
        while !Task.isCancelled {
            do {
                try await followOn { trouble.passed(Self.topic.name) }
            } catch let error as LogError {
                guard trouble.bears(error, of: Self.topic.name) else { throw error }
                try? await Task.sleep(for: Trouble.rest)
            }
        }
    }

    private func followOn(_ passed: () -> Void) async throws {
        let said = try await read()
        let reader = try await log.reader(from: [Self.partition: said.next])
        defer { state.withLock { $0.isFollowed = false } }
        passed()
        do {
            // What came since is read before anyone relies on it.
            while !Task.isCancelled {
                let batches = try await reader.next(max: 1000, wait: isFollowed ? Self.pause : .zero)
                let wakes = state.withLock { state in
                    for record in batches.flatMap(\.records) { state.said.apply(record) }
                    state.isFollowed = state.isFollowed || batches.isEmpty
                    return batches.isEmpty ? [] : state.wakes
                }
                for wake in wakes { wake.ring() }
            }
        } catch is CancellationError {
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
    }

    /// How long it waits for the topic to grow before it waits again.
    private static let pause = Duration.seconds(60)

    private var isFollowed: Bool { state.withLock(\.isFollowed) }

    /// How long a worker may go without asking what is requested of it: it is woken where the topic is followed.
    public var patience: Duration { isFollowed ? GroupLoop.heed : Self.heed }

    /// Whoever waits with this is woken when the topic grows.
    func add(_ wake: Wake) { state.withLock { $0.wakes.append(wake) } }
    func remove(_ wake: Wake) { state.withLock { $0.wakes.removeAll { $0 === wake } } }

    /// What the topic of a log says, and nothing where the log is from before there was one.
    public static func state(of log: any EventLog) async throws -> QuarantineState {
        do {
            return try await QuarantineLog(log, clock: { 0 }).read()
        } catch let error as LogError where error.kind == .unknownTopic {
            return QuarantineState()
        }
    }

    /// Writes entries.
    public func append(_ entries: [QuarantineEntry]) async throws {
        if !entries.isEmpty { _ = try await log.append([appending(entries)]) }
    }

    /// Entries as part of a transaction.
    public func appending(_ entries: [QuarantineEntry]) -> Append {
        let now = clock()
        return Append(Self.partition, entries.map { $0.record(at: now) })
    }
}
