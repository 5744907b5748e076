/// Which node a key belongs to: each node and key have a number, and the highest wins (Thaler and Ravishankar, IEEE/ACM Transactions on
/// Networking 1998). When a node goes, only its own keys move; when one comes, only those that it wins. A node of twice the weight gets
/// twice the keys (Schindelhauer and Schomaker, SPAA 2005).
///
/// The numbers follow from the bytes of the names alone, so every process of every machine says the same.
public struct RendezvousHash: Sendable, Hashable {
    public struct Node: Sendable, Hashable {
        public let name: String
        public let weight: Double
        /// - Parameter weight: Above zero; other nodes' weights say what it means.
        public init(_ name: String, weight: Double = 1) {
            precondition(weight > 0 && weight.isFinite, "a node has a weight above zero")
            (self.name, self.weight) = (name, weight)
        }
    }

    public let nodes: [Node]
    private let seeds: [UInt64]

    /// Nodes of one name are one: the last of them.
    public init(_ nodes: [Node]) {
        var byName: [String: Node] = [:]
        for node in nodes { byName[node.name] = node }
        self.nodes = byName.values.sorted { $0.name < $1.name }
        seeds = self.nodes.map { Self.hash($0.name) }
    }

    public init(_ names: [String]) { self.init(names.map { Node($0) }) }

    /// The node of a key; nil where there are no nodes.
    public func node(of key: String) -> String? { nodes(of: key, count: 1).first }

    /// The first nodes of a key, the owner first: the next are where its copies are, and who takes over.
    public func nodes(of key: String, count: Int) -> [String] {
        let hash = Self.hash(key)
        let scores = nodes.indices.map { (score: score(hash, $0), name: nodes[$0].name) }
        return scores.sorted { ($0.score, $1.name) > ($1.score, $0.name) }.prefix(max(0, count)).map(\.name)
    }

    private func score(_ key: UInt64, _ node: Int) -> Double {
        let bits = UInt64.mixed(seeds[node] ^ UInt64.mixed(key))
        // Above 0 and below 1.
        let uniform = (Double(bits >> 11) + 0.5) / Double(1 << 53)
        return -nodes[node].weight / Self.logarithm(uniform)
    }

    /// The natural logarithm of a number between 0 and 1, by addition and multiplication alone: the same to the bit on every machine.
    static func logarithm(_ x: Double) -> Double {
        let (exponent, significand) = (Double(x.exponent), x.significand)
        // ln(m) of 1 <= m < 2 by the series of artanh, to beyond a double's precision.
        let z = (significand - 1) / (significand + 1)
        let square = z * z
        var (term, sum) = (z, 0.0)
        for n in stride(from: 1, through: 41, by: 2) {
            sum += term / Double(n)
            term *= square
        }
        return exponent * 0.693147180559945309417 + 2 * sum
    }

    /// FNV-1a of the bytes, mixed.
    static func hash(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return UInt64.mixed(hash)
    }
}
