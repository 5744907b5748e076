internal import EventModel
internal import MillraceBus
internal import Synchronization

/// Queries that could not be answered on the thread that reads the connection, or held it up: for a moment they go the long way.
final class LongQueries: Sendable {
    /// What is known of one query.
    final class Query: Sendable {
        private static let start = ContinuousClock.now
        /// Nanoseconds after the start.
        private let until = Atomic<Int64>(0)
        private let suspected = Atomic(false)

        /// Whether it goes the long way now.
        func isLong(at now: ContinuousClock.Instant) -> Bool {
            let end = until.load(ordering: .relaxed)
            return end > 0 && Self.nanoseconds(now) < end
        }

        func add(at now: ContinuousClock.Instant = .now) {
            until.store(max(1, Self.nanoseconds(now + GatewayLimits.longQuery)), ordering: .relaxed)
        }

        /// Whether it took long by the clock: then what it takes of a processor is looked at.
        ///
        /// To look costs as much as to read a row, and whoever takes no longer by the clock takes no more of a processor.
        var isSuspected: Bool {
            get { suspected.load(ordering: .relaxed) }
            set { if newValue != isSuspected { suspected.store(newValue, ordering: .relaxed) } }
        }

        private static func nanoseconds(_ now: ContinuousClock.Instant) -> Int64 {
            Int64((now - start) / .nanoseconds(1))
        }
    }
    private let known = Mutex<[String: Query]>([:])

    /// - Parameter name: Of a query that there is, so that there are no more than those.
    func query(_ name: String) -> Query {
        known.withLock { known in
            if let query = known[name] { return query }
            let query = Query()
            known[name] = query
            return query
        }
    }
}

/// How far views have come, as JSON: the last that was said of each, for many answers show the same.
final class ShownOffsets: Sendable {
    private let last = Mutex<[String: (offsets: [TopicPartition: Offset], text: String)]>([:])

    func text(of offsets: [TopicPartition: Offset], _ projection: String) -> String {
        if let last = last.withLock({ $0[projection] }), last.offsets == offsets { return last.text }
        let text = JSON.offsets(offsets)
        last.withLock { $0[projection] = (offsets, text) }
        return text
    }
}
