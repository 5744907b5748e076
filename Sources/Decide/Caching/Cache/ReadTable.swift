public import Synchronization

/// What a cache holds of a key. Never changed once it is in a table, but for who is next.
@usableFromInline
struct CacheNode<Key: Hashable & Sendable, Value: Sendable>: ~Copyable {
    @usableFromInline typealias Link = UnsafeMutablePointer<CacheNode>?

    @usableFromInline let identity: UInt64
    @usableFromInline let next: Atomic<Link>
    @usableFromInline let key: Key
    @usableFromInline let entry: CacheEntry<Value>

    init(_ identity: UInt64, _ next: Link, _ key: Key, _ entry: CacheEntry<Value>) {
        (self.identity, self.key, self.entry) = (identity, key, entry)
        self.next = Atomic(next)
    }

    /// A copy that leads elsewhere.
    init(_ other: borrowing CacheNode, before next: Link) { self.init(other.identity, next, other.key, other.entry) }
}

@usableFromInline
struct CacheEntry<Value: Sendable>: Sendable {
    @usableFromInline var value: Value?
    /// When it is over, in the clock's nanoseconds.
    @usableFromInline var expires: Int64
    var version: UInt64
    var weight: Int
}

/// The chains of one part of a table.
@usableFromInline
struct CacheBuckets<Key: Hashable & Sendable, Value: Sendable>: ~Copyable {
    @usableFromInline typealias Node = CacheNode<Key, Value>

    @usableFromInline let heads: UnsafeMutablePointer<Atomic<Node.Link>>
    @usableFromInline let mask: Int
    /// How many nodes are in them. Atomic though only one thread writes it: readers may have all of this read at once.
    let count = Atomic<Int>(0)

    init(size: Int) {
        (heads, mask) = (.allocate(capacity: size), size - 1)
        for i in 0..<size { (heads + i).initialize(to: Atomic(nil)) }
    }

    deinit { heads.deallocate() }

    @inlinable @inline(__always)
    func head(_ mixed: UInt64) -> UnsafeMutablePointer<Atomic<Node.Link>> {
        heads + Int(truncatingIfNeeded: mixed >> 32) & mask
    }
}

/// Entries by their identity, in chains that are read without a lock and changed by one thread at a time, who has the policy's lock.
///
/// A reader must be within ``ReadStripe/enter(_:)`` and ``ReadStripe/leave(_:)`` while it looks at a node. Who changes a chain makes new nodes
/// and takes out old ones, which still lead on to what follows; they go to a ``Limbo`` until no reader can be at them. All links are loaded
/// and stored sequentially consistent, as the counts of readers are: a reader whose count was not seen yet does not find what was taken out
/// before. In parts, so that it grows in parts.
@usableFromInline
struct ReadTable<Key: Hashable & Sendable, Value: Sendable>: @unchecked Sendable {
    @usableFromInline typealias Node = CacheNode<Key, Value>
    @usableFromInline typealias Buckets = CacheBuckets<Key, Value>
    private static var leastSize: Int { 8 }

    /// Allocated once and freed by the cache that has it; the pointers in it are atomic. That is why it may be shared.
    @usableFromInline let parts: UnsafeMutablePointer<Atomic<UnsafeMutablePointer<Buckets>>>
    @usableFromInline let partMask: Int

    /// - Parameter count: A power of two.
    init(parts count: Int) {
        (parts, partMask) = (.allocate(capacity: count), count - 1)
        for i in 0..<count { (parts + i).initialize(to: Atomic(Self.made(Self.leastSize))) }
    }

    private static func made(_ size: Int) -> UnsafeMutablePointer<Buckets> {
        let made = UnsafeMutablePointer<Buckets>.allocate(capacity: 1)
        made.initialize(to: Buckets(size: size))
        return made
    }

    /// Frees it and all that it has.
    func free() {
        for part in 0...partMask {
            let buckets = parts[part].load(ordering: .acquiring)
            for bucket in 0...buckets.pointee.mask {
                var link = buckets.pointee.heads[bucket].load(ordering: .acquiring)
                while let node = link {
                    link = node.pointee.next.load(ordering: .acquiring)
                    Retired.node(node).free()
                }
            }
            Retired.buckets(buckets).free()
        }
        parts.deallocate()
    }

