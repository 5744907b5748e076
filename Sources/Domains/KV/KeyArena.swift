internal import EventModel

/// Keys and values one behind another in blocks, found by an index with open addressing (Knuth, The Art of Computer Programming
/// 3, 6.4, algorithm L; deletion by algorithm R): what a key takes beside its bytes is some 45 bytes.
///
/// A block that is full is never added to. What is replaced stays in its block until less than half of it is of use: then the
/// rest moves behind the newest. Over the bound of memory the oldest blocks go to the store (as Bitcask's segments, Sheehy and
/// Smith, 2010, but that the log is the truth and a block may be lost).
struct KeyArena: Sendable {
    /// Bytes of a block; one with a longer record has that alone.
    static let blockBytes = 32_768

    struct Block: Sendable {
        /// Empty where it is in the store.
        var bytes: [UInt8] = []
        /// Its number in the store.
        var stored: Int?
        var size = 0
        /// Bytes that are of use.
        var live = 0
        /// Raised where the number is given to another block.
        var life: UInt32 = 0
    }

    let store: (any BlockStore)?
    let memory: Int
    /// Block and offset of each place's record; ``free`` where there is none.
    private(set) var places: [UInt64] = []
    private var hashes: [UInt32] = []
    private var vacant: [UInt32] = []
    /// Of hashes: a place's number and one; 0 is none. Their count is a power of two.
    private var index: [UInt32] = Array(repeating: 0, count: 64)
    private(set) var blocks: [Block] = []
    private var vacantBlocks: [Int] = []
    /// The block that is added to.
    private var open: Int?
    /// Full blocks in memory, the oldest first, and some that have gone since.
    private var sealed: [(number: Int, life: UInt32)] = []
    private var firstSealed = 0
    private var held = 0
    private(set) var count = 0
    private(set) var bytes = 0
    private(set) var stored = 0

    private static let free = UInt64.max

    init(store: (any BlockStore)?, memory: Int) { (self.store, self.memory) = (store, memory) }

    /// Bytes of memory.
    var footprint: Int {
        held + places.capacity * 8 + hashes.capacity * 4 + index.capacity * 4 + vacant.capacity * 4
            + blocks.capacity * MemoryLayout<Block>.stride
    }

    func entry(_ key: Bytes) throws -> KeyCopy.Entry? {
        try search(key, Self.hash(key)) { _, _, record in
            KeyCopy.Entry(value: [UInt8](record.value), revision: record.revision, expires: record.expires)
        }
    }

    mutating func set(
        _ key: Bytes, _ value: UnsafeRawBufferPointer, _ revision: Int64, _ expires: Timestamp?
    ) throws {
        let hash = Self.hash(key)
        if let found = try find(key, hash) {
            let old = places[found.place]
            places[found.place] = append(key, value, revision, expires, found.place)
            bytes += value.count - found.value
            try release(old, ArenaRecord.size(key.count, found.value))
        } else {
            if (count + 1) * 4 > index.count * 3 { grow() }
            let place = vacant.popLast().map { Int($0) } ?? places.count
            if place == places.count {
                places.append(Self.free)
                hashes.append(0)
            }
            places[place] = append(key, value, revision, expires, place)
            hashes[place] = hash
            enter(place, hash)
            count += 1
            bytes += value.count
        }
        try spill()
    }

    mutating func remove(_ key: Bytes) throws {
        guard let (at, place, value) = try find(key, Self.hash(key)) else { return }
        let old = places[place]
        places[place] = Self.free
        vacant.append(UInt32(place))
        takeOut(at)
        count -= 1
        bytes -= value
        try release(old, ArenaRecord.size(key.count, value))
        try spill()
    }

