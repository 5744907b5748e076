import EventLog

extension Carrier {
    /// Every log that the contract holds for.
    static let all = [memory]

    static let memory = Carrier(
        name: "memory", promises: [.transactions, .fencing, .timeIndex, .atomicAppend], maintained: true
    ) {
        Home(open: { MemoryLog() })
    }
}
