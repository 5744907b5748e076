/// The best that any policy can do that takes in what was asked for: who is asked for again last goes first (Belady, IBM Systems
/// Journal 1966; Mattson and others 1970). It has to know the future, so it is told all requests, and must then be given them in that
/// order. All entries weigh one: with weights the best is NP-hard.
public struct Belady: EvictionPolicy {
    /// Not asked for again.
    private static let never = UInt32.max

    public let capacity: Int
    public private(set) var count = 0
    public var weight: Int { count }
    private let trace: Trace
    /// For each request, when the same key is asked for next.
    private let next: [UInt32]
    private var position = 0
    /// For each key, when it is asked for next, where it is held.
    private var due: [UInt32?]
    /// When and which, the last on top. What is no longer so is skipped.
    private var order: [UInt64] = []

    public init(capacity: Int, of trace: Trace) {
        self.capacity = max(0, capacity)
        self.trace = trace
        due = Array(repeating: nil, count: trace.distinct)
        var last = [UInt32](repeating: Self.never, count: trace.distinct)
        var next = [UInt32](repeating: Self.never, count: trace.keys.count)
        for i in trace.keys.indices.reversed() {
            let key = Int(trace.keys[i])
            next[i] = last[key]
            last[key] = UInt32(i)
        }
        self.next = next
    }

    public func weight(of key: UInt64) -> Int? { key < due.count && due[Int(key)] != nil ? 1 : nil }

    public mutating func touch(_ key: UInt64) -> Bool {
        precondition(
            position < trace.keys.count && UInt64(trace.keys[position]) == key, "not the request that was foretold")
        guard due[Int(key)] != nil else { return false }
        remember(key)
        return true
    }

    public mutating func admit(_ key: UInt64, weight: Int, evicting: (UInt64) -> Void) {
        guard capacity > 0 else {
            position += 1
            return evicting(key)
        }
        if count == capacity { evicting(evict()) }
        count += 1
        remember(key)
    }

    @discardableResult
    public mutating func remove(_ key: UInt64) -> Bool {
        guard holds(key) else { return false }
        due[Int(key)] = nil
        count -= 1
        return true
    }

    private mutating func remember(_ key: UInt64) {
        let at = next[position]
        due[Int(key)] = at
        push(UInt64(at) << 32 | key)
        position += 1
    }

    private mutating func evict() -> UInt64 {
        while true {
            let top = pop()
            let key = top & 0xFFFF_FFFF
            guard due[Int(key)] == UInt32(truncatingIfNeeded: top >> 32) else { continue }
            due[Int(key)] = nil
            count -= 1
            return key
        }
    }

    private mutating func push(_ item: UInt64) {
        order.append(item)
        var child = order.count - 1
        while child > 0, case let parent = (child - 1) / 2, order[parent] < order[child] {
            order.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func pop() -> UInt64 {
        let top = order[0]
        let last = order.removeLast()
        guard !order.isEmpty else { return top }
        var parent = 0
        while case var child = 2 * parent + 1, child < order.count {
            if child + 1 < order.count, order[child + 1] > order[child] { child += 1 }
            guard order[child] > last else { break }
            order[parent] = order[child]
            parent = child
        }
        order[parent] = last
        return top
    }
}
