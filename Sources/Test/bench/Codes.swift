internal import ArgumentParser
internal import Foundation
internal import LinksDomain

/// Whether codes of links are given once, over as many as one has the patience for.
struct Codes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codes", abstract: "Look for two codes of links that are alike.",
        discussion: """
            All numbers of a space are permuted as those of codes are, and each must come once and be led back. Then as many
            places of the whole space, scattered by a seed, are given their codes: by the key that links have, and by others.
            A place is a bucket and a slot of it. All partitions share the space, and each has the places of its buckets.
            """)
    @Option(help: ArgumentHelp("Numbers of the smaller space; 0 leaves this out.", valueName: "n"))
    var exhaust: UInt64 = 1_000_000_000
    @Option(help: ArgumentHelp("Codes of six characters out of all \(CodeSpace.six.size).", valueName: "n"))
    var sample: UInt64 = 1_000_000_000
    @Option(help: ArgumentHelp("With how many keys; the first is that of links.", valueName: "n"))
    var keys = 1
    @Option(
        help: ArgumentHelp("What scatters the places and makes the other keys; drawn if not given.", valueName: "n"))
    var seed: UInt64?
    @Option(
        help: ArgumentHelp(
            "Memory for the sample, in megabytes: with less than \(Self.whole), it is made several times.",
            valueName: "MB"))
    var memory: UInt64 = Self.whole

    /// A bit for each code of six characters.
    private static let whole = CodeSpace.six.size / 8_000_000 + 1

    func validate() throws {
        if memory == 0 || keys < 1 { throw ValidationError("memory and keys are at least 1") }
        let space = CodeSpace.six
        if sample > space.slots * CodeSpace.buckets {
            throw ValidationError(
                "the space has \(space.slots * CodeSpace.buckets) places, which is fewer than \(sample)")
        }
        let needed = sample > 0 ? min(memory, Self.whole) : 0
        if let free = Bits.megabytes, max(needed, exhaust / 8_000_000) > free {
            throw ValidationError(
                """
                \(max(needed, exhaust / 8_000_000)) MB of memory are needed, and \(free) are free: give less with --memory, and \
                the sample is made several times, each for a part of the codes
                """)
        }
    }

    func run() throws {
        var clock = ContinuousClock.now
        func took(_ count: UInt64) -> String {
            defer { clock = .now }
            let seconds = (ContinuousClock.now - clock) / .seconds(1)
            return String(format: "%.0f s, %.0f a second", seconds, Double(count) / max(seconds, 1e-9))
        }
        if exhaust > 0 {
            try all(Permutation(size: exhaust, key: CodeSpace.six.key))
            Bench.progress("\(exhaust) numbers, each came once and was led back: \(took(exhaust))")
        }
        if sample == 0 { return }
        var random = Scatter(seed ?? UInt64.random(in: 0...UInt64.max))
        Bench.progress("seed \(random.seed)")
        for number in 0..<keys {
            let key = number == 0 ? CodeSpace.six.key : random.next()
            let buckets = try scattered(Permutation(size: CodeSpace.six.size, key: key), &random)
            Bench.progress(
                """
                \(sample) codes of \(CodeSpace.six.size) with the key \(key), of \(buckets) buckets: no two alike, each led back: \
                \(took(sample))
                """)
        }
    }

    private func all(_ permutation: Permutation) throws {
        let seen = Bits(permutation.size)
        for number in 0..<permutation.size {
            let image = permutation(number)
            guard image < permutation.size, seen.insert(image), permutation.inverse(image) == number else {
                throw ValidationError("\(number) becomes \(image), which is another's")
            }
        }
    }

    /// Gives places of the whole space their codes. The space is looked at part by part, so that each part's bits fit into memory. Two
    /// codes that are alike are in one part.
    ///
    /// - Returns: of how many buckets the places are.
    private func scattered(_ permutation: Permutation, _ random: inout Scatter) throws -> Int {
        let places = CodeSpace.six.slots * CodeSpace.buckets
        let (start, stride) = (random.next() % places, random.stride(through: places))
        let buckets = Bits(CodeSpace.buckets)
        var count = 0
        let part = memory * 8_000_000
        for first in Swift.stride(from: 0, to: permutation.size, by: Int(part)) {
            let seen = Bits(min(part, permutation.size - first))
            var place = start
            for _ in 0..<sample {
                // No place comes twice, for the stride and the number of places have no divisor in common.
                place = (place + stride) % places
                if first == 0, buckets.insert(place % CodeSpace.buckets) { count += 1 }
                let image = permutation(place)
                guard image < permutation.size else { throw ValidationError("\(place) has no code: \(image)") }
                if image < first || image >= first + seen.count { continue }
                guard seen.insert(image - first), permutation.inverse(image) == place else {
                    throw ValidationError("\(CodeSpace.six.text(image)) is given twice, or is another place's")
                }
            }
        }
        return count
    }
}

/// Numbers that follow from a seed (SplitMix64; Steele, Lea and Flood 2014).
private struct Scatter {
    let seed: UInt64
    private var state: UInt64

    init(_ seed: UInt64) { (self.seed, state) = (seed, seed) }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// A number that has no divisor in common with another, so that its multiples come to all remainders.
    mutating func stride(through size: UInt64) -> UInt64 {
        while true {
            let stride = next() % size
            var (a, b) = (size, stride)
            while b != 0 { (a, b) = (b, a % b) }
            if a == 1 { return stride }
        }
    }
}

/// Which of some numbers there were.
private final class Bits {
    let count: UInt64
    private let words: UnsafeMutableBufferPointer<UInt64>

    init(_ count: UInt64) {
        self.count = count
        words = .allocate(capacity: Int(count / 64 + 1))
        words.initialize(repeating: 0)
    }

    deinit { words.deallocate() }

    /// - Returns: whether it is new.
    func insert(_ number: UInt64) -> Bool {
        let (word, bit) = (Int(number >> 6), 1 << (number & 63) as UInt64)
        if words[word] & bit != 0 { return false }
        words[word] |= bit
        return true
    }

    /// Megabytes that the machine has free; nil where it does not tell.
    static var megabytes: UInt64? {
        guard let text = try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("MemAvailable:") })
        else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }.map { $0 * 1024 / 1_000_000 }
    }
}
