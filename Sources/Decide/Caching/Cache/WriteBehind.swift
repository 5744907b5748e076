internal import Synchronization

/// A cache whose changes are on a log before anybody is told that they are done, and come into the source behind it later.
///
/// **Read your writes.** Who was told that a change is done reads it, or a newer one, whatever the cache evicts and however far the source is
/// behind. **Nothing is lost:** a process that dies and starts again hears the log from ``appliedThrough`` on (``heard(_:)``), and
/// applies what the source has not. A change may be applied twice; what the source is told has its place in the log, so that it can tell.
///
/// The place of a change is the key's version: loads must give the place that the source's value has (0 where it has none), and one that
/// began before a change and ends after it is not kept.
public final class WriteBehind<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    public typealias Write = LoggedWrite<Key, Value>

    private struct State {
        var pending: PendingWrites<Key, Value>
        /// Room that is taken by changes on their way to the log.
        var reserved = 0
    }

    public let cache: Cache<Key, Value>
    /// How many keys may be ahead of the source.
    public let limit: Int
    private let state: Mutex<State>
    private let append: @Sendable (Key, Value?) async throws -> UInt64
    private let apply: @Sendable ([Write]) async throws -> Void
    private let news: AsyncStream<Void>
    private let tell: AsyncStream<Void>.Continuation

    /// - Parameters:
    ///   - limit: More changes than so many are refused until the source has come after.
    ///   - applied: What the source is known to have all of.
    ///   - append: Puts a change on the log, and gives its place when it is durable there. Places grow.
    ///   - apply: Brings changes, of different keys, into the source, by place: one that is not newer than what is there changes nothing.
    public init(
        _ cache: Cache<Key, Value>, limit: Int = 65_536, appliedThrough applied: UInt64 = 0,
        append: @escaping @Sendable (Key, Value?) async throws -> UInt64,
        apply: @escaping @Sendable ([Write]) async throws -> Void
    ) {
        (self.cache, self.limit, self.append, self.apply) = (cache, max(1, limit), append, apply)
        state = Mutex(State(pending: PendingWrites(appliedThrough: applied)))
        (news, tell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// How many keys are ahead of the source.
    public var pending: Int { state.withLock { $0.pending.count } }
    /// From where on the log has to be heard by who starts anew.
    public var appliedThrough: UInt64 { state.withLock { $0.pending.appliedThrough } }

    /// Changes a key; nil takes it away. It is done when this returns. Where the log fails nobody knows whether it is: the log says so to
    /// who hears it.
    ///
    /// - Throws: ``WriteBehindFull``, or what the log throws.
    /// - Returns: its place in the log, which is the key's version.
    @discardableResult
    public func write(_ key: Key, _ value: Value?) async throws -> UInt64 {
        let isFull = state.withLock { state in
            if state.pending.count + state.reserved >= limit { return true }
            state.reserved += 1
            return false
        }
        if isFull { throw WriteBehindFull(limit: limit) }
        defer { state.withLock { $0.reserved -= 1 } }
        let place = try await append(key, value)
        heard(Write(key, value, place: place))
        return place
    }

    /// A change was read from the log: one's own, another node's, or one from before the process was started.
    public func heard(_ write: Write) {
        let isNews = state.withLock { $0.pending.logged(write) }
        if !isNews { return }
        // What is older is dropped and no load that is under way may bring it back, before anyone can miss it here.
        cache.invalidate(write.key, version: write.place)
        cache.set(write.key, to: Loaded(write.value, version: write.place))
        tell.yield()
    }

    /// The value of a key: what was written last, cached or not, else what is cached, else what the source has.
    public func value(_ key: Key, load: @Sendable (Key) async throws -> Loaded<Value>) async throws -> Value? {
        if let write = state.withLock({ $0.pending.pending(key) }) { return write.value }
        let value = try await cache.value(key, load: load)
        // A change that came while the source was asked is newer than its answer.
        if let write = state.withLock({ $0.pending.pending(key) }) { return write.value }
        return value
    }

    /// Brings one batch into the source.
    ///
    /// - Returns: how many changes that were; 0 where there is nothing to do.
    @discardableResult
    public func flush(atMost count: Int = 1_024) async throws -> Int {
        let batch = state.withLock { $0.pending.next(atMost: max(1, count)) }
        if batch.isEmpty { return 0 }
        do {
            try await apply(batch)
        } catch {
            state.withLock { $0.pending.failed(batch) }
            throw error
        }
        state.withLock { $0.pending.applied(batch) }
        return batch.count
    }

    /// Brings changes into the source as they come, until it is cancelled.
    ///
    /// - Parameter retry: Waits before a batch that failed is tried again, and is told with what it failed.
    public func run(retry: @escaping @Sendable (any Error) async throws -> Void) async throws {
        tell.yield()
        for await _ in news {
            while true {
                do {
                    if try await flush() == 0 { break }
                } catch is CancellationError {
                    return
                } catch {
                    try await retry(error)
                }
            }
        }
    }
}

/// So many keys are ahead of the source that no more are taken: try again when it has come after.
public struct WriteBehindFull: Error, Sendable, Hashable, CustomStringConvertible {
    public let limit: Int
    public var description: String {
        "\(limit) keys are ahead of the source already; try again when it has come after"
    }
}
