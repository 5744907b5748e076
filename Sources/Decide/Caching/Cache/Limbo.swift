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
    private var reading: UInt64 = 0

    var count: Int { younger.count + elder.count }

    mutating func retire(_ one: Retired<Key, Value>) { younger.append(one) }

    /// What is free by now; to be freed when all locks are open, for it may run others' code.
    mutating func free(_ stripes: ReadStripes) -> [Retired<Key, Value>] {
        if count == 0 { return [] }
        var free: [Retired<Key, Value>] = []
        repeat {
            if !elder.isEmpty { reading = stripes.reading(of: reading) }
            if elder.isEmpty || reading == 0 {
                free += elder
                (elder, younger) = (younger, [])
                reading = stripes.reading()
                if reading == 0 {
                    free += elder
                    elder = []
                }
            }
        } while count > Self.most
        return free
    }
}

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
