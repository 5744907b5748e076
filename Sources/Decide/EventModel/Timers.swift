internal import HeapModule

/// The next due moment of each key, soonest first; outdated entries are passed over when they surface.
struct Timers {
    private struct Entry: Comparable {
        var due: Timestamp
        var key: Bytes
        static func < (a: Entry, b: Entry) -> Bool {
            a.due != b.due ? a.due < b.due : a.key.slice.lexicographicallyPrecedes(b.key.slice)
        }
    }

    private var current: [Bytes: Timestamp] = [:]
    private var heap: Heap<Entry> = []

    mutating func set(_ key: Bytes, due: Timestamp?) {
        guard current[key] != due else { return }
        current[key] = due
        if let due { heap.insert(Entry(due: due, key: key)) }
    }

    /// When the soonest is due; an outdated entry can make it too early, never too late.
    var next: Timestamp? { current.isEmpty ? nil : heap.min?.due }

    /// Takes out the keys that are due, each once.
    mutating func pop(by now: Timestamp) -> [Bytes] {
        var keys: [Bytes] = []
        while let first = heap.min, first.due <= now {
            heap.removeMin()
            if current[first.key] == first.due {
                current[first.key] = nil
                keys.append(first.key)
            }
        }
        return keys
    }
}
