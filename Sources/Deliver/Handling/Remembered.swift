internal import EventModel

/// The commands of one partition that have been answered, by id: where each outcome stands, so that it can be read again.
/// With a checkpoint, only those that it has not yet.
final class Remembered {
    struct Entry: Sendable, Hashable {
        var digest: UInt64
        var outcome: Offset
        var time: Timestamp
    }
    private var entries: [String: Entry] = [:]
    private var order: [String] = []
    private var forgotten = 0

    subscript(id: String) -> Entry? { entries[id] }

    func add(_ id: String, _ entry: Entry) {
        if entries.updateValue(entry, forKey: id) == nil { order.append(id) }
    }

    /// Forgets what is past the topic's retention, oldest first.
    func forget(before cutoff: Timestamp) {
        while forgotten < order.count, let entry = entries[order[forgotten]], entry.time < cutoff { forget(1) }
    }

    /// Forgets the oldest.
    func forget(_ count: Int) {
        for id in order[forgotten..<forgotten + count] { entries[id] = nil }
        forgotten += count
        if forgotten > 1024, forgotten > order.count / 2 {
            order.removeFirst(forgotten)
            forgotten = 0
        }
    }

    /// All of them, oldest first.
    var all: [(id: String, entry: Entry)] {
        order[forgotten...].compactMap { id in entries[id].map { (id, $0) } }
    }
}
