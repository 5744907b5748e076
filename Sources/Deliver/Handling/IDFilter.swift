/// Tells ids that were surely never added: a Bloom filter (Bloom, *Space/time trade-offs in hash coding with allowable
/// errors*, 1970) that grows by one four times as large when it is full (Almeida et al., *Scalable Bloom Filters*, 2007).
///
/// Two bytes an id where it is full, ten where it has just grown. Of ids that were not added, about one in a thousand is
/// taken for one that was.
struct IDFilter: Sendable {
    /// The most ids it holds. Above, it answers that any id may be there, so that its memory has a limit.
    let limit: Int
    private static let first = 4096
    private static let bitsAnID = 16
    private static let probes = 8

    private struct Layer {
        var words: [UInt64]
        var room: Int
    }
    private var layers: [Layer] = []
    private var count = 0
    private(set) var isFull = false

    init(limit: Int = 4_000_000) { self.limit = limit }

    mutating func add(_ id: some Hashable) {
        if mayHave(id) { return }
        if count >= limit {
            (layers, isFull) = ([], true)
            return
        }
        if layers.last.map({ $0.room == 0 }) ?? true {
            let ids = Self.first << (2 * layers.count)
            layers.append(Layer(words: [UInt64](repeating: 0, count: ids * Self.bitsAnID / 64), room: ids))
        }
        let last = layers.count - 1
        var walk = Walk(id, bits: layers[last].words.count * 64)
        for _ in 0..<Self.probes {
            let (word, bit) = walk.next()
            layers[last].words[word] |= bit
        }
        layers[last].room -= 1
        count += 1
    }

    /// False where the id was never added.
    func mayHave(_ id: some Hashable) -> Bool {
        if isFull { return true }
        return layers.contains { layer in
            var walk = Walk(id, bits: layer.words.count * 64)
            for _ in 0..<Self.probes {
                let (word, bit) = walk.next()
                if layer.words[word] & bit == 0 { return false }
            }
            return true
        }
    }

    /// The bits of an id: in steps of one hash from another (Kirsch and Mitzenmacher, *Less Hashing, Same Performance*,
    /// 2006). Their number is a power of two and the step is odd, so that no two are the same.
    private struct Walk {
        private var at: UInt64
        private let step: UInt64
        private let mask: UInt64

        init(_ id: some Hashable, bits: Int) {
            at = UInt64(truncatingIfNeeded: id.hashValue)
            step = at >> 32 | 1
            mask = UInt64(bits - 1)
        }

        mutating func next() -> (word: Int, bit: UInt64) {
            defer { at &+= step }
            return (Int((at & mask) >> 6), 1 << (at & 63))
        }
    }
}
