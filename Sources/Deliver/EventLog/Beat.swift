/// When a process looks around though nothing has woken it.
///
/// Looks of all its workers fall on the same moments, so that a process with nothing to do wakes once for all of them: each
/// waking of a sleeping processor costs more than a look.
public enum Beat {
    private static let second = Duration.seconds(1)
    private static let origin = ContinuousClock.now

    /// How long to wait at most so that the wait ends on a whole second, counted from the first look of the process.
    ///
    /// - Returns: more than zero and at most `limit`: that of the last whole second within it. A limit that is under a second, as where
    ///   something is due, stays as it is.
    public static func within(_ limit: Duration, from now: ContinuousClock.Instant = .now) -> Duration {
        if limit < second { return limit }
        let end = (now + limit - origin) / .nanoseconds(1)
        let over = end.truncatingRemainder(dividingBy: second / .nanoseconds(1))
        return limit - .nanoseconds(Int64(over < 0 ? over + 1e9 : over))
    }
}
