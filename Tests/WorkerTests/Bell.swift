import EventModel
import Projecting
import Synchronization

/// What should have come and did not.
struct Overdue: Error, CustomStringConvertible {
    let description: String
}

/// Wakes whoever waits for a condition whenever something has changed; a suite's time limit ends the waiting.
final class Bell: Sendable {
    private let waiting = Mutex<[AsyncStream<Void>.Continuation]>([])

    func ring() { for waiter in waiting.withLock({ $0 }) { waiter.yield() } }

    /// Returns once the condition holds; it is looked at now and after every ring.
    func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        let (rings, waiter) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        waiting.withLock { $0.append(waiter) }
        if try await condition() { return }
        for await _ in rings where try await condition() { return }
        throw Overdue(description: "the time was over before \(what)")
    }
}

/// Views that ring after each commit.
struct WatchedViews: ViewStore {
    let store: any ViewStore
    let bell = Bell()

    init(_ store: any ViewStore) { self.store = store }

    func open(_ projection: AnyProjection) async throws { try await store.open(projection) }
    func claim(
        _ projection: AnyProjection, _ partitions: [TopicPartition], owner: String
    ) async throws -> [TopicPartition: Claim] {
        try await store.claim(projection, partitions, owner: owner)
    }
    func commit(
        _ projection: AnyProjection, to offsets: [TopicPartition: Offset], under epochs: [TopicPartition: Epoch],
        fold: @escaping @Sendable (ViewBatch) throws -> Void
    ) async throws {
        try await store.commit(projection, to: offsets, under: epochs, fold: fold)
        bell.ring()
    }
    func read<R: Sendable>(
        _ projection: AnyProjection,
        _ body: @escaping @Sendable (_ reader: any ViewReader, _ asOf: [TopicPartition: Offset]) throws -> R
    ) async throws -> R {
        try await store.read(projection, body)
    }
    func snapshot(_ projection: AnyProjection) async throws -> any ViewSnapshot {
        try await store.snapshot(projection)
    }
    func builds(of projection: AnyProjection) async throws -> Builds { try await store.builds(of: projection) }
    func enliven(_ build: Int, of projection: AnyProjection) async throws {
        try await store.enliven(build, of: projection)
    }
    func hold(_ projection: AnyProjection, for time: Duration) async throws {
        try await store.hold(projection, for: time)
    }
    func discard(_ build: Int, of projection: AnyProjection) async throws {
        try await store.discard(build, of: projection)
    }
    func close() async { await store.close() }
}
