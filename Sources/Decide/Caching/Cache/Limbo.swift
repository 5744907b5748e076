#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// What was taken out of a ``ReadTable``, until no reader can be at it any more.
///
/// It waits in two lots. Of the elder it is known in which stripes somebody read since it was taken out; when each of them was seen without
/// readers once, it is free. Nobody who came later can have found it.
struct Limbo<Key: Hashable & Sendable, Value: Sendable>: @unchecked Sendable {
    /// With more than this, a writer waits for the readers.
    static var most: Int { 1_024 }

    // The pointers are followed by who frees them only, once.
    private var younger: [Retired<Key, Value>] = []
    private var elder: [Retired<Key, Value>] = []
    private var reading: (UInt64, UInt64) = (0, 0)

    var count: Int { younger.count + elder.count }

    /// What they weigh, those aside that are held elsewhere as well.
    private var weights = (younger: 0, elder: 0)

    mutating func retire(_ one: Retired<Key, Value>, weight: Int = 0) {
        younger.append(one)
        weights.younger += weight
    }

    /// What is free by now; to be freed when all locks are open, for it may run others' code.
    mutating func free(_ stripes: ReadStripes) -> [Retired<Key, Value>] {
        if count == 0 { return [] }
        var free: [Retired<Key, Value>] = []
        if !elder.isEmpty {
            reading.0 = stripes.reading(of: reading.0, in: 0)
            reading.1 = stripes.reading(of: reading.1, in: 1)
            // Who comes from now on counts itself among the others, so those become fewer.
            if reading.0 != 0, reading.1 == 0 { stripes.setPhase(1) }
            if reading.1 != 0, reading.0 == 0 { stripes.setPhase(0) }
        }
        if elder.isEmpty || reading == (0, 0) {
            free += elder
            (elder, younger) = (younger, [])
            weights = (0, weights.younger)
            reading = (stripes.reading(in: 0), stripes.reading(in: 1))
            if reading == (0, 0) {
                free += elder
                elder = []
                weights.elder = 0
            }
        }
        return free
    }

    func isFull(_ capacity: Int) -> Bool {
        count > Self.most || weights.younger + weights.elder > max(capacity, Self.most)
    }
}

/// Lets others have the processor.
func giveWay() { sched_yield() }

/// One thing that was taken out.
enum Retired<Key: Hashable & Sendable, Value: Sendable>: @unchecked Sendable {
    // Whoever has it is the only one to follow the pointer.
    case node(UnsafeMutablePointer<CacheNode<Key, Value>>)
    case buckets(UnsafeMutablePointer<CacheBuckets<Key, Value>>)

    func free() {
        switch self {
        case .node(let node):
            node.deinitialize(count: 1)
            node.deallocate()
        case .buckets(let buckets):
            buckets.deinitialize(count: 1)
            buckets.deallocate()
        }
    }
}
