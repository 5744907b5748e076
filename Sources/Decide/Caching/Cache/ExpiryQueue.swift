/// Which entries are over when: a heap by time. An entry that is written anew leaves its old place behind; when most places are such, they
/// are swept, so the queue stays in proportion to the entries.
struct ExpiryQueue: Sendable {
    private struct Item: Sendable {
        var at: Int64
        var key: UInt64
    }

    private var heap: [Item] = []
    private var times: [UInt64: Int64] = [:]

    var count: Int { times.count }
    /// How many places are taken, those left behind included.
    var places: Int { heap.count }

    mutating func set(_ key: UInt64, at time: Int64) {
        guard times[key] != time else { return }
        times[key] = time
        push(Item(at: time, key: key))
        if heap.count > 64 && heap.count > 2 * times.count { sweep() }
    }

    mutating func remove(_ key: UInt64) { times[key] = nil }

    /// The next one that is over by now.
    mutating func next(by now: Int64) -> UInt64? {
        while let top = heap.first, top.at <= now {
            pop()
            guard times[top.key] == top.at else { continue }
            times[top.key] = nil
            return top.key
        }
        return nil
    }

    private mutating func sweep() {
        heap = times.map { Item(at: $0.value, key: $0.key) }.sorted { ($0.at, $0.key) < ($1.at, $1.key) }
    }

    private mutating func push(_ item: Item) {
        heap.append(item)
        var child = heap.count - 1
        while child > 0, case let parent = (child - 1) / 2, heap[child].at < heap[parent].at {
            heap.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func pop() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        var parent = 0
        while case var child = 2 * parent + 1, child < heap.count {
            if child + 1 < heap.count, heap[child + 1].at < heap[child].at { child += 1 }
            guard heap[child].at < last.at else { break }
            heap[parent] = heap[child]
            parent = child
        }
        heap[parent] = last
    }
}
