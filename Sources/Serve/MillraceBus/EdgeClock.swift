package import EventModel
internal import Foundation
internal import Synchronization

/// The clock of the edges; deciders and folds only ever see records' times.
package func now() -> Timestamp {
    Timestamp(
        Int64((Date().timeIntervalSince1970 * 1000).rounded(.down)) + EdgeClock.correction.load(ordering: .relaxed))
}

/// What this process's clock is to be corrected by, where the log knows better what time it is on this machine.
package enum EdgeClock {
    fileprivate static let correction = Atomic<Int64>(0)

    package static func correct(by correction: Duration) {
        self.correction.store(correction.milliseconds, ordering: .relaxed)
    }
}
