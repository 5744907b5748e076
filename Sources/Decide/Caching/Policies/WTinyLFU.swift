/// W-TinyLFU: newcomers pass a window in order of recency. Who leaves it is taken into the main part only where a sketch says that it
/// was asked for more often lately than who would have to go for it. The main part is a segmented LRU: who is asked for again there is
/// protected from newcomers (Einziger, Friedman and Manes, ACM Trans. Storage 2017). The size of the window follows the requests.
public struct WTinyLFU: EvictionPolicy {
    /// How the window finds its size. It begins at a hundredth of the capacity.
    public enum Window: Sendable, Hashable {
        /// It stays as it is.
        case fixed
        /// By trying, with the numbers of Caffeine.
        case climbing
        /// By measuring what a place is worth on either side (`SlopeMeter`). It finds its size sooner.
        case measured
    }

    private static let windowed: UInt32 = 0
    private static let probed: UInt32 = 1
    private static let protected: UInt32 = 2
    private static let sentAway: UInt32 = 3
    /// The share of the main part at first.
    static let mainShare = 0.99
    /// The share of the protected in it, and after how many requests for each place the sketch is halved: Caffeine's, and ours.
    static let climbing = (protected: 0.8, halving: 10)
    static let measured = (protected: 0.9, halving: 32)
    /// For how many entries the sketch is made at first. By weight it may be far fewer than the capacity says: it grows with them.
    static let firstSketch = 1 << 14
    /// Who is asked for so often and loses may win by a draw, one in so many: else who knows the hash could keep a key out for ever.
    private static let drawFrom = 6
    private static let drawsWon = 128
    /// By how much a newcomer must have been asked for more often where the window is measured. It was asked for just now, and the one that
    /// would go was not yet in this round: one request more says nothing.
    private static let lead = 1

    public let capacity: Int
    /// How much weight the window may have now.
    public private(set) var windowCapacity: Int
    private var protectedCapacity: Int
    public let adaptation: Window
    private var climber: HillClimber
    private var slope: SlopeMeter
    private var sketch: FrequencySketch
    private var draws: SeededNumbers
    private var table: EntryTable
    private var window = EntryList()
    private var probation = EntryList()
    private var guarded = EntryList()
    /// Who lost against the main part lately, only remembered.
    private var ghostList = EntryList()
    private let ghostCapacity: Int
    private let leastWindow: Int

    public init(capacity: Int, window: Window = .measured, seed: UInt64 = 1) {
        self.capacity = max(0, capacity)
        adaptation = window
        let numbers = window == .measured ? Self.measured : Self.climbing
        let main = Int(Self.mainShare * Double(self.capacity))
        windowCapacity = self.capacity - main
        protectedCapacity = Int(numbers.protected * Double(main))
        leastWindow = window == .measured ? max(1, windowCapacity) : 1
        slope = SlopeMeter(capacity: self.capacity)
        ghostCapacity = window == .measured ? max(1, Int(SlopeMeter.ghostShare * Double(self.capacity))) : 0
        climber = HillClimber(capacity: self.capacity)
        sketch = FrequencySketch(entries: min(self.capacity, Self.firstSketch), halvedAfter: numbers.halving)
        draws = SeededNumbers(seed: seed)
        table = EntryTable(expecting: self.capacity)
    }

    public var count: Int { table.count - ghostList.count }
    public var weight: Int { window.weight + probation.weight + guarded.weight }
    /// How many keys are remembered that are not held.
    public var ghosts: Int { ghostList.count }

    public func weight(of key: UInt64) -> Int? {
        let slot = table.find(key)
        return slot != EntryTable.none && table[slot].mark != Self.sentAway ? Int(table[slot].weight) : nil
    }

    public mutating func touch(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none, table[slot].mark != Self.sentAway else { return false }
        // Requests that follow one another closely are one to who measures (as in LRU-K: O'Neil, O'Neil and Weikum, SIGMOD 1993).
        if adaptation != .measured || table[slot].mark != Self.windowed { sketch.increment(key) }
        switch table[slot].mark {
        case Self.windowed: table.moveToFront(slot, of: &window)
        case Self.protected: table.moveToFront(slot, of: &guarded)
        default:
            slope.probationHit()
            promote(slot)
        }
        climb(isHit: true)
        return true
    }

    public mutating func admit(_ key: UInt64, weight: Int, evicting: (UInt64) -> Void) {
        let weight = weight.asEntryWeight
        sketch.increment(key)
        guard weight <= capacity else { return evicting(key) }
        let ghost = table.find(key)
        if ghost != EntryTable.none {
            slope.ghostHit()
            table.unlink(ghost, from: &ghostList)
            table.delete(ghost)
        }
        if count >= sketch.entries { sketch.grow(to: sketch.entries * 2) }
        table.pushFront(table.insert(key, weight: weight, mark: Self.windowed), of: &window)
        evict(evicting)
        climb(isHit: false)
    }

    @discardableResult
    public mutating func remove(_ key: UInt64) -> Bool {
        let slot = table.find(key)
        guard slot != EntryTable.none, table[slot].mark != Self.sentAway else { return false }
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
                sendAway(loser)
            }
        }
    }

    private mutating func sendAway(_ slot: EntryTable.Slot) {
        table.unlink(slot, from: &probation)
        guard ghostCapacity > 0 else { return table.delete(slot) }
        table[slot].mark = Self.sentAway
        table.pushFront(slot, of: &ghostList)
        while ghostList.weight > ghostCapacity { _ = table.deleteBack(of: &ghostList) }
    }

    private func newer(_ slot: EntryTable.Slot) -> EntryTable.Slot {
        slot == EntryTable.none ? slot : table[slot].previous
    }

    private mutating func admits(_ candidate: UInt64, over victim: UInt64) -> Bool {
        let (new, old) = (sketch.frequency(of: candidate), sketch.frequency(of: victim))
        if new > old + (adaptation == .measured ? Self.lead : 0) { return true }
        return new >= Self.drawFrom && draws.next(below: Self.drawsWon) == 0
    }

    @inline(__always)
    private mutating func climb(isHit: Bool) {
        let change =
            switch adaptation {
            case .fixed: 0
            case .climbing: climber.count(isHit: isHit, sample: sketch.sampleSize)
            case .measured: slope.count(ghosts: ghostCapacity, probation: probation.weight)
            }
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
        var quota = min(wanted, max(0, windowCapacity - leastWindow))
        (protectedCapacity, windowCapacity) = (protectedCapacity + quota, windowCapacity - quota)
        while case let slot = window.back, slot != EntryTable.none, Int(table[slot].weight) <= quota {
            quota -= Int(table[slot].weight)
            table.unlink(slot, from: &window)
            moveToProbation(slot)
        }
        (protectedCapacity, windowCapacity) = (protectedCapacity - quota, windowCapacity + quota)
    }
}
