internal import Synchronization

/// Makes a worker look up from its wait: it is to stop, or something is asked of it.
public final class Wake: Sendable {
    private let member = Mutex<(any GroupMember)?>(nil)

    public init() {}

    /// A worker that is at work looks up before it next waits.
    public func ring() {
        // Under the lock, so that no member is woken that has left.
        member.withLock { $0?.wake() }
    }

    /// Whose wait it is now, nil for nobody's.
    func attend(_ other: (any GroupMember)?) { member.withLock { $0 = other } }
}
