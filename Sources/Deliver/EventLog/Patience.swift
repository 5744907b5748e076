/// How long a worker waits for a log that does not answer, and who is told.
///
/// A broker that dies takes with it the leaders and coordinators that it had, until others have their places. A worker waits
/// for them as long as this says; a command that somebody waits for does not.
public struct Patience: Sendable {
    public var limit: Duration
    /// Tells people, in a line, that something is waited for or goes on.
    public var tell: @Sendable (String) -> Void

    public init(_ limit: Duration, tell: @escaping @Sendable (String) -> Void = { _ in }) {
        (self.limit, self.tell) = (limit, tell)
    }
    /// For logs that are on this machine: there is nobody to wait for.
    public static let none = Patience(.zero)
}

extension LogError {
    /// Whether it may be over by itself: a broker is away, or takes no connection just now.
    public var mayPass: Bool { kind == .unreachable || kind == .refused }
}

/// Trouble with a log that lasts until some work has been done again: a value, for one task.
public struct Trouble: Sendable {
    /// How long a worker rests between two tries.
    public static let rest = Duration.milliseconds(500)

    /// Errors that are further apart are two troubles.
    static let apart = Duration.seconds(120)

    private let patience: Patience
    private var since: ContinuousClock.Instant?
    private var last: ContinuousClock.Instant?

    public init(_ patience: Patience) { self.patience = patience }

    /// Says whether to try again after an error, and tells people of the first.
    public mutating func bears(_ error: LogError, of name: String, at now: ContinuousClock.Instant = .now) -> Bool {
        guard error.mayPass, patience.limit > .zero else { return false }
        if let last, now - last > Self.apart + error.waited { since = nil }
        // What was waited before the error counts too.
        let (isFirst, began) = (since == nil, min(since ?? now, now - error.waited))
        (since, last) = (began, now)
        if now - began >= patience.limit { return false }
        if isFirst {
            patience.tell("\(name) waits for the log, for \(patience.limit.inWords) at most: \(error.message)")
        }
        return true
    }

    /// Something was done.
    public mutating func passed(_ name: String, at now: ContinuousClock.Instant = .now) {
        guard let since = since.take() else { return }
        last = nil
        patience.tell("\(name) goes on after \((now - since).inWords)")
    }
}

extension Duration {
    /// As people say it: 250 ms, 12 s, 5 min.
    public var inWords: String {
        let ms = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        if ms < 1000 { return "\(ms) ms" }
        return ms % 60_000 == 0 ? "\(ms / 60_000) min" : "\(ms / 1000) s"
    }
}
