package import EventModel

/// A key that is otherwise in one copy than in another.
package struct KeyDifference: Sendable, Hashable {
    package var key: Bytes
    /// Its range of the checksum tree's 256.
    package var range: Int
    /// What is there; nil where the key is not.
    package var found: KeyCopy.Entry?
    /// What should be.
    package var expected: KeyCopy.Entry?

    /// How the key differs, for people.
    package var words: String {
        let key = Shown.text(key.text)
        guard let found else { return "\(key) is missing" }
        guard let expected else { return "\(key) should not be there" }
        if found.revision != expected.revision {
            return "\(key) has revision \(found.revision), not \(expected.revision)"
        }
        return found.value == expected.value ? "\(key) expires at another time" : "\(key) has another value"
    }
}

extension KeyCopy {
    /// The keys of which this copy is not as another, found by the ranges of ``checksums()``, in the order of their bytes.
    ///
    /// - Throws: ``DamagedBlock``.
    package func differences(from expected: KeyCopy) throws -> [KeyDifference] {
        try differences(from: expected, in: checksums().differences(from: expected.checksums()))
    }

    /// The same of some ranges.
    func differences(from expected: KeyCopy, in leaves: Set<Int>) throws -> [KeyDifference] {
        if leaves.isEmpty { return [] }
        let (own, others) = (try entries(of: leaves), try expected.entries(of: leaves))
        let keys = Set(own.keys).union(others.keys).filter { own[$0]?.entry != others[$0]?.entry }
        return keys.sorted { $0.slice.lexicographicallyPrecedes($1.slice) }.map { key in
            KeyDifference(
                key: key, range: own[key]?.leaf ?? others[key]?.leaf ?? 0, found: own[key]?.entry,
                expected: others[key]?.entry)
        }
    }

    private func entries(of leaves: Set<Int>) throws -> [Bytes: (leaf: Int, entry: Entry)] {
        var found: [Bytes: (leaf: Int, entry: Entry)] = [:]
        _ = try table.each(from: 0, places: .max) { key, value, revision, expires in
            let leaf = ChecksumTree.leaf(of: key)
            if leaves.contains(leaf) {
                found[Bytes(key)] = (leaf, Entry(value: [UInt8](value), revision: revision, expires: expires))
            }
        }
        return found
    }

    /// Takes over what another copy has of some ranges of ``checksums()``; its own keys of them go.
    ///
    /// - Returns: how many of its keys went, came or changed.
    package mutating func replace(_ leaves: Set<Int>, from other: KeyCopy) throws -> Int {
        let all = try differences(from: other, in: leaves)
        for one in all {
            if let entry = one.expected {
                try entry.value.withUnsafeBytes { try table.set(one.key, $0, entry.revision, entry.expires) }
            } else {
                try table.remove(one.key)
            }
        }
        return all.count
    }
}
