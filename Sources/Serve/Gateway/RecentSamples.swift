internal import Synchronization

/// The last sample of something that is counted, for some time, and one before it that rates are told from.
final class RecentSamples<Seen: Sendable>: Sendable {
    /// How long a sample is taken for true: to take one costs.
    private let fresh = Duration.milliseconds(500)
    /// A sample before that rates are told from is at least so old.
    private let span = Duration.seconds(2)

    private struct Sample: Sendable {
        var at: ContinuousClock.Instant
        var seen: [Seen]
        var counts: [String: Int64]
    }
    private let samples = Mutex<(before: Sample?, last: Sample?)>((nil, nil))

    /// The last sample; nil where there is none that is young enough.
    var last: [Seen]? {
        samples.withLock { samples in
            samples.last.flatMap { .now - $0.at < fresh ? $0.seen : nil }
        }
    }

    /// Keeps a sample.
    ///
    /// - Parameter counts: What only grows, by name.
    /// - Parameter seen: What is seen, told how much a second each count has grown since a sample before; nil where there is none.
    func keep(
        _ counts: [String: Int64], _ seen: (_ rate: (_ name: String) -> Int?) throws -> [Seen]
    ) rethrows -> [Seen] {
        let at = ContinuousClock.now
        return try samples.withLock { samples in
            if let last = samples.last, samples.before.map({ last.at - $0.at >= span }) ?? true {
                samples.before = last
            }
            let before = samples.before
            let all = try seen { name in
                guard let before, at > before.at, let was = before.counts[name] else { return nil }
                let more = max(0, (counts[name] ?? 0) - was)
                return Int((Double(more) / ((at - before.at) / .seconds(1))).rounded())
            }
            samples.last = Sample(at: at, seen: all, counts: counts)
            return all
        }
    }
}
