internal import EventModel

/// The commands of one partition that have been answered, by id: where each outcome stands, so that it can be read again.
struct Remembered {
    struct Entry {
        var digest: UInt64
        var outcome: Offset
    }
    private var entries: [String: Entry] = [:]
    private var ages: [(time: Timestamp, id: String)] = []
    private var forgotten = 0

    subscript(id: String) -> Entry? { entries[id] }

    mutating func add(_ id: String, _ entry: Entry, at time: Timestamp) {
        if entries.updateValue(entry, forKey: id) == nil { ages.append((time, id)) }
    }

    /// Forgets what is past the topic's retention, oldest first.
    mutating func forget(before cutoff: Timestamp) {
        while forgotten < ages.count, ages[forgotten].time < cutoff {
            entries[ages[forgotten].id] = nil
            forgotten += 1
        }
        if forgotten > 1024, forgotten > ages.count / 2 {
            ages.removeFirst(forgotten)
            forgotten = 0
        }
    }
}
