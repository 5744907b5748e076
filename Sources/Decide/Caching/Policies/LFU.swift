/// Least frequently used goes first; of those asked for equally often, who was asked for longest ago. Constant time by a list of
/// frequencies with a list of entries each (Shah, Mitra and Matani, "An O(1) algorithm for implementing the LFU cache eviction
/// scheme", 2010). A key that went is forgotten with its frequency.
///
/// Without aging, what was once popular stays for ever. With it, all frequencies are halved each time when there were so many requests
/// for each entry (Robinson and Devarakonda, SIGMETRICS 1990, and as TinyLFU does).
public struct LFU: EvictionPolicy {
    public enum Aging: Sendable, Hashable {
        /// The policy of textbooks.
        case never
        /// After so many requests for each entry that is held.
        case halving(every: Int)
    }

    /// How many requests for each entry are a time for aging, where nothing else is said.
    public static let requestsUntilHalved = 10
    /// No frequency goes beyond; so it cannot overflow.
    static let mostFrequency = UInt32.max - 1

    /// All entries of one frequency, and the neighbours of this one in the order of frequencies.
    private struct Level {
        var frequency: UInt32
        var entries = EntryList()
        var lower: Int32
        var higher: Int32
    }

    public let capacity: Int
    public private(set) var weight = 0
    public let aging: Aging
    private var requests = 0
    private var table: EntryTable
    /// The mark of an entry is its level's position here.
    private var levels: [Level] = []
    private var freeLevel: Int32 = -1
    private var lowest: Int32 = -1

    public init(capacity: Int, aging: Aging = .halving(every: LFU.requestsUntilHalved)) {
        self.capacity = max(0, capacity)
        self.aging = aging
        table = EntryTable(expecting: capacity)
    }

    public var count: Int { table.count }
    public func weight(of key: UInt64) -> Int? { table.weight(of: key) }

    public mutating func touch(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none else { return false }
        raise(slot)
        age()
        return true
    }

    public mutating func admit(_ key: UInt64, weight: Int, evicting: (UInt64) -> Void) {
        let weight = weight.asEntryWeight
        guard weight <= capacity else { return evicting(key) }
        while self.weight + weight > capacity {
            let slot = levels[Int(lowest)].entries.back
            evicting(table[slot].key)
            delete(slot)
        }
        let level = lowest >= 0 && levels[Int(lowest)].frequency == 1 ? lowest : insert(1, above: -1)
        let slot = table.insert(key, weight: weight, mark: UInt32(level))
        table.pushFront(slot, of: &levels[Int(level)].entries)
        self.weight += weight
        age()
    }

    @discardableResult
    public mutating func remove(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none else { return false }
        delete(slot)
        return true
    }

    private mutating func delete(_ slot: EntryTable.Slot) {
        let level = Int32(table[slot].mark)
        table.unlink(slot, from: &levels[Int(level)].entries)
        weight -= Int(table[slot].weight)
        table.delete(slot)
        if levels[Int(level)].entries.isEmpty { delete(level: level) }
    }

    private mutating func raise(_ slot: EntryTable.Slot) {
        let level = Int32(table[slot].mark)
        let frequency = levels[Int(level)].frequency
        guard frequency < Self.mostFrequency else {
            return table.moveToFront(slot, of: &levels[Int(level)].entries)
        }
        let higher = levels[Int(level)].higher
        let isThere = higher >= 0 && levels[Int(higher)].frequency == frequency + 1
        let target = isThere ? higher : insert(frequency + 1, above: level)
        table.unlink(slot, from: &levels[Int(level)].entries)
        table[slot].mark = UInt32(target)
        table.pushFront(slot, of: &levels[Int(target)].entries)
        if levels[Int(level)].entries.isEmpty { delete(level: level) }
    }

    /// A new level of a frequency, above one, or the lowest.
    private mutating func insert(_ frequency: UInt32, above lower: Int32) -> Int32 {
        let higher = lower >= 0 ? levels[Int(lower)].higher : lowest
        let level = Level(frequency: frequency, lower: lower, higher: higher)
        let at: Int32
        if freeLevel >= 0 {
            at = freeLevel
            freeLevel = levels[Int(at)].higher
            levels[Int(at)] = level
        } else {
            at = Int32(levels.count)
            levels.append(level)
        }
        if lower >= 0 { levels[Int(lower)].higher = at } else { lowest = at }
        if higher >= 0 { levels[Int(higher)].lower = at }
        return at
    }

    private mutating func delete(level: Int32) {
        let (lower, higher) = (levels[Int(level)].lower, levels[Int(level)].higher)
        if lower >= 0 { levels[Int(lower)].higher = higher } else { lowest = higher }
        if higher >= 0 { levels[Int(higher)].lower = lower }
        levels[Int(level)].higher = freeLevel
        freeLevel = level
    }
}

extension LFU {
    private mutating func age() {
        guard case .halving(let each) = aging else { return }
        requests += 1
        guard requests >= max(1, each) * max(1, count) else { return }
        requests = 0
        var level = lowest
        while level >= 0 {
            levels[Int(level)].frequency = max(1, levels[Int(level)].frequency / 2)
            let (lower, higher) = (levels[Int(level)].lower, levels[Int(level)].higher)
            if lower >= 0, levels[Int(lower)].frequency == levels[Int(level)].frequency { merge(level, into: lower) }
            level = higher
        }
    }

    /// Those of the higher level come in front: they were worth more.
    private mutating func merge(_ level: Int32, into lower: Int32) {
        while case let slot = levels[Int(level)].entries.back, slot != EntryTable.none {
            table.unlink(slot, from: &levels[Int(level)].entries)
            table[slot].mark = UInt32(lower)
            table.pushFront(slot, of: &levels[Int(lower)].entries)
        }
        delete(level: level)
    }
}
