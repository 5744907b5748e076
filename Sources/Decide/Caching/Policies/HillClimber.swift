/// How large a window should be, by trying: it goes on as long as more requests hit, and turns back when fewer do. Steps become smaller
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
