internal import Caching
internal import EventModel
internal import Foundation

/// The last accesses that nodes told, for to replay them under other policies. Of each partition of the topic so many are kept.
struct RecentAccesses: Projection {
    typealias Event = Only<CacheAccess>
    static let name = "recent"
    static let version = 1
    static let about = "The last accesses that were told, of each partition."
    static let topics = [Accesses.topic]
    static let tables = [accesses]
    /// Places of a partition's ring.
    static let kept: Int64 = 4_096

    static let accesses = Table(
        "cache_recent", "One row a place of a partition's ring.",
        key: [Column("partition", .integer), Column("slot", .integer, "the offset's rest by \(kept)")],
        columns: [
            Column("offset", .integer), Column("at", .timestamp), Column("node", .text), Column("key", .text),
            Column("sample", .integer, "how many accesses it stands for"),
        ])

    enum Access {
        static let partition = accesses.integer("partition")
        static let offset = accesses.integer("offset")
        static let at = accesses.timestamp("at")
        static let node = accesses.text("node")
        static let key = accesses.text("key")
        static let sample = accesses.integer("sample")
    }

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) {
        guard case .cacheAccessed(let e) = event else { return }
        let (partition, offset) = (Int64(place.partition.rawValue), place.offset.rawValue)
        view.put(
            Self.accesses,
            [
                .integer(partition), .integer(offset % Self.kept), .integer(offset), Value(place.timestamp),
                .text(e.node), .text(e.key), .integer(max(1, e.sample)),
            ])
    }
}

/// Hit ratios that caches of every policy and of several sizes would have had, by the accesses that were told last.
enum HitRatioCurves {
    /// Sizes of one curve.
    static let sizes = 12

    /// Replays what is kept, of one node or of all.
    ///
    /// A node that tells one of n keys, all accesses of each, stands for a cache n times as large (SHARDS: Waldspurger and others, FAST 2015),
    /// so sizes are multiplied by what an access stands for on average.
    static func rows(_ reader: any ViewReader, node: String?) throws -> [Row] {
        typealias Access = RecentAccesses.Access
        var told: [(at: Timestamp, partition: Int64, offset: Int64, key: Bytes)] = []
        var stoodFor: Int64 = 0
        try reader.everyRow(Scan(RecentAccesses.accesses)) { row in
            if let node, row[Access.node] != node { return }
            stoodFor += row[Access.sample] ?? 1
            told.append(
                (
                    row[Access.at] ?? 0, row[Access.partition] ?? 0, row[Access.offset] ?? 0,
                    Bytes(row[Access.key] ?? "")
                ))
        }
        if told.isEmpty { return [] }
        told.sort { ($0.at, $0.partition, $0.offset) < ($1.at, $1.partition, $1.offset) }
        var (numbering, trace) = (Numbering<Bytes>(), Trace())
        for one in told { trace.append(numbering.number(of: one.key)) }
        let scale = Double(stoodFor) / Double(told.count)
        return PolicyKind.allCases.flatMap { kind in
            capacities(trace.distinct).map { capacity in
                let result = trace.replay(kind, capacity: capacity)
                return [
                    .text(kind.rawValue), .integer(Int64((Double(capacity) * scale).rounded())),
                    .real(result.hitRatio), .integer(Int64(result.requests)),
                ]
            }
        }
    }

    /// Up to so many sizes from one entry to room for all keys, each by the same factor larger.
    static func capacities(_ distinct: Int) -> [Int] {
        var found: [Int] = []
        for step in 0..<sizes {
            let size = Int(pow(Double(max(1, distinct)), Double(step) / Double(sizes - 1)).rounded())
            if size > found.last ?? 0 { found.append(size) }
        }
        return found
    }
}
