/// Entries of a policy in one array, found by key, and linked into lists by their positions. An entry costs 24 bytes and its place in
/// the index 16; nothing is allocated for it once the arrays have grown.
///
/// The index is open addressing with linear probing; what is deleted is closed up by shifting back (Knuth, TAOCP 3, 6.4, algorithm R),
/// so that no tombstones gather however long it runs.
struct EntryTable: Sendable {
    /// A position in the array of entries.
    typealias Slot = Int32
    static let none: Slot = -1

    struct Entry: Sendable {
        var key: UInt64
        /// Towards the front, where the latest came in.
        var previous: Slot
        /// Towards the back.
        var next: Slot
        var weight: UInt32
        /// What the policy notes: a list, a frequency, a bit.
        var mark: UInt32
    }

    /// A place of the index: the upper half is that of the key's hash, the lower half a slot.
    private typealias Place = UInt64
    private static let vacant: Place = .max

    private var entries: [Entry] = []
    private var places: [Place]
    private var mask: Int
    private var free: Slot = none
    private(set) var count = 0

    /// - Parameter expected: how many entries there will be; the table grows where there are more.
    init(expecting expected: Int = 0) {
        let modest = Swift.min(Swift.max(expected, 8), 1 << 20)
        let size = (modest * 2 - 1).roundedUpToPowerOfTwo
        places = Array(repeating: Self.vacant, count: size)
        mask = size - 1
        entries.reserveCapacity(modest)
    }

    /// The positions are the table's own, never out of bounds.
    @inline(__always)
    subscript(slot: Slot) -> Entry {
        get { entries[Int(slot)] }
        _modify { yield &entries[Int(slot)] }
    }

    @inline(__always)
    func find(_ key: UInt64) -> Slot {
        let hash = UInt64.mixed(key)
        var at = Int(truncatingIfNeeded: hash >> 32) & mask
        while true {
            let place = places[at]
            if place == Self.vacant { return Self.none }
            if place >> 32 == hash >> 32 {
                let slot = Slot(truncatingIfNeeded: place)
                if entries[Int(slot)].key == key { return slot }
            }
            at = (at + 1) & mask
        }
    }

    @inline(__always)
    func weight(of key: UInt64) -> Int? {
        let slot = find(key)
        return slot == Self.none ? nil : Int(entries[Int(slot)].weight)
    }

    /// A new entry, in no list yet. The key must not be there.
    @inline(__always)
    mutating func insert(_ key: UInt64, weight: Int, mark: UInt32 = 0) -> Slot {
        if (count + 1) * 2 > places.count { grow() }
        let entry = Entry(
            key: key, previous: Self.none, next: Self.none, weight: UInt32(truncatingIfNeeded: weight), mark: mark)
        let slot: Slot
        if free != Self.none {
            slot = free
            free = entries[Int(slot)].next
            entries[Int(slot)] = entry
        } else {
            slot = Slot(entries.count)
            entries.append(entry)
        }
        let hash = UInt64.mixed(key)
        var at = Int(truncatingIfNeeded: hash >> 32) & mask
        while places[at] != Self.vacant {
            let place = places[at]
            precondition(
                place >> 32 != hash >> 32 || entries[Int(Slot(truncatingIfNeeded: place))].key != key,
                "a key that is held was admitted again")
            at = (at + 1) & mask
        }
        places[at] = (hash >> 32) << 32 | UInt64(UInt32(bitPattern: slot))
        count += 1
        return slot
    }

    /// Deletes an entry, which must be in no list any more.
    @inline(__always)
    mutating func delete(_ slot: Slot) {
        let hash = UInt64.mixed(entries[Int(slot)].key)
        let wanted = (hash >> 32) << 32 | UInt64(UInt32(bitPattern: slot))
        var hole = Int(truncatingIfNeeded: hash >> 32) & mask
        while places[hole] != wanted { hole = (hole + 1) & mask }
        var at = hole
        while true {
            at = (at + 1) & mask
            let place = places[at]
            if place == Self.vacant { break }
            let home = Int(truncatingIfNeeded: place >> 32) & mask
            // It may move into the hole unless its home lies behind it.
            if (at &- home) & mask >= (at &- hole) & mask {
                places[hole] = place
                hole = at
            }
        }
        places[hole] = Self.vacant
        entries[Int(slot)].next = free
        free = slot
        count -= 1
    }

    private mutating func grow() {
        let old = places
        precondition(count < CachingLimits.entries, "a policy cannot hold more than \(CachingLimits.entries) entries")
        places = Array(repeating: Self.vacant, count: old.count * 2)
        mask = places.count - 1
        for place in old where place != Self.vacant {
            var at = Int(truncatingIfNeeded: place >> 32) & mask
            while places[at] != Self.vacant { at = (at + 1) & mask }
            places[at] = place
        }
    }
}

/// A list of entries of one table: the latest in front.
struct EntryList: Sendable {
    var front = EntryTable.none
    var back = EntryTable.none
    var count = 0
    var weight = 0
    var isEmpty: Bool { back == EntryTable.none }
}

extension EntryTable {
    @inline(__always)
    mutating func pushFront(_ slot: Slot, of list: inout EntryList) {
        self[slot].previous = Self.none
        self[slot].next = list.front
        if list.front == Self.none { list.back = slot } else { self[list.front].previous = slot }
        list.front = slot
        list.count += 1
        list.weight += Int(self[slot].weight)
    }

    @inline(__always)
    mutating func unlink(_ slot: Slot, from list: inout EntryList) {
        let entry = self[slot]
        if entry.previous == Self.none { list.front = entry.next } else { self[entry.previous].next = entry.next }
        if entry.next == Self.none { list.back = entry.previous } else { self[entry.next].previous = entry.previous }
        list.count -= 1
        list.weight -= Int(entry.weight)
    }

    @inline(__always)
    mutating func moveToFront(_ slot: Slot, of list: inout EntryList) {
        guard list.front != slot else { return }
        unlink(slot, from: &list)
        pushFront(slot, of: &list)
    }

    /// The oldest of one list becomes the latest of another.
    @inline(__always)
    mutating func moveBack(of list: inout EntryList, to other: inout EntryList, mark: UInt32) -> UInt64 {
        let slot = list.back
        unlink(slot, from: &list)
        self[slot].mark = mark
        pushFront(slot, of: &other)
        return self[slot].key
    }

    /// Takes the oldest of a list out of it, and out of the table.
    @inline(__always)
    mutating func deleteBack(of list: inout EntryList) -> UInt64 {
        let slot = list.back
        let key = self[slot].key
        unlink(slot, from: &list)
        delete(slot)
        return key
    }
}

extension Int {
    /// The least power of two that is not less. For what is at least one.
    var roundedUpToPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }

    /// A weight as an entry can have it.
    var asEntryWeight: Int {
        Swift.min(Swift.max(self, CachingLimits.leastWeight), CachingLimits.weight)
    }
}

extension UInt64 {
    /// The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014; Stafford's variant 13): each bit depends on all.
    @inlinable @inline(__always)
    static func mixed(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// SplitMix64: numbers that follow from a seed.
struct SeededNumbers: Sendable {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        defer { state &+= 0x9E37_79B9_7F4A_7C15 }
        return UInt64.mixed(state)
    }

    /// Below a bound, without division (Lemire 2019, without its correction: the bias is below one in 2^32 here).
    mutating func next(below bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