    /// Lends the records of so many places.
    ///
    /// - Returns: the place that comes next; nil at the end.
    func each(
        from start: Int, places wanted: Int,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer, Int64, Timestamp?) throws -> Void
    ) throws -> Int? {
        let end = start + min(wanted, places.count - min(start, places.count))
        if start >= end { return nil }
        // Neighbours are often of one block.
        var last: (number: Int, bytes: [UInt8])?
        for place in start..<end where places[place] != Self.free {
            let (number, offset) = Self.split(places[place])
            if last?.number != number { last = (number, try contents(number)) }
            try last?.bytes.withUnsafeBytes { all in
                let record = ArenaRecord(all, at: offset)
                try body(record.key, record.value, record.revision, record.expires)
            }
        }
        return end >= places.count ? nil : end
    }

    // MARK: The index

    private static func hash(_ key: Bytes) -> UInt32 {
        var hasher = Hasher()
        key.withUnsafeBytes { hasher.combine(bytes: $0) }
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    private func find(_ key: Bytes, _ hash: UInt32) throws -> (at: Int, place: Int, value: Int)? {
        try search(key, hash) { at, place, record in (at, place, record.value.count) }
    }

    /// Lends a key's record, with where the index has it and its place; nil where the key is not there.
    private func search<R>(_ key: Bytes, _ hash: UInt32, _ body: (Int, Int, ArenaRecord) -> R) throws -> R? {
        var at = Int(hash) & (index.count - 1)
        while index[at] != 0 {
            let place = Int(index[at] - 1)
            if hashes[place] == hash {
                let found = try withRecord(place) { $0.key.elementsEqual(key) ? body(at, place, $0) : nil }
                if let found { return found }
            }
            at = (at + 1) & (index.count - 1)
        }
        return nil
    }

    private mutating func enter(_ place: Int, _ hash: UInt32) {
        var at = Int(hash) & (index.count - 1)
        while index[at] != 0 { at = (at + 1) & (index.count - 1) }
        index[at] = UInt32(place + 1)
    }

    /// Those behind it move up, so that none is cut off from where its search begins.
    private mutating func takeOut(_ start: Int) {
        let mask = index.count - 1
        var (hole, at) = (start, start)
        while true {
            at = (at + 1) & mask
            if index[at] == 0 { break }
            let home = Int(hashes[Int(index[at] - 1)]) & mask
            if (at - home) & mask >= (at - hole) & mask {
                index[hole] = index[at]
                hole = at
            }
        }
        index[hole] = 0
    }

    private mutating func grow() {
        index = Array(repeating: 0, count: index.count * 2)
        for place in places.indices where places[place] != Self.free { enter(place, hashes[place]) }
    }

    // MARK: Blocks

    private static func split(_ place: UInt64) -> (block: Int, offset: Int) {
        (Int(place >> 32), Int(place & 0xffff_ffff))
    }

    private func contents(_ number: Int) throws -> [UInt8] {
        guard let stored = blocks[number].stored else { return blocks[number].bytes }
        guard let store else { preconditionFailure("a block is stored and there is no store") }
        let bytes = try store.read(stored)
        if bytes.count != blocks[number].size { throw DamagedBlock("block \(stored)", "it has another size") }
        return bytes
    }

    private func withRecord<R>(_ place: Int, _ body: (ArenaRecord) throws -> R) throws -> R {
        let (number, offset) = Self.split(places[place])
        if blocks[number].stored == nil {
            return try blocks[number].bytes.withUnsafeBytes { try body(ArenaRecord($0, at: offset)) }
        }
        return try contents(number).withUnsafeBytes { try body(ArenaRecord($0, at: offset)) }
    }

    private mutating func append(
        _ key: Bytes, _ value: UnsafeRawBufferPointer, _ revision: Int64, _ expires: Timestamp?, _ place: Int
    ) -> UInt64 {
        let size = ArenaRecord.size(key.count, value.count)
        let number = room(for: size)
        let offset = blocks[number].size
        key.withUnsafeBytes {
            ArenaRecord.append(to: &blocks[number].bytes, $0, value, revision, expires, place)
        }
        blocks[number].size += size
        blocks[number].live += size
        return UInt64(number) << 32 | UInt64(offset)
    }

    private mutating func room(for size: Int) -> Int {
        if let open, blocks[open].size + size <= Self.blockBytes { return open }
        if let open, store != nil { sealed.append((open, blocks[open].life)) }
        let number = vacantBlocks.popLast() ?? blocks.count
        if number == blocks.count { blocks.append(Block()) }
        let capacity = max(size, Self.blockBytes)
        blocks[number].bytes.reserveCapacity(capacity)
        held += capacity
        open = number
        return number
    }

    /// A record is of no use any more.
    private mutating func release(_ place: UInt64, _ size: Int) throws {
        let number = Self.split(place).block
        blocks[number].live -= size
        if number == open { return }
        if blocks[number].live == 0 {
            vacate(number)
        } else if blocks[number].live * 2 < blocks[number].size {
            try move(number)
        }
    }

    private mutating func vacate(_ number: Int) {
        if let stored = blocks[number].stored {
            store?.drop(stored)
            self.stored -= 1
        } else {
            held -= max(blocks[number].size, Self.blockBytes)
        }
        blocks[number] = Block(life: blocks[number].life &+ 1)
        vacantBlocks.append(number)
    }

    /// What is of use in a block goes behind the newest.
    private mutating func move(_ number: Int) throws {
        let bytes = try contents(number)
        var offset = 0
        while offset < bytes.count {
            let size = bytes.withUnsafeBytes { all in
                let record = ArenaRecord(all, at: offset)
                if record.place < places.count, places[record.place] == UInt64(number) << 32 | UInt64(offset) {
                    places[record.place] = append(
                        Bytes(record.key), record.value, record.revision, record.expires, record.place)
                }
                return record.size
            }
            offset += size
        }
        vacate(number)
    }

    /// The oldest blocks go to the store while there are too many in memory. One that the store does not take stays.
    private mutating func spill() throws {
        guard let store else { return }
        while held > memory, firstSealed < sealed.count {
            let (number, life) = sealed[firstSealed]
            firstSealed += 1
            if firstSealed * 2 > sealed.count {
                sealed.removeFirst(firstSealed)
                firstSealed = 0
            }
            if blocks[number].life != life { continue }
            blocks[number].stored = try store.write(blocks[number].bytes)
            blocks[number].bytes = []
            held -= max(blocks[number].size, Self.blockBytes)
            stored += 1
        }
    }
}

