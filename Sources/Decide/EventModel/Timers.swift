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
    /// What was taken out, so that the same moment is not given again when its state is loaded anew.
    private var taken: [Bytes: Timestamp] = [:]
    private var heap: Heap<Entry> = []

    mutating func set(_ key: Bytes, due: Timestamp?) {
        taken[key] = nil
        guard current[key] != due else { return }
        current[key] = due
        if let due { heap.insert(Entry(due: due, key: key)) }
        sweep()
    }

    /// Sets a timer that was written down before, unless it has been taken out since.
    mutating func restore(_ key: Bytes, due: Timestamp?) {
        if let due, taken[key] == due { return }
        set(key, due: due)
    }

    /// Leaves a timer to whoever has it written down, where it is due after a moment.
    mutating func forget(_ key: Bytes, dueAfter horizon: Timestamp) {
        guard let due = current[key], due > horizon else { return }
        current[key] = nil
        sweep()
    }

    /// Outdated entries are at most as many as those that count, and some.
    private mutating func sweep() {
        if heap.count <= 2 * current.count + 1024 { return }
        heap = Heap(current.map { Entry(due: $1, key: $0) })
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
                taken[first.key] = first.due
                keys.append(first.key)
            }
        }
        return keys
    }
}
