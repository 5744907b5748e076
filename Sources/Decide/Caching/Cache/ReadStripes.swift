public import Synchronization

/// What readers write: for each of some groups of threads a few lines of memory of its own, so that readers on different processors share
/// none. It says how many look something up right now, how many did, and what was read lately.
///
/// - **Who is reading.** A look-up is between ``ReadStripe/enter(_:)`` and ``ReadStripe/leave(_:)``. Who took something out of the table and
///   then sees a stripe without readers knows that nobody of that stripe holds it any more; see ``Limbo``.
/// - **What was read** is in a ring: a reader stamps it and never waits. Where nobody drains it in time, the oldest are overwritten; a
///   policy does without some reads (BP-Wrapper: Ding, Jiang and Zhang, ICDE 2009; Caffeine does so too).
/// - **How much of it.** Whom a policy evicts is decided by writes. Where a ring is filled again and again with no write in between, each
///   time half as many reads are stamped, down to one of sixteen; a write makes it all of them again.
@usableFromInline
struct ReadStripes: @unchecked Sendable {
    @usableFromInline static let count = 64
    /// How many reads a ring holds.
    @usableFromInline static let length = 64
    /// One of two to this many reads is stamped at least.
    static let mostShift: UInt64 = 4

    /// Allocated once and freed by the cache that has it; each word is atomic. That is why it may be shared. The first line says which
    /// stripes were ever used.
    @usableFromInline let words: UnsafeMutablePointer<Atomic<UInt64>>

    init() {
        let words = ReadStripe.header + Self.count * ReadStripe.words
        // Lines have 64 bytes; processors fetch them in pairs.
        let raw = UnsafeMutableRawPointer.allocate(byteCount: words * MemoryLayout<UInt64>.stride, alignment: 128)
        self.words = raw.bindMemory(to: Atomic<UInt64>.self, capacity: words)
        for i in 0..<words { (self.words + i).initialize(to: Atomic(0)) }
    }

    func free() { words.deallocate() }

    @inlinable @inline(__always)
    subscript(index: Int) -> ReadStripe { ReadStripe(word: words + (ReadStripe.header + index * ReadStripe.words)) }

    /// The stripe of this thread: threads have their stacks far apart, so the place of a local variable tells them apart.
    @inlinable @inline(__always)
    var own: ReadStripe {
        var here: UInt8 = 0
        let address = withUnsafeMutablePointer(to: &here) { UInt64(UInt(bitPattern: $0)) >> 16 }
        let index = (address &* 0x9E37_79B9_7F4A_7C15) >> 58
        // Before anybody enters it, so that who looks for readers does not pass it over.
        if words[0].load(ordering: .acquiring) & (1 &<< index) == 0 { use(index) }
        return self[Int(truncatingIfNeeded: index)]
    }

    @usableFromInline
    func use(_ index: UInt64) { words[0].bitwiseOr(1 << index, ordering: .sequentiallyConsistent) }

    /// Goes through those of some stripes that were ever used.
    func forEach(of some: UInt64 = .max, _ body: (Int, ReadStripe) -> Void) {
        var left = some & words[0].load(ordering: .sequentiallyConsistent)
        while left != 0 {
            let index = left.trailingZeroBitCount
            left &= left - 1
            body(index, self[index])
        }
    }

    /// Of some stripes, a bit for each, those where somebody reads now.
    func reading(of some: UInt64 = .max, in phase: UInt64) -> UInt64 {
        var reading: UInt64 = 0
        forEach(of: some) { index, stripe in if stripe.isRead(in: phase) { reading |= 1 << UInt64(index) } }
        return reading
    }

    /// Among whom a reader counts itself: 0 or 1. Which of them it is is right in any case; where it changes, those of the other one
    /// become fewer, however many come.
    @inlinable @inline(__always)
    var phase: UInt64 { words[1].load(ordering: .relaxed) }
    func setPhase(_ phase: UInt64) { words[1].store(phase, ordering: .relaxed) }

    func index(of stripe: ReadStripe) -> Int { (stripe.word - words - ReadStripe.header) / ReadStripe.words }
}

