internal import Synchronization

/// What was read lately, for the policy to be told later: some small rings, so that readers do not wait for one lock or one line of a
/// processor's cache. A ring that is full, or where two writers meet, loses the read; a policy does without some of them (the idea is
/// BP-Wrapper's, Ding, Jiang and Zhang, ICDE 2009, and Caffeine's). Counts of reads are kept here for the same reason.
final class ReadBuffers: Sendable {
    static let rings = 16
    static let length = 32

    /// One ring. Slots hold keys; 0 is one that is not written yet.
    final class Ring: Sendable {
        let head = Atomic<Int>(0)
        let tail = Atomic<Int>(0)
        let hits = Atomic<Int>(0)
        let misses = Atomic<Int>(0)
        let absentHits = Atomic<Int>(0)
        let lost = Atomic<Int>(0)
        /// Allocated here, freed in deinit, and each slot is atomic: that is why it may be shared.
        private nonisolated(unsafe) let slots: UnsafeMutablePointer<Atomic<UInt64>>

        init() {
            slots = .allocate(capacity: ReadBuffers.length)
            for i in 0..<ReadBuffers.length { (slots + i).initialize(to: Atomic(0)) }
        }

        deinit {
            slots.deinitialize(count: ReadBuffers.length)
            slots.deallocate()
        }

        /// True where the ring should be drained.
        func offer(_ key: UInt64) -> Bool {
            let at = tail.load(ordering: .relaxed)
            let filled = at &- head.load(ordering: .acquiring)
            guard filled < ReadBuffers.length,
                tail.compareExchange(expected: at, desired: at &+ 1, ordering: .relaxed).exchanged
            else {
                lost.add(1, ordering: .relaxed)
                return filled >= ReadBuffers.length
            }
            slots[at & (ReadBuffers.length - 1)].store(key == 0 ? 1 : key, ordering: .releasing)
            return filled + 1 >= ReadBuffers.length / 2
        }

        /// One at a time may drain: who has the policy's lock.
        func drain(_ body: (UInt64) -> Void) {
            var at = head.load(ordering: .relaxed)
            let end = tail.load(ordering: .acquiring)
            while at != end {
                let key = slots[at & (ReadBuffers.length - 1)].exchange(0, ordering: .acquiring)
                // Claimed but not written yet: it is for the next time.
                if key == 0 { break }
                body(key)
                at &+= 1
            }
            head.store(at, ordering: .releasing)
        }
    }

    let all: [Ring] = (0..<ReadBuffers.rings).map { _ in Ring() }

    /// The ring of this thread: threads have their stacks far apart, so the place of a local variable tells them apart.
    @inline(__always)
    var own: Ring {
        var here: UInt8 = 0
        let address = withUnsafeMutablePointer(to: &here) { UInt64(UInt(bitPattern: $0)) >> 16 }
        return all[Int(truncatingIfNeeded: UInt64.mixed(address)) & (Self.rings - 1)]
    }
}
