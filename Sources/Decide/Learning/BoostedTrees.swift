#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Trees whose sum is the log-odds of a thing (Friedman 2001, "Greedy function approximation"). A tree is complete: at each of its inner nodes
/// a feature below a threshold goes left.
package struct BoostedTrees: Hashable, Sendable {
    /// Of each tree, 2^depth - 1 inner nodes: the children of node n are 2n + 1 and 2n + 2.
    package var features: [UInt8] = []
    package var thresholds: [Float] = []
    /// Of each tree, 2^depth leaves.
    package var leaves: [Float] = []
    package let depth: Int
    /// The log-odds before any tree.
    package var base: Float

    package init(depth: Int, base: Float) { (self.depth, self.base) = (depth, base) }

    package var trees: Int { leaves.count >> depth }

    /// The log-odds.
    package func sum(_ values: [Float]) -> Float {
        var sum = base
        values.withUnsafeBufferPointer { values in
            for tree in 0..<trees { sum += leaves[tree << depth + leaf(tree, values)] }
        }
        return sum
    }

    /// Between 0 and 1.
    package func probability(_ values: [Float]) -> Double { 1 / (1 + exp(-Double(sum(values)))) }

    private func leaf(_ tree: Int, _ values: UnsafeBufferPointer<Float>) -> Int {
        let inner = 1 << depth - 1
        let first = tree * inner
        var node = 0
        for _ in 0..<depth {
            node = 2 * node + (values[Int(features[first + node])] < thresholds[first + node] ? 1 : 2)
        }
        return node - inner
    }

    /// Which features moved the sum the most, the most upward first: each feature's share is what the sum loses where the
    /// feature has the value of `usual`.
    package func reasons(_ values: [Float], usual: [Float], atMost limit: Int) -> [(feature: Int, share: Float)] {
        let whole = sum(values)
        return values.indices.map { feature -> (feature: Int, share: Float) in
            var other = values
            other[feature] = usual[feature]
            return (feature, whole - sum(other))
        }
        .filter { $0.share > 0.05 }
        .sorted { ($1.share, $0.feature) < ($0.share, $1.feature) }
        .prefix(limit).map { $0 }
    }
}

/// As text: numbers with spaces between, exactly.
extension BoostedTrees: LosslessStringConvertible {
    package var description: String {
        let numbers =
            ["\(depth)", "\(base)"]
            + (0..<trees).flatMap { tree -> [String] in
                let inner = 1 << depth - 1
                return (tree * inner..<(tree + 1) * inner).flatMap { ["\(features[$0])", "\(thresholds[$0])"] }
                    + (tree << depth..<(tree + 1) << depth).map { "\(leaves[$0])" }
            }
        return numbers.joined(separator: " ")
    }

    package init?(_ text: String) {
        var words = text.split(whereSeparator: \.isWhitespace)[...]
        guard let depth = words.popFirst().flatMap({ Int($0) }), (1...8).contains(depth),
            let base = words.popFirst().flatMap({ Float($0) })
        else { return nil }
        self.init(depth: depth, base: base)
        while !words.isEmpty {
            for _ in 0..<(1 << depth - 1) {
                guard let feature = words.popFirst().flatMap({ UInt8($0) }),
                    let threshold = words.popFirst().flatMap({ Float($0) })
                else { return nil }
                features.append(feature)
                thresholds.append(threshold)
            }
            for _ in 0..<(1 << depth) {
                guard let leaf = words.popFirst().flatMap({ Float($0) }) else { return nil }
                leaves.append(leaf)
            }
        }
    }
}
