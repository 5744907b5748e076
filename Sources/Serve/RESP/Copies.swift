internal import EventLog
internal import EventModel
internal import KVDomain

/// The keys of all partitions in memory, each folded as far as its offset says.
struct Copies {
    /// By partition number.
    private(set) var parts: [KeyCopy]
    /// The offset of `kv.events` that each has not folded yet.
    private(set) var ends: [Offset]

    init(_ parts: [KeyCopy]) {
        self.parts = parts
        ends = Array(repeating: 0, count: parts.count)
    }

    func partition(of key: Bytes) -> Int { Self.partition(of: key, among: parts.count) }

    static func partition(of key: Bytes, among count: Int) -> Int {
        Int(Partitioner.partition(of: HashTag.of(key), among: count).rawValue)
    }

    func live(_ key: Bytes, at now: Timestamp) throws -> KeyCopy.Entry? {
        try parts[partition(of: key)].live(key, at: now)
    }

    mutating func apply(_ event: Bytes, to partition: Int, telling: Bool) throws -> KeyCopy.Effect {
        try parts[partition].apply(event, telling: telling)
    }
    /// Takes over a record of `kv.state`, whose partitions are those of keys and not of tags.
    mutating func restore(_ key: Bytes, _ state: Bytes) throws {
        try parts[partition(of: key)].restore(key, state)
    }
    mutating func replace(_ partition: Int, by copy: KeyCopy) { parts[partition] = copy }
    mutating func replace(_ leaves: Set<Int>, of partition: Int, from copy: KeyCopy) throws -> Int {
        try parts[partition].replace(leaves, from: copy)
    }
    mutating func advance(_ partition: Int, to end: Offset) { ends[partition] = max(ends[partition], end) }

    var count: Int { parts.reduce(0) { $0 + $1.count } }
    var bytes: Int { parts.reduce(0) { $0 + $1.bytes } }
    var footprint: Int { parts.reduce(0) { $0 + $1.footprint } }
    var stored: Int { parts.reduce(0) { $0 + $1.stored } }

    /// A piece of a run over all keys.
    ///
    /// - Parameter cursor: 0 at the beginning, else what the piece before gave.
    /// - Returns: where the next piece begins; 0 at the end.
    func scan(from cursor: UInt64, places: Int, at now: Timestamp) throws -> (keys: [Bytes], next: UInt64) {
        var (number, place, left) = (Int(cursor >> 40), Int(cursor & 0xff_ffff_ffff), places)
        var keys: [Bytes] = []
        while number < parts.count, left > 0 {
            let piece = try parts[number].keys(from: place, places: left, at: now)
            keys += piece.keys
            guard let next = piece.next else {
                (number, place, left) = (number + 1, 0, left - max(1, piece.keys.count))
                continue
            }
            (left, place) = (0, next)
        }
        return (keys, number >= parts.count ? 0 : UInt64(number) << 40 | UInt64(place))
    }
}
