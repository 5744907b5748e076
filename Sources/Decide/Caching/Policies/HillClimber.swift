/// How large a window should be, by trying, as Caffeine does: it goes on as long as more requests hit, and turns back when fewer do. Steps become smaller
/// until the share of hits changes by a lot (Einziger, Eytan, Friedman and Manes, "Adaptive Software Cache Management", Middleware 2018;
/// the numbers are those of Caffeine).
struct HillClimber: Sendable {
    /// The first step, as a share of the capacity.
    static let firstStep = 0.0625
    static let decay = 0.98
    /// A change of the share of hits by so much begins anew with the first step.
    static let restart = 0.05

    private let capacity: Int
    private var step: Double
    private var hits = 0
    private var requests = 0
    private var previous = 0.0

    init(capacity: Int) {
        self.capacity = capacity
        // The window is small at first, but what is tried first is smaller still, as Caffeine does.
        step = -Self.firstStep * Double(capacity)
    }

    /// One request; by how much the window is to be larger then, for most none.
    @inline(__always)
    mutating func count(isHit: Bool, sample: Int) -> Int {
        requests += 1
        if isHit { hits += 1 }
        return requests >= sample ? adjust() : 0
    }

    private mutating func adjust() -> Int {
        let share = Double(hits) / Double(requests)
        let change = share - previous
        let amount = change >= 0 ? step : -step
        step =
            abs(change) >= Self.restart
            ? Self.firstStep * Double(capacity) * (amount >= 0 ? 1 : -1) : Self.decay * amount
        (previous, hits, requests) = (share, 0, 0)
        return Int(amount)
    }
}

/// How large a window should be, by measuring the slope on both sides before a step: who was sent away by admission and is asked for
/// again soon would have been a hit in a larger window; what the part on probation hits is the most that a smaller main part could lose.
/// A step goes where a place is worth more. It needs no detour, so it may look more often than a climb that has to try.
struct SlopeMeter: Sendable {
    /// One look after so many requests for each place.
    static let requestsForEach = 1
    static let step = 0.02
    /// How many are remembered that were sent away, as a share of the capacity.
    static let ghostShare = 0.0625

    private let sample: Int
    private let stepSize: Int
    private var requests = 0
    private(set) var ghostHits = 0
    private(set) var probationHits = 0

    init(capacity: Int) {
        sample = max(1, capacity * Self.requestsForEach)
        stepSize = max(1, Int(Self.step * Double(capacity)))
    }

    mutating func ghostHit() { ghostHits += 1 }
    mutating func probationHit() { probationHits += 1 }

    /// One request; by how much the window is to be larger then, for most none.
    @inline(__always)
    mutating func count(ghosts: Int, probation: Int) -> Int {
        requests += 1
        guard requests >= sample else { return 0 }
        let larger = Double(ghostHits) / Double(max(1, ghosts))
        let smaller = Double(probationHits) / Double(max(1, probation))
        (requests, ghostHits, probationHits) = (0, 0, 0)
        return larger > smaller ? stepSize : smaller > larger ? -stepSize : 0
    }
}
