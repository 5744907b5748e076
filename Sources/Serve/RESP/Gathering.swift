/// When changes that wait are appended to the log: at once where none is under way, else when as many wait as are under way, or when
/// the first has waited for ``longest``. Each append is a commit, whose cost its changes share.
///
/// It is Nagle's algorithm (RFC 896) with a bound of time, and counted in changes instead of bytes.
struct Gathering {
    /// About what a commit and its decisions take.
    static let longest = Duration.milliseconds(2)

    /// When the first of those that wait came; nil where none waits.
    private(set) var since: ContinuousClock.Instant?

    mutating func came(at now: ContinuousClock.Instant) { since = since ?? now }
    mutating func taken(all: Bool, at now: ContinuousClock.Instant) { since = all ? nil : now }

    /// Whether so many are enough.
    static func isEnough(waiting: Int, underWay: Int) -> Bool { waiting > 0 && waiting >= underWay }

    /// How long to wait yet; zero is not at all.
    func pause(waiting: Int, underWay: Int, at now: ContinuousClock.Instant) -> Duration {
        if Self.isEnough(waiting: waiting, underWay: underWay) { return .zero }
        return since.map { max(.zero, Self.longest - (now - $0)) } ?? .zero
    }
}
