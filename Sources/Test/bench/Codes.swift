internal import ArgumentParser
internal import Foundation
internal import LinksDomain

/// Whether codes of links are given once, over as many as one has the patience for.
struct Codes: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codes", abstract: "Look for two codes of links that are alike.",
        discussion: """
            All numbers of a space are permuted as those of codes are, and each must come once and
            be led back. Then as many places of the whole space, evenly spread, are given their codes.
            """)
    @Option(help: ArgumentHelp("Numbers of the smaller space.", valueName: "n"))
    var exhaust: UInt64 = 1_000_000_000
    @Option(help: ArgumentHelp("Codes of six characters out of all \(CodeSpace.six.size).", valueName: "n"))
    var sample: UInt64 = 1_000_000_000
    @Option(
        help: ArgumentHelp("Memory for the sample, in megabytes: the less, the more often it is made.", valueName: "MB")
    )
    var memory: UInt64 = 2000

    func run() throws {
        var clock = ContinuousClock.now
        func took() -> String {
            defer { clock = .now }
            return String(format: "%.0f s", (ContinuousClock.now - clock) / .seconds(1))
        }
        try all(Permutation(size: exhaust, key: CodeSpace.six.key))
        Bench.progress("\(exhaust) numbers, each came once and was led back: \(took())")
        try spread()
        Bench.progress("\(sample) codes of \(CodeSpace.six.size), no two alike, each told its bucket: \(took())")
    }

    private func all(_ permutation: Permutation) throws {
        var seen = Bits(permutation.size)
        for number in 0..<permutation.size {
            let image = permutation(number)
            guard image < permutation.size, seen.insert(image), permutation.inverse(image) == number else {
                throw ValidationError("\(number) becomes \(image), which is another's")
            }
        }
    }

    /// The space is looked at part by part, so that each part's bits fit into memory. Two codes that are alike are in one part.
    private func spread() throws {
        let space = CodeSpace.six
        let step = space.slots * CodeSpace.buckets / max(sample, 1)
        if step == 0 { throw ValidationError("the space has fewer codes than \(sample)") }
        let part = memory * 8_000_000
        for first in stride(from: 0, to: space.size, by: Int(part)) {
            var seen = Bits(min(part, space.size - first))
            for place in 0..<sample {
                let number = place * step
                let image = space.number(bucket: number % CodeSpace.buckets, slot: number / CodeSpace.buckets)
                if image < first || image >= first + seen.count { continue }
                guard seen.insert(image - first), space.place(image) == number else {
                    throw ValidationError("\(space.text(image)) is given twice")
                }
            }
        }
    }
}

/// Which of some numbers there were.
private struct Bits {
    let count: UInt64
    private var words: [UInt64]

    init(_ count: UInt64) { (self.count, words) = (count, Array(repeating: 0, count: Int(count / 64 + 1))) }

    /// - Returns: whether it is new.
    mutating func insert(_ number: UInt64) -> Bool {
        let (word, bit) = (Int(number >> 6), 1 << (number & 63) as UInt64)
        if words[word] & bit != 0 { return false }
        words[word] |= bit
        return true
    }
}
