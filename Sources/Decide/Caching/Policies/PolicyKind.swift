/// The policies by name.
public enum PolicyKind: String, Sendable, Hashable, CaseIterable, Codable {
    case lru
    case fifo
    case random
    case lfu
    case lfuAged = "lfu-aged"
    case arc
    case s3fifo
    case sieve
    case wtinylfu
    case opt

    /// As a table says it.
    public var title: String {
        switch self {
        case .lru: "LRU"
        case .fifo: "FIFO"
        case .random: "Random"
        case .lfu: "LFU"
        case .lfuAged: "LFU-aged"
        case .arc: "ARC"
        case .s3fifo: "S3-FIFO"
        case .sieve: "SIEVE"
        case .wtinylfu: "W-TinyLFU"
        case .opt: "OPT"
        }
    }

    /// Whether it has to know the future, so that it can only be replayed.
    public var isForesighted: Bool { self == .opt }

    /// A policy for a cache; nil for one that has to know the future.
    public func policy(capacity: Int, seed: UInt64 = 1) -> (any EvictionPolicy)? {
        switch self {
        case .lru: LRU(capacity: capacity)
        case .fifo: FIFO(capacity: capacity)
        case .random: RandomEviction(capacity: capacity, seed: seed)
        case .lfu: LFU(capacity: capacity, aging: .never)
        case .lfuAged: LFU(capacity: capacity)
        case .arc: ARC(capacity: capacity)
        case .s3fifo: S3FIFO(capacity: capacity)
        case .sieve: Sieve(capacity: capacity)
        case .wtinylfu: WTinyLFU(capacity: capacity, seed: seed)
        case .opt: nil
        }
    }
}