/// A record in a block, in the machine's own byte order:
///
///     place(4) key length(4) value length(4) revision(8) expiry(8), the least number of all where there is none; key; value
struct ArenaRecord {
    private static let head = 28

    let place: Int
    let key: UnsafeRawBufferPointer
    let value: UnsafeRawBufferPointer
    let revision: Int64
    let expires: Timestamp?

    var size: Int { Self.size(key.count, value.count) }
    static func size(_ key: Int, _ value: Int) -> Int { head + key + value }

    init(_ block: UnsafeRawBufferPointer, at offset: Int) {
        place = Int(block.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        let keyBytes = Int(block.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
        let valueBytes = Int(block.loadUnaligned(fromByteOffset: offset + 8, as: UInt32.self))
        revision = block.loadUnaligned(fromByteOffset: offset + 12, as: Int64.self)
        let moment = block.loadUnaligned(fromByteOffset: offset + 20, as: Int64.self)
        expires = moment == .min ? nil : Timestamp(moment)
        let start = offset + Self.head
        key = UnsafeRawBufferPointer(rebasing: block[start..<start + keyBytes])
        value = UnsafeRawBufferPointer(rebasing: block[start + keyBytes..<start + keyBytes + valueBytes])
    }

    static func append(
        to block: inout [UInt8], _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ revision: Int64,
        _ expires: Timestamp?, _ place: Int
    ) {
        withUnsafeBytes(of: UInt32(place)) { block.append(contentsOf: $0) }
        withUnsafeBytes(of: UInt32(key.count)) { block.append(contentsOf: $0) }
        withUnsafeBytes(of: UInt32(value.count)) { block.append(contentsOf: $0) }
        withUnsafeBytes(of: revision) { block.append(contentsOf: $0) }
        withUnsafeBytes(of: expires?.rawValue ?? .min) { block.append(contentsOf: $0) }
        block.append(contentsOf: key)
        block.append(contentsOf: value)
    }
}

extension UnsafeRawBufferPointer {
    func elementsEqual(_ bytes: Bytes) -> Bool {
        count == bytes.count && bytes.withUnsafeBytes { elementsEqual($0) }
    }
}
