/// SIEVE: a queue in order of arrival, with a hand that goes from old to new and sifts out who was not asked for since it last passed
/// (Zhang, Yang, Yue, Vigfusson and Rashmi, "SIEVE is Simpler than LRU", NSDI 2024). A hit sets one bit.
public struct Sieve: EvictionPolicy {
    public let capacity: Int
    private var table: EntryTable
    private var arrival = EntryList()
    /// Whom the hand looks at next. None: the oldest.
    private var hand = EntryTable.none

    public init(capacity: Int) {
        self.capacity = max(0, capacity)
        table = EntryTable(expecting: capacity)
    }

    public var count: Int { arrival.count }
    public var weight: Int { arrival.weight }
    public func weight(of key: UInt64) -> Int? { table.weight(of: key) }

    public mutating func touch(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none else { return false }
        table[slot].mark = 1
        return true
    }

    public mutating func admit(_ key: UInt64, weight: Int, evicting: (UInt64) -> Void) {
        let weight = weight.asEntryWeight
        guard weight <= capacity else { return evicting(key) }
        while arrival.weight + weight > capacity { evicting(sift()) }
        table.pushFront(table.insert(key, weight: weight), of: &arrival)
    }

    private mutating func sift() -> UInt64 {
        var slot = hand == EntryTable.none ? arrival.back : hand
        while table[slot].mark != 0 {
            table[slot].mark = 0
            let newer = table[slot].previous
            slot = newer == EntryTable.none ? arrival.back : newer
        }
        let key = table[slot].key
        delete(slot, hand: table[slot].previous)
        return key
    }

    @discardableResult
    public mutating func remove(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none else { return false }
        delete(slot, hand: hand == slot ? table[slot].previous : hand)
        return true
    }

    private mutating func delete(_ slot: EntryTable.Slot, hand next: EntryTable.Slot) {
        hand = next
        table.unlink(slot, from: &arrival)
        table.delete(slot)
    }
}
