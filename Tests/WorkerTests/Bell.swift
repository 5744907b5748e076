import EventModel
import Projecting
import Synchronization
import TestSupport

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
struct WatchedViews: WrappedViews {
    let views: any ViewStore
    let bell = Bell()

    init(_ views: any ViewStore) { self.views = views }

    func commit(
        _ tables: any StoredTables, to offsets: [TopicPartition: Offset], under epochs: [TopicPartition: Epoch],
        fold: @escaping @Sendable (ViewBatch) throws -> Void
    ) async throws {
        try await views.commit(tables, to: offsets, under: epochs, fold: fold)
        bell.ring()
    }
}
