internal import EventModel

/// Sums of a copy's keys and values: 256 leaves, each of the keys of one range of hashes, 16 branches of 16 leaves, and a root.
///
/// Copies that have folded the same events have the same tree, whatever their memory looks like. Where roots differ, the
/// branches and then the leaves say which keys do (Merkle, 1987; as Dynamo compares replicas). A leaf is the sum of its keys' hashes, so
/// the order of keys does not count. FNV-1a tells what differs by accident, not by malice.
package struct ChecksumTree: Sendable, Hashable {
    package static let width = 16
    package private(set) var leaves = [UInt64](repeating: 0, count: width * width)

    package init() {}

    /// The leaf of a key.
    static func leaf(of key: UnsafeRawBufferPointer) -> Int {
        var hash = FNV1a()
        hash.add(key)
        return Int((hash.value ^ hash.value >> 32) & 0xff)
    }

    mutating func add(
        _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ revision: Int64, _ expires: Timestamp?
    ) {
        var hash = FNV1a()
        hash.add(number: Int64(key.count))
        hash.add(key)
        hash.add(value)
        hash.add(number: revision)
        hash.add(number: expires?.rawValue ?? .min)
        leaves[Self.leaf(of: key)] &+= hash.value
    }

    package var branches: [UInt64] {
        (0..<Self.width).map { branch in Self.sum(leaves[branch * Self.width..<(branch + 1) * Self.width]) }
    }
    package var root: UInt64 { Self.sum(branches[...]) }

    /// The leaves that are not the same in both.
    package func differences(from other: ChecksumTree) -> Set<Int> {
        if root == other.root { return [] }
        let (own, others) = (branches, other.branches)
        var found: Set<Int> = []
        for branch in own.indices where own[branch] != others[branch] {
            for leaf in branch * Self.width..<(branch + 1) * Self.width where leaves[leaf] != other.leaves[leaf] {
                found.insert(leaf)
            }
        }
        return found
    }

    private static func sum(_ numbers: ArraySlice<UInt64>) -> UInt64 {
        var hash = FNV1a()
        for number in numbers { hash.add(number: Int64(bitPattern: number)) }
        return hash.value
    }
}
