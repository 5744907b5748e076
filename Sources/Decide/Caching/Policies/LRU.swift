/// Least recently used goes first.
public struct LRU: EvictionPolicy {
    public let capacity: Int
    private var table: EntryTable
    private var recency = EntryList()

    public init(capacity: Int) {
        self.capacity = max(0, capacity)
        table = EntryTable(expecting: capacity)
    }

    public var count: Int { recency.count }
    public var weight: Int { recency.weight }
    public func weight(of key: UInt64) -> Int? { table.weight(of: key) }

    public mutating func touch(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none else { return false }
        table.moveToFront(slot, of: &recency)
        return true
    }

    public mutating func admit(_ key: UInt64, weight: Int, evicting: (UInt64) -> Void) {
        let weight = weight.asEntryWeight
        guard weight <= capacity else { return evicting(key) }
        while recency.weight + weight > capacity { evicting(table.deleteBack(of: &recency)) }
        table.pushFront(table.insert(key, weight: weight), of: &recency)
    }

    @discardableResult
    public mutating func remove(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none else { return false }
        table.unlink(slot, from: &recency)
        table.delete(slot)
        return true
    }
}
