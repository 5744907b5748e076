/// When a process looks around though nothing has woken it.
///
/// Looks of all its workers fall on the same moments, so that a process with nothing to do wakes once for all of them: each
/// waking of a sleeping processor costs more than a look.
public enum Beat {
    private static let origin = ContinuousClock.now

    /// How long it is until the next moment that is a multiple of `interval` after the first look of the process; more than
    /// zero and at most `interval`.
    public static func next(_ interval: Duration, after now: ContinuousClock.Instant = .now) -> Duration {
        let whole = interval / .nanoseconds(1)
        let passed = ((now - origin) / .nanoseconds(1)).truncatingRemainder(dividingBy: whole)
        return .nanoseconds(Int64(whole - (passed < 0 ? passed + whole : passed)))
    }
}