    @inlinable @inline(__always)
    func find(_ identity: UInt64) -> UnsafeMutablePointer<Node>? {
        let mixed = UInt64.mixed(identity)
        let buckets = parts[Int(truncatingIfNeeded: mixed) & partMask].load(ordering: .sequentiallyConsistent)
        var link = buckets.pointee.head(mixed).pointee.load(ordering: .sequentiallyConsistent)
        while let node = link {
            if node.pointee.identity == identity { return node }
            link = node.pointee.next.load(ordering: .sequentiallyConsistent)
        }
        return nil
    }

    /// How many entries are held. For who has the policy's lock.
    var count: Int {
        (0...partMask).reduce(0) { $0 + parts[$1].load(ordering: .acquiring).pointee.count.load(ordering: .relaxed) }
    }

    /// Puts in an entry; what was there of its identity is taken out. For who has the policy's lock.
    func insert(_ identity: UInt64, _ key: Key, _ entry: CacheEntry<Value>, retiring limbo: inout Limbo<Key, Value>) {
        let place = place(of: identity)
        let isNew = place.node == nil
        let next =
            isNew ? place.head.pointee.load(ordering: .acquiring) : place.node?.pointee.next.load(ordering: .acquiring)
        let node = UnsafeMutablePointer<Node>.allocate(capacity: 1)
        node.initialize(to: Node(identity, next, key, entry))
        place.lead(to: node)
        if let old = place.node { return limbo.retire(.node(old), weight: old.pointee.entry.weight) }
        let count = place.buckets.pointee.count.wrappingAdd(1, ordering: .relaxed).newValue
        if count > place.buckets.pointee.mask { grow(identity, retiring: &limbo) }
    }

    /// Takes out an entry, and says whose it was. For who has the policy's lock.
    func remove(_ identity: UInt64, retiring limbo: inout Limbo<Key, Value>) -> Key? {
        let place = place(of: identity)
        guard let node = place.node else { return nil }
        place.lead(to: node.pointee.next.load(ordering: .acquiring))
        place.buckets.pointee.count.wrappingSubtract(1, ordering: .relaxed)
        limbo.retire(.node(node), weight: node.pointee.entry.weight)
        return node.pointee.key
    }

    /// Where in a chain an identity is, or would be.
    private struct Place {
        let buckets: UnsafeMutablePointer<Buckets>
        let head: UnsafeMutablePointer<Atomic<Node.Link>>
        let previous: Node.Link
        let node: Node.Link

        /// Leads readers that come here past the node to another.
        func lead(to link: Node.Link) {
            if let previous {
                previous.pointee.next.store(link, ordering: .sequentiallyConsistent)
            } else {
                head.pointee.store(link, ordering: .sequentiallyConsistent)
            }
        }
    }

    private func place(of identity: UInt64) -> Place {
        let mixed = UInt64.mixed(identity)
        let buckets = parts[Int(truncatingIfNeeded: mixed) & partMask].load(ordering: .acquiring)
        let head = buckets.pointee.head(mixed)
        var (previous, link) = (Node.Link.none, head.pointee.load(ordering: .acquiring))
        while let node = link, node.pointee.identity != identity {
            (previous, link) = (node, node.pointee.next.load(ordering: .acquiring))
        }
        return Place(buckets: buckets, head: head, previous: link == nil ? nil : previous, node: link)
    }

    /// Twice as many chains for the part of an identity. Readers may be in the old ones, so the nodes are copied.
    private func grow(_ identity: UInt64, retiring limbo: inout Limbo<Key, Value>) {
        let part = Int(truncatingIfNeeded: UInt64.mixed(identity)) & partMask
        let old = parts[part].load(ordering: .acquiring)
        let new = Self.made(2 * (old.pointee.mask + 1))
        new.pointee.count.store(old.pointee.count.load(ordering: .relaxed), ordering: .relaxed)
        for bucket in 0...old.pointee.mask {
            var link = old.pointee.heads[bucket].load(ordering: .acquiring)
            while let node = link {
                let head = new.pointee.head(UInt64.mixed(node.pointee.identity))
                let copy = UnsafeMutablePointer<Node>.allocate(capacity: 1)
                copy.initialize(to: Node(node.pointee, before: head.pointee.load(ordering: .relaxed)))
                head.pointee.store(copy, ordering: .relaxed)
                link = node.pointee.next.load(ordering: .acquiring)
                limbo.retire(.node(node))
            }
        }
        parts[part].store(new, ordering: .sequentiallyConsistent)
        limbo.retire(.buckets(old))
    }
}
