/// Requests in their order, by number: the first key that came is 0, the next other one 1, and so on.
public struct Trace: Sendable {
    public private(set) var keys: [UInt32] = []
    /// How many keys differ.
    public private(set) var distinct = 0

    public init() {}

    /// What is to be given as 64 bits already.
    public init(_ numbers: some Sequence<UInt64>) {
        var numbering = Numbering<UInt64>()
        for number in numbers { append(numbering.number(of: number)) }
    }

    public mutating func append(_ key: UInt32) {
        precondition(keys.count < CachingLimits.entries, "a trace has at most \(CachingLimits.entries) requests")
        precondition(key <= distinct, "keys are numbered in the order in which they first come")
        keys.append(key)
        if key == distinct { distinct += 1 }
    }
}

/// Numbers of things in the order in which they first came.
public struct Numbering<Name: Hashable & Sendable>: Sendable {
    private var numbers: [Name: UInt32] = [:]
    public init() {}
    public var count: Int { numbers.count }

    public mutating func number(of name: Name) -> UInt32 {
        let next = UInt32(numbers.count)
        if let known = numbers[name] { return known }
        numbers[name] = next
        return next
    }
}