/// One stripe of ``ReadStripes``.
@usableFromInline
struct ReadStripe {
    /// Of two pairs of lines: the counts, then the ring.
    @usableFromInline static let header = 16
    @usableFromInline static let words = header + ReadStripes.length
    /// How many read now is in two numbers of so many bits, one for each ``ReadStripes/phase``.
    @usableFromInline static let readerBits: UInt64 = 12
    /// Above so many bits is how many looked something up. At 50 million look-ups a second on one processor that begins anew after six
    /// hours, so who asks goes on from what was known before: see ``lookups(since:)``.
    @usableFromInline static let countBits: UInt64 = 24

    @usableFromInline let word: UnsafeMutablePointer<Atomic<UInt64>>

    @inlinable @inline(__always)
    init(word: UnsafeMutablePointer<Atomic<UInt64>>) { self.word = word }

    /// Begins a look-up. Returns its number.
    @inlinable @inline(__always)
    func enter(_ phase: UInt64) -> UInt64 {
        let one = 1 << Self.countBits | 1 &<< (phase &* Self.readerBits) as UInt64
        return word[0].wrappingAdd(one, ordering: .sequentiallyConsistent).oldValue >> Self.countBits
    }

    /// Begins to read the table where that is no look-up of its own.
    func enterAgain(_ phase: UInt64 = 0) {
        word[0].wrappingAdd(1 &<< (phase &* Self.readerBits), ordering: .sequentiallyConsistent)
    }

    /// What was found is copied by now.
    @inlinable @inline(__always)
    func leave(_ phase: UInt64 = 0) { word[0].wrappingSubtract(1 &<< (phase &* Self.readerBits), ordering: .releasing) }

    @inlinable @inline(__always)
    func countMiss() { word[1].wrappingAdd(1, ordering: .relaxed) }

    @inlinable @inline(__always)
    func countAbsentHit() { word[2].wrappingAdd(1, ordering: .relaxed) }

    func isRead(in phase: UInt64) -> Bool {
        word[0].load(ordering: .sequentiallyConsistent) >> (phase * Self.readerBits) & (1 << Self.readerBits - 1) != 0
    }
    /// How many, from a number before on that is less than 2^40 behind.
    func lookups(since before: UInt64) -> UInt64 {
        before &+ ((word[0].load(ordering: .relaxed) >> Self.countBits &- before) & (1 << (64 - Self.countBits) - 1))
    }
    var misses: UInt64 { word[1].load(ordering: .relaxed) }
    var absentHits: UInt64 { word[2].load(ordering: .relaxed) }

    /// Of two to this many reads one is stamped.
    var shift: UInt64 {
        get { word[3].load(ordering: .relaxed) }
        nonmutating set { word[3].store(newValue, ordering: .relaxed) }
    }

    /// Notes what the look-up of a number read. True where the ring is full.
    @inlinable @inline(__always)
    func stamp(_ identity: UInt64, number: UInt64) -> Bool {
        let shift = word[3].load(ordering: .relaxed)
        guard number & (1 &<< shift &- 1) == 0 else { return false }
        let at = Int(truncatingIfNeeded: number &>> shift) & (ReadStripes.length - 1)
        word[Self.header + at].store(identity, ordering: .relaxed)
        return at == ReadStripes.length - 1
    }

    /// Tells what was stamped from a number on, the oldest first, and returns the number to go on from. One at a time.
    func drain(from: UInt64, _ body: (UInt64) -> Void) -> UInt64 {
        let (end, step, length) = (lookups(since: from), 1 << shift as UInt64, UInt64(ReadStripes.length))
        if end == from { return from }
        let (last, first) = ((end &+ step &- 1) / step, (from &+ step &- 1) / step)
        var number = last &- first > length ? last &- length : first
        while number != last {
            let slot = word + (Self.header + Int(truncatingIfNeeded: number) & (ReadStripes.length - 1))
            number &+= 1
            let identity = slot.pointee.load(ordering: .relaxed)
            if identity == 0 { continue }
            slot.pointee.store(0, ordering: .relaxed)
            body(identity)
        }
        return end
    }
}
