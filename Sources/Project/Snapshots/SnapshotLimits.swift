/// How many snapshots there are of a view, how far apart, and what they may cost.
///
/// Of each build at most ``kept``, closer together the younger they are: one that is `a` events old lies within a part of
/// `a` of the next one, so that the newest events are near a snapshot and old ones not too far from one.
public struct SnapshotLimits: Sendable, Hashable {
    /// Events between two snapshots.
    public var every: Int64 = 100_000
    /// Snapshots of one build.
    public var kept = 24
    /// Bytes of all snapshots of one build; two may be more.
    public var bytes: Int64 = 4 << 30
    /// Bytes that must be free on the device beside what a snapshot takes.
    public var room: Int64 = 512 << 20
    /// The pause after a snapshot is so many times as long as it took.
    public var rest = 20
    /// How often a view is looked at.
    public var look = Duration.seconds(1)
    /// How many times longer it is left alone, at most, where nothing was folded since the last look.
    public var idle = 12
    /// The pause after a snapshot that failed.
    public var retry = Duration.seconds(60)

    /// Whether any are kept.
    public var isOn: Bool { every > 0 && kept > 0 }

    public init() {}

    /// Whether a view that shows so many events is to have another snapshot beside those at these counts.
    func isDue(at events: Int64, beside others: some Sequence<Int64>) -> Bool {
        // Those that are ahead are of a view that was folded further, and none of this one's past.
        events - (others.filter { $0 <= events }.max() ?? 0) >= every
    }

    /// Which snapshots go: those whose going leaves the smallest gap for their age, until the rest is within the limits.
    ///
    /// - Parameter snapshots: Their events and bytes, from the oldest to the newest, which stays.
    /// - Returns: their positions.
    func surplus(_ snapshots: [(events: Int64, bytes: Int64)]) -> [Int] {
        var left = Array(snapshots.enumerated())
        var gone: [Int] = []
        guard let head = snapshots.last?.events else { return [] }
        while left.count > max(1, kept) || (left.count > 2 && left.reduce(0) { $0 + $1.element.bytes } > bytes) {
            // The gap that would be there, from the one before or the log's start, for the age of the one after.
            func gap(_ i: Int) -> Double {
                let before = i == 0 ? 0 : left[i - 1].element.events
                let after = left[i + 1].element.events
                return Double(after - before) / Double(head - after + max(1, every))
            }
            guard let least = (0..<left.count - 1).min(by: { gap($0) < gap($1) }) else { break }
            gone.append(left.remove(at: least).offset)
        }
        return gone.sorted()
    }
}
