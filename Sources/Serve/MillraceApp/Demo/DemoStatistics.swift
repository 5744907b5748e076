internal import Handling
internal import Histogram
internal import Synchronization

/// What a demo's actors have done so far.
final class DemoStatistics: Sendable {
    struct Counts: Sendable {
        var accepted = 0
        var refused = 0
        /// Facts appended without a decision, by their name.
        var facts: [String: Int] = [:]
        /// Microseconds from send to outcome, of each command.
        var waits = Histogram<UInt64>(
            lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: .three)

        var decided: Int { accepted + refused }
        /// In milliseconds.
        func wait(_ percentile: Double) -> Double { Double(waits.valueAtPercentile(percentile)) / 1000 }
    }
    private let counted = Mutex(Counts())
    var counts: Counts { counted.withLock { $0 } }

    func note(_ outcomes: [Outcome], after wait: Duration) {
        let microseconds = UInt64(max(0, wait / .microseconds(1)))
        let accepted = outcomes.count { $0.accepted }
        counted.withLock { counts in
            counts.accepted += accepted
            counts.refused += outcomes.count - accepted
            _ = counts.waits.record(microseconds, count: UInt64(outcomes.count))
        }
    }

    func note(facts: [String: Int]) { counted.withLock { $0.facts.merge(facts, uniquingKeysWith: +) } }

    /// How far it has come, in a line.
    var words: String {
        counted.withLock { counts in
            let facts = counts.facts.values.reduce(0, +)
            return "\(counts.decided) commands decided, \(counts.refused) of them refused; \(facts) facts"
        }
    }
}
