internal import EventModel
internal import MillraceBus
internal import Synchronization

/// Queries that could not be answered on the thread that reads the connection, or held it up: for a moment they go the long way.
final class LongQueries: Sendable {
    private let until = Mutex<[String: ContinuousClock.Instant]>([:])

    func has(_ name: String, at now: ContinuousClock.Instant = .now) -> Bool {
        until.withLock { until in
            guard let end = until[name] else { return false }
            if end <= now { until[name] = nil }
            return end > now
        }
    }

    /// - Parameter name: Of a query that there is, so that there are no more than those.
    func add(_ name: String, at now: ContinuousClock.Instant = .now) {
        until.withLock { $0[name] = now + GatewayLimits.longQuery }
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
