internal import EventLog
internal import EventModel

/// Commands that nobody's task waits for, until they go to the log together.
struct PostedCommands: Sendable {
    /// Commands of one append, and bytes of their keys and values, about.
    static let most = 4096
    static let bytes = 1 << 20

    struct One: Sendable {
        var topic: String
        var partitions: Int
        var id: String
        var record: NewRecord
        var reply: Reply
    }
    private var waiting: [One] = []

    mutating func add(_ one: One) { waiting.append(one) }

    /// What goes next: those that came first.
    mutating func take() -> [One] {
        var (count, size) = (0, 0)
        for one in waiting.prefix(Self.most) {
            count += 1
            size += one.record.key.count + one.record.value.count
            if size >= Self.bytes { break }
        }
        if count == waiting.count {
            defer { waiting = [] }
            return waiting
        }
        defer { waiting.removeFirst(count) }
        return Array(waiting.prefix(count))
    }
}

extension [PostedCommands.One] {
    /// By their topics' partitions, in their order.
    var appends: [Append] {
        Dictionary(grouping: self, by: \.topic).flatMap { topic, all in
            Append.byKey(all.map(\.record), to: topic, among: all[0].partitions)
        }
    }
}
