internal import EventLog
internal import EventModel
internal import Synchronization

/// Counts what may have changed in groups, so that a member looks at the tables of its group only when it has to.
final class GroupChanges: Sendable {
    struct Version: Hashable, Sendable {
        /// Others have written, or may have.
        var heard: UInt64
        /// What is known to be of this group.
        var own: UInt64
    }
    private struct State {
        var heard: UInt64 = 0
        var own: [String: UInt64] = [:]
    }
    private let state = Mutex(State())

    /// The members of which group have changed; nil where any may have.
    func note(_ group: String?) {
        state.withLock { state in
            if let group { state.own[group, default: 0] += 1 } else { state.heard += 1 }
        }
    }

    func version(of group: String) -> Version {
        state.withLock { Version(heard: $0.heard, own: $0.own[group] ?? 0) }
    }

    /// What stands for a group among the partitions that a wait is for. No topic has this name.
    static func mark(of group: String) -> TopicPartition { TopicPartition("\u{0}\(group)", 0) }
}
