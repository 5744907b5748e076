/// Adaptive replacement: who was asked for once and who was asked for again, each with as many keys more that went lately. A request
/// for one of those says which of the two should have been larger (Megiddo and Modha, "ARC: A Self-Tuning, Low Overhead Replacement
/// Cache", FAST 2003, figure 4). Where entries have weights, the sizes of the paper are weights.
public struct ARC: EvictionPolicy {
    /// The lists of the paper: T1, T2 are held, B1, B2 only remembered.
    private static let recent: UInt32 = 0
    private static let frequent: UInt32 = 1
    private static let recentGhost: UInt32 = 2
    private static let frequentGhost: UInt32 = 3

    public let capacity: Int
    /// How much weight those asked for once should have: p.
    public private(set) var target = 0.0
    private var table: EntryTable
    private var recents = EntryList()
    private var frequents = EntryList()
    private var recentGhosts = EntryList()
    private var frequentGhosts = EntryList()

    public init(capacity: Int) {
        self.capacity = max(0, capacity)
        table = EntryTable(expecting: 2 * capacity)
    }

    public var count: Int { recents.count + frequents.count }
    public var weight: Int { recents.weight + frequents.weight }
    /// How many keys are remembered that are not held.
    public var ghosts: Int { recentGhosts.count + frequentGhosts.count }

    public func weight(of key: UInt64) -> Int? {
        let slot = table.find(key)
        return slot != EntryTable.none && table[slot].mark <= Self.frequent ? Int(table[slot].weight) : nil
    }

    public mutating func touch(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none else { return false }
        switch table[slot].mark {
        case Self.recent:
            table.unlink(slot, from: &recents)
            table[slot].mark = Self.frequent
            table.pushFront(slot, of: &frequents)
            return true
        case Self.frequent:
            table.moveToFront(slot, of: &frequents)
            return true
        default: return false
        }
    }

    public mutating func admit(_ key: UInt64, weight: Int, evicting: (UInt64) -> Void) {
        let weight = weight.asEntryWeight
        guard weight <= capacity else { return evicting(key) }
        let ghost = table.find(key)
        guard ghost != EntryTable.none else { return admitUnknown(key, weight: weight, evicting: evicting) }
        let wasFrequent = table[ghost].mark == Self.frequentGhost
        adapt(wasFrequent: wasFrequent, by: Double(weight))
        makeRoom(for: weight, wasFrequent: wasFrequent, evicting: evicting)
        if wasFrequent {
            table.unlink(ghost, from: &frequentGhosts)
        } else {
            table.unlink(ghost, from: &recentGhosts)
        }
        table[ghost].mark = Self.frequent
        table[ghost].weight = UInt32(weight)
        table.pushFront(ghost, of: &frequents)
        trimGhosts()
    }

    @discardableResult
    public mutating func remove(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none else { return false }
        switch table[slot].mark {
        case Self.recent: table.unlink(slot, from: &recents)
        case Self.frequent: table.unlink(slot, from: &frequents)
        default: return false
        }
        table.delete(slot)
        return true
    }

    /// Cases II and III of the paper: the list that is remembered for less is worth more.
    private mutating func adapt(wasFrequent: Bool, by weight: Double) {
        let (once, again) = (Double(recentGhosts.weight), Double(frequentGhosts.weight))
        if wasFrequent {
            target = max(0, target - weight * max(1, once / again))
        } else {
            target = min(Double(capacity), target + weight * max(1, again / once))
        }
    }

    /// Case IV.
    private mutating func admitUnknown(_ key: UInt64, weight: Int, evicting: (UInt64) -> Void) {
        if recents.weight + recentGhosts.weight + weight > capacity {
            // The keys asked for once fill the capacity. Forget the oldest; where all are held, one goes without being remembered.
            while !recentGhosts.isEmpty, recents.weight + recentGhosts.weight + weight > capacity {
                _ = table.deleteBack(of: &recentGhosts)
            }
            if recents.weight + weight > capacity {
                while recents.weight + weight > capacity { evicting(table.deleteBack(of: &recents)) }
            }
        }
        makeRoom(for: weight, wasFrequent: false, evicting: evicting)
        let slot = table.insert(key, weight: weight, mark: Self.recent)
        table.pushFront(slot, of: &recents)
        trimGhosts()
    }

    /// REPLACE of the paper, until the newcomer fits.
    private mutating func makeRoom(
        for weight: Int, wasFrequent: Bool, evicting: (UInt64) -> Void
    ) {
        while self.weight + weight > capacity {
            let held = Double(recents.weight)
            let isRecent =
                !recents.isEmpty && (held > target || (wasFrequent && held == target) || frequents.isEmpty)
            if isRecent {
                evicting(table.moveBack(of: &recents, to: &recentGhosts, mark: Self.recentGhost))
            } else {
                evicting(table.moveBack(of: &frequents, to: &frequentGhosts, mark: Self.frequentGhost))
            }
        }
    }

    /// All lists together never have more than twice the capacity, those asked for once never more than it.
    private mutating func trimGhosts() {
        while !recentGhosts.isEmpty, recents.weight + recentGhosts.weight > capacity {
            _ = table.deleteBack(of: &recentGhosts)
        }
        while !frequentGhosts.isEmpty, weight + recentGhosts.weight + frequentGhosts.weight > 2 * capacity {
            _ = table.deleteBack(of: &frequentGhosts)
        }
    }
}
