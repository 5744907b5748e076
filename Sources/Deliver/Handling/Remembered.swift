internal import EventModel

/// The commands of one partition that have been answered, by key and id: where each outcome stands, so that it can be read again.
/// With a checkpoint, only those that it has not yet.
final class Remembered {
    struct Entry: Sendable, Hashable {
        var digest: UInt64
        var outcome: Offset
        var time: Timestamp
    }
    private var entries: [KeyedID: Entry] = [:]
    /// In the order in which they came. One that was decided anew has come again, and its older place counts no more.
    private var order: [(id: KeyedID, outcome: Offset)] = []
    private var forgotten = 0

    subscript(id: KeyedID) -> Entry? { entries[id] }

    func add(_ id: KeyedID, _ entry: Entry) {
        let old = entries.updateValue(entry, forKey: id)
        if old?.outcome != entry.outcome { order.append((id, entry.outcome)) }
    }

    /// Forgets what is past the topic's retention, oldest first.
    func forget(before cutoff: Timestamp) {
        while forgotten < order.count, (current(order[forgotten])?.time).map({ $0 < cutoff }) ?? true { forget(1) }
    }

    /// Forgets the oldest.
    func forget(_ count: Int) {
        for place in order[forgotten..<forgotten + count] where current(place) != nil { entries[place.id] = nil }
        forgotten += count
        if forgotten > 1024, forgotten > order.count / 2 {
            order.removeFirst(forgotten)
            forgotten = 0
        }
    }

    private func current(_ place: (id: KeyedID, outcome: Offset)) -> Entry? {
        entries[place.id].flatMap { $0.outcome == place.outcome ? $0 : nil }
    }

    /// How many have come and are not forgotten.
    var count: Int { order.count - forgotten }

    /// All of them, oldest first.
    var all: [(id: KeyedID, entry: Entry)] {
        order[forgotten...].compactMap { place in current(place).map { (place.id, $0) } }
    }
}
