/// How often each key was asked for lately, at most 15, in four bits and four places each: a count-min sketch (Cormode and
/// Muthukrishnan, J. Algorithms 2005) that is halved each time when so many requests came for each entry (Einziger, Friedman and Manes,
/// "TinyLFU: A Highly Efficient Cache Admission Policy", ACM Trans. Storage 2017). It never tells too little but for the halving.
///
/// It doubles as entries come, and keeps what it knows: a place is found by the low bits of a hash, so both halves begin as copies.
public struct FrequencySketch: Sendable {
    public static let mostFrequency = 15
    /// How many requests for each entry are a time for halving.
    public let requestsForEach: Int
    private static let least = 16
    private static let most = 1 << 26
    private static let lowBitOfEach: UInt64 = 0x1111_1111_1111_1111

    /// Sixteen counters each.
    private var words: [UInt64]
    private var mask: UInt64
    private var additions = 0
    /// For how many entries it is.
    public private(set) var entries: Int
    /// How many requests until all is halved.
    public var sampleSize: Int { requestsForEach * max(1, entries) }

    public init(entries: Int, halvedAfter requestsForEach: Int) {
        self.requestsForEach = max(1, requestsForEach)
        self.entries = max(1, entries)
        let size = min(max(self.entries, Self.least), Self.most).roundedUpToPowerOfTwo
        words = Array(repeating: 0, count: size)
        mask = UInt64(size - 1)
    }

    /// Makes it one for so many entries, where it was for less.
    public mutating func grow(to entries: Int) {
        guard entries > self.entries else { return }
        self.entries = entries
        while words.count < min(entries, Self.most) {
            words += words
            mask = UInt64(words.count - 1)
        }
    }

    @inline(__always)
    public func frequency(of key: UInt64) -> Int {
        let hash = UInt64.mixed(key)
        var least = UInt64(Self.mostFrequency)
        for row in 0..<4 {
            let (word, shift) = place(hash, row)
            least = min(least, (words[word] >> shift) & 15)
        }
        return Int(least)
    }

    @inline(__always)
    public mutating func increment(_ key: UInt64) {
        let hash = UInt64.mixed(key)
        var isAdded = false
        for row in 0..<4 {
            let (word, shift) = place(hash, row)
            if (words[word] >> shift) & 15 < 15 {
                words[word] += 1 << shift
                isAdded = true
            }
        }
        if isAdded {
            additions += 1
            if additions >= sampleSize { halve() }
        }
    }

    /// The word of a row, and where in it the counter is.
    @inline(__always)
    private func place(_ hash: UInt64, _ row: Int) -> (word: Int, shift: UInt64) {
        var h = (hash &+ UInt64(truncatingIfNeeded: row)) &* Self.seed(row)
        h ^= h >> 32
        // Which quarter of the word: the row's, so no two rows meet. Which of its four counters: two bits of the hash.
        let counter = UInt64(truncatingIfNeeded: row) << 2 | (hash >> (UInt64(truncatingIfNeeded: row) << 1)) & 3
        return (Int(truncatingIfNeeded: h & mask), counter << 2)
    }

    @inline(__always)
    private static func seed(_ row: Int) -> UInt64 {
        switch row {
        case 0: 0xC3A5_C85C_97CB_3127
        case 1: 0xB492_B66F_BE98_F273
        case 2: 0x9AE1_6A3B_2F90_404F
        default: 0xCBF2_9CE4_8422_2325
        }
    }

    private mutating func halve() {
        var odd = 0
        for i in words.indices {
            odd += (words[i] & Self.lowBitOfEach).nonzeroBitCount
            words[i] = (words[i] >> 1) & 0x7777_7777_7777_7777
        }
        additions = max(0, additions - odd / 4) / 2
    }
}
