/// Anyone goes, drawn from a seed: the measure that every other policy has to beat.
public struct RandomEviction: EvictionPolicy {
    public let capacity: Int
    public private(set) var weight = 0
    private var table: EntryTable
    /// All entries, in no order. The mark of an entry is its position here.
    private var all: [EntryTable.Slot] = []
    private var numbers: SeededNumbers

    public init(capacity: Int, seed: UInt64 = 1) {
        self.capacity = max(0, capacity)
        table = EntryTable(expecting: capacity)
        numbers = SeededNumbers(seed: seed)
    }

    public var count: Int { all.count }
    public func weight(of key: UInt64) -> Int? { table.weight(of: key) }
    public mutating func touch(_ key: UInt64) -> Bool { holds(key) }

    public mutating func admit(_ key: UInt64, weight: Int, evicting: (UInt64) -> Void) {
        let weight = weight.asEntryWeight
        guard weight <= capacity else { return evicting(key) }
        while self.weight + weight > capacity {
            let slot = all[numbers.next(below: all.count)]
            evicting(table[slot].key)
            delete(slot)
        }
        all.append(table.insert(key, weight: weight, mark: UInt32(all.count)))
        self.weight += weight
    }

    @discardableResult
    public mutating func remove(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none else { return false }
        delete(slot)
        return true
    }

    /// The last takes its position.
    private mutating func delete(_ slot: EntryTable.Slot) {
        let position = table[slot].mark
        let last = all.removeLast()
        if last != slot {
            all[Int(position)] = last
            table[last].mark = position
        }
        weight -= Int(table[slot].weight)
        table.delete(slot)
    }
}
