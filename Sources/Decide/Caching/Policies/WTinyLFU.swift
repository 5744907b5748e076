/// W-TinyLFU: newcomers pass a window in order of recency. Who leaves it is taken into the main part only where a sketch says that it
/// was asked for more often lately than who would have to go for it. The main part is a segmented LRU: who is asked for again there is
/// protected from newcomers (Einziger, Friedman and Manes, ACM Trans. Storage 2017). The size of the window is found by climbing.
public struct WTinyLFU: EvictionPolicy {
    private static let windowed: UInt32 = 0
    private static let probed: UInt32 = 1
    private static let protected: UInt32 = 2
    /// The share of the main part, and of the protected in it, at first.
    static let mainShare = 0.99
    static let protectedShare = 0.8
    /// Who is asked for so often and loses may win by a draw, one in so many: else who knows the hash could keep a key out for ever.
    private static let drawFrom = 6
    private static let drawsWon = 128

    public let capacity: Int
    /// How much weight the window may have now.
    public private(set) var windowCapacity: Int
    private var protectedCapacity: Int
    public let isAdaptive: Bool
    private var climber: HillClimber
    private var sketch: FrequencySketch
    private var numbers: SeededNumbers
    private var table: EntryTable
    private var window = EntryList()
    private var probation = EntryList()
    private var guarded = EntryList()

    /// - Parameter isAdaptive: whether the window grows and shrinks. One that does not stays at a hundredth of the capacity.
    public init(capacity: Int, isAdaptive: Bool = true, seed: UInt64 = 1) {
        self.capacity = max(0, capacity)
        self.isAdaptive = isAdaptive
        let main = Int(Self.mainShare * Double(self.capacity))
        windowCapacity = self.capacity - main
        protectedCapacity = Int(Self.protectedShare * Double(main))
        climber = HillClimber(capacity: self.capacity)
        // By weight it may be far fewer entries than the capacity says: it grows with them.
        sketch = FrequencySketch(entries: min(self.capacity, 1 << 14))
        numbers = SeededNumbers(seed: seed)
        table = EntryTable(expecting: self.capacity)
    }

    public var count: Int { table.count }
    public var weight: Int { window.weight + probation.weight + guarded.weight }
    public func holds(_ key: UInt64) -> Bool { table.find(key) != EntryTable.none }

    public mutating func touch(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none else { return false }
        sketch.increment(key)
        switch table[slot].mark {
        case Self.windowed: table.moveToFront(slot, of: &window)
        case Self.protected: table.moveToFront(slot, of: &guarded)
        default: promote(slot)
        }
        climb(isHit: true)
        return true
    }

    public mutating func admit(_ key: UInt64, weight: Int, evicting: (UInt64) -> Void) {
        let weight = weight.asEntryWeight
        sketch.increment(key)
        guard weight <= capacity else { return evicting(key) }
        if table.count >= sketch.entries { sketch.grow(to: sketch.entries * 2) }
        table.pushFront(table.insert(key, weight: weight, mark: Self.windowed), of: &window)
        evict(evicting)
        climb(isHit: false)
    }

    @discardableResult
    public mutating func remove(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none else { return false }
        delete(slot)
        return true
    }

    private mutating func delete(_ slot: EntryTable.Slot) {
        switch table[slot].mark {
        case Self.windowed: table.unlink(slot, from: &window)
        case Self.probed: table.unlink(slot, from: &probation)
        default: table.unlink(slot, from: &guarded)
        }
        table.delete(slot)
    }

    private mutating func promote(_ slot: EntryTable.Slot) {
        guard Int(table[slot].weight) <= protectedCapacity else {
            return table.moveToFront(slot, of: &probation)
        }
        table.unlink(slot, from: &probation)
        table[slot].mark = Self.protected
        table.pushFront(slot, of: &guarded)
        demoteProtected()
    }

    private mutating func demoteProtected() {
        while guarded.weight > protectedCapacity {
            let slot = guarded.back
            table.unlink(slot, from: &guarded)
            moveToProbation(slot)
        }
    }

    private mutating func moveToProbation(_ slot: EntryTable.Slot) {
        table[slot].mark = Self.probed
        table.pushFront(slot, of: &probation)
    }
}

extension WTinyLFU {
    /// Who leaves the window becomes a candidate of the main part; then each candidate meets the oldest there, until all fits.
    private mutating func evict(_ evicting: (UInt64) -> Void) {
        var candidate = EntryTable.none
        while window.weight > windowCapacity {
            let slot = window.back
            table.unlink(slot, from: &window)
            moveToProbation(slot)
            if candidate == EntryTable.none { candidate = slot }
        }
        while weight > capacity {
            var victim = probation.back
            if victim == EntryTable.none { victim = guarded.back }
            if victim == EntryTable.none { victim = window.back }
            if candidate == EntryTable.none || candidate == victim {
                if candidate == victim { candidate = newer(candidate) }
                evicting(table[victim].key)
                delete(victim)
            } else if admits(table[candidate].key, over: table[victim].key) {
                evicting(table[victim].key)
                delete(victim)
            } else {
                let loser = candidate
                candidate = newer(candidate)
                evicting(table[loser].key)
                delete(loser)
            }
        }
    }

    private func newer(_ slot: EntryTable.Slot) -> EntryTable.Slot {
        slot == EntryTable.none ? slot : table[slot].previous
    }

    private mutating func admits(_ candidate: UInt64, over victim: UInt64) -> Bool {
        let (new, old) = (sketch.frequency(of: candidate), sketch.frequency(of: victim))
        if new > old { return true }
        return new >= Self.drawFrom && numbers.next(below: Self.drawsWon) == 0
    }

    @inline(__always)
    private mutating func climb(isHit: Bool) {
        guard isAdaptive else { return }
        let change = climber.count(isHit: isHit, sample: sketch.sampleSize)
        if change > 0 { enlargeWindow(by: change) } else if change < 0 { shrinkWindow(by: -change) }
    }

    /// The window takes over who would have to go from the main part next.
    private mutating func enlargeWindow(by wanted: Int) {
        var quota = min(wanted, protectedCapacity)
        (protectedCapacity, windowCapacity) = (protectedCapacity - quota, windowCapacity + quota)
        demoteProtected()
        while case let slot = probation.back, slot != EntryTable.none, Int(table[slot].weight) <= quota {
            quota -= Int(table[slot].weight)
            table.unlink(slot, from: &probation)
            table[slot].mark = Self.windowed
            table.pushFront(slot, of: &window)
        }
        (protectedCapacity, windowCapacity) = (protectedCapacity + quota, windowCapacity - quota)
    }

    private mutating func shrinkWindow(by wanted: Int) {
        var quota = min(wanted, max(0, windowCapacity - 1))
        (protectedCapacity, windowCapacity) = (protectedCapacity + quota, windowCapacity - quota)
        while case let slot = window.back, slot != EntryTable.none, Int(table[slot].weight) <= quota {
            quota -= Int(table[slot].weight)
            table.unlink(slot, from: &window)
            moveToProbation(slot)
        }
        (protectedCapacity, windowCapacity) = (protectedCapacity - quota, windowCapacity + quota)
    }
}
