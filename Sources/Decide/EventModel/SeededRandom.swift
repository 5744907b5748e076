/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers in every run.
public struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64
    /// The sequence of a seed.
    public init(_ seed: UInt64) { state = seed }

    /// Numbers of their own for each `salt`, so that what one use draws changes no other.
    public init(_ seed: UInt64, _ salt: UInt64) {
        var first = SeededRandom(seed)
        state = first.next() ^ (salt &* 0x9e37_79b9_7f4a_7c15)
    }

    /// The next 64 bits (SplitMix64: Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators").
    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    /// True in so many of a hundred cases.
    public mutating func chance(_ percent: Double) -> Bool { Double.random(in: 0..<100, using: &self) < percent }

    /// A number of a range, each as likely as any other.
    public mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// One of them; there must be some.
    public mutating func one<T>(of all: [T]) -> T { all[Int.random(in: 0..<all.count, using: &self)] }

    /// A while, so many milliseconds.
    public mutating func pause(_ range: ClosedRange<Int>) -> Duration { .milliseconds(number(range)) }
}
