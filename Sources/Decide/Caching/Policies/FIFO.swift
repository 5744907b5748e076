/// Who came first goes first, however often it was asked for.
public struct FIFO: EvictionPolicy {
    public let capacity: Int
    private var table: EntryTable
    private var arrival = EntryList()

    public init(capacity: Int) {
        self.capacity = max(0, capacity)
        table = EntryTable(expecting: capacity)
    }

    public var count: Int { arrival.count }
    public var weight: Int { arrival.weight }
    public func weight(of key: UInt64) -> Int? { table.weight(of: key) }

    public mutating func touch(_ key: UInt64) -> Bool {
        holds(key)
    }

    public mutating func admit(_ key: UInt64, weight: Int, evicting: (UInt64) -> Void) {
        let weight = weight.asEntryWeight
        guard weight <= capacity else { return evicting(key) }
        while arrival.weight + weight > capacity { evicting(table.deleteBack(of: &arrival)) }
        table.pushFront(table.insert(key, weight: weight), of: &arrival)
    }

    @discardableResult
    public mutating func remove(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none else { return false }
        table.unlink(slot, from: &arrival)
        table.delete(slot)
        return true
    }
}
