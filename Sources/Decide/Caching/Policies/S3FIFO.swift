/// S3-FIFO: three queues in order of arrival. Newcomers pass a small one of a tenth of the capacity; who is asked for there moves to the
/// main one, who is not is only remembered (Yang, Zhang, Qiu, Yue and Vigfusson, "FIFO queues are all you need for cache eviction",
/// SOSP 2023). As its authors' libCacheSim has it, newcomers go to the main queue while the small one is full and nobody had to go yet.
public struct S3FIFO: EvictionPolicy {
    private static let small: UInt32 = 0
    private static let main: UInt32 = 1
    private static let ghost: UInt32 = 2
    private static let listBits: UInt32 = 3
    /// A frequency is above the two bits of the list, and stops at this.
    private static let mostFrequency: UInt32 = 3
    /// Who was asked for so often in the small queue moves to the main one.
    private static let promotion: UInt32 = 2

    public let capacity: Int
    private let smallCapacity: Int
    private let mainCapacity: Int
    private let ghostCapacity: Int
    private var hasEvicted = false
    private var table: EntryTable
    private var smalls = EntryList()
    private var mains = EntryList()
    private var ghostList = EntryList()

    public init(capacity: Int) {
        self.capacity = max(0, capacity)
        smallCapacity = self.capacity / 10
        mainCapacity = self.capacity - smallCapacity
        ghostCapacity = self.capacity * 9 / 10
        table = EntryTable(expecting: 2 * capacity)
    }

    public var count: Int { smalls.count + mains.count }
    public var weight: Int { smalls.weight + mains.weight }
    /// How many keys are remembered that are not held.
    public var ghosts: Int { ghostList.count }

    public func weight(of key: UInt64) -> Int? {
        let slot = table.find(key)
        return slot != EntryTable.none && table[slot].mark & Self.listBits != Self.ghost ? Int(table[slot].weight) : nil
    }

    public mutating func touch(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none, table[slot].mark & Self.listBits != Self.ghost else { return false }
        if table[slot].mark >> 2 < Self.mostFrequency { table[slot].mark += 4 }
        return true
    }

    public mutating func admit(_ key: UInt64, weight: Int, evicting: (UInt64) -> Void) {
        let weight = weight.asEntryWeight
        guard weight <= capacity else { return evicting(key) }
        // It is taken off the ghosts before room is made for it, so that it is not forgotten meanwhile.
        let ghost = table.find(key)
        if ghost != EntryTable.none {
            table.unlink(ghost, from: &ghostList)
            table.delete(ghost)
        }
        while self.weight + weight > capacity { evict(evicting) }
        let isFilling = !hasEvicted && smalls.weight >= smallCapacity
        if ghost != EntryTable.none || isFilling || weight > smallCapacity {
            table.pushFront(table.insert(key, weight: weight, mark: Self.main), of: &mains)
        } else {
            table.pushFront(table.insert(key, weight: weight, mark: Self.small), of: &smalls)
        }
    }

    @discardableResult
    public mutating func remove(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none else { return false }
        switch table[slot].mark & Self.listBits {
        case Self.small: table.unlink(slot, from: &smalls)
        case Self.main: table.unlink(slot, from: &mains)
        default: return false
        }
        table.delete(slot)
        return true
    }

    private mutating func evict(_ evicting: (UInt64) -> Void) {
        hasEvicted = true
        if mains.weight > mainCapacity || smalls.isEmpty { evictMain(evicting) } else { evictSmall(evicting) }
    }

    /// Until one went, or the small queue is empty because all moved on.
    private mutating func evictSmall(_ evicting: (UInt64) -> Void) {
        while !smalls.isEmpty {
            let slot = smalls.back
            table.unlink(slot, from: &smalls)
            if table[slot].mark >> 2 >= Self.promotion {
                table[slot].mark = Self.main
                table.pushFront(slot, of: &mains)
            } else {
                table[slot].mark = Self.ghost
                table.pushFront(slot, of: &ghostList)
                evicting(table[slot].key)
                while ghostList.weight > ghostCapacity { _ = table.deleteBack(of: &ghostList) }
                return
            }
        }
    }

    private mutating func evictMain(_ evicting: (UInt64) -> Void) {
        while !mains.isEmpty {
            let slot = mains.back
            guard table[slot].mark >> 2 > 0 else { return evicting(table.deleteBack(of: &mains)) }
            table[slot].mark -= 4
            table.moveToFront(slot, of: &mains)
        }
    }
}
