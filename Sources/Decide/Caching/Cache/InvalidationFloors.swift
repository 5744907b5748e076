/// The versions below which nothing may be cached any more, each remembered for a time: a source that lags, or a load that began
/// earlier, may still bring what is older.
///
/// A value with a bound. Where more come than it may remember, the oldest is forgotten by name but not in effect: until its time is over,
/// whatever is not newer than it is refused for every key. So a stale value never gets in, and at worst a good one has to be loaded again.
struct InvalidationFloors<Key: Hashable & Sendable>: Sendable {
    private struct Floor: Sendable {
        var version: UInt64
        var until: Int64
    }

    private let limit: Int
    private let memory: Int64
    private var floors: [Key: Floor] = [:]
    /// In the order of their times; what is no longer so is skipped.
    private var order: [(key: Key, until: Int64)] = []
    private var head = 0
    private var barrier = Floor(version: 0, until: .min)

    init(limit: Int, memory: Int64) {
        (self.limit, self.memory) = (max(1, limit), max(0, memory))
    }

    var count: Int { floors.count }
    /// What is kept of their order, those that were raised again since among them.
    var kept: Int { order.count }

    /// The least version of a key that may be cached.
    func least(_ key: Key, at now: Int64) -> UInt64 {
        let own = floors[key].map { $0.until > now ? $0.version : 0 } ?? 0
        // What was forgotten may have been this key's: only what is newer than all of that is good for sure.
        let all = barrier.until > now ? barrier.version : 0
        return max(own, all)
    }

    mutating func raise(_ key: Key, to version: UInt64, at now: Int64) {
        forget(at: now)
        let until = now.addingSaturated(memory)
        let known = floors[key]
        floors[key] = Floor(version: max(version, known?.version ?? 0), until: until)
        if known?.until != until { order.append((key, until)) }
        while floors.count > limit { forgetOldest(at: now) }
        // Half of it and more is over, or was raised again since.
        if order.count > 64 && order.count > 2 * floors.count {
            order = order[head...].filter { floors[$0.key]?.until == $0.until }
            head = 0
        }
    }

    private mutating func forget(at now: Int64) {
        while head < order.count, order[head].until <= now {
            let (key, until) = order[head]
            if floors[key]?.until == until { floors[key] = nil }
            head += 1
        }
    }

    private mutating func forgetOldest(at now: Int64) {
        while head < order.count {
            let (key, until) = order[head]
            head += 1
            guard let floor = floors[key], floor.until == until else { continue }
            floors[key] = nil
            barrier = Floor(version: max(barrier.until > now ? barrier.version : 0, floor.version), until: until)
            return
        }
    }
}

extension Int64 {
    func addingSaturated(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? (other > 0 ? .max : .min) : sum
    }
}

extension Duration {
    /// In nanoseconds, as far as they go.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds > 0 ? .max : .min) : whole.addingSaturated(attoseconds / 1_000_000_000)
    }
}
