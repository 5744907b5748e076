internal import EventModel

/// How many requests each node's cache and each policy had, and how many it answered: sums of what is told, each by how many it stands
/// for.
struct CacheRatios: Projection {
    typealias Event = Only<CacheAccess>
    static let name = "ratios"
    static let version = 1
    static let about = "Requests, hits and evictions of each node and policy, by the minute."
    static let topics = [Accesses.topic]
    static let tables = [nodes, policies, minutes]

    private static let sums = [
        Column("requests", .integer, "estimated from the samples"), Column("hits", .integer, "estimated likewise"),
        Column("told", .integer, "accesses that were told"), Column("evictions", .integer),
    ]
    static let nodes = Table(
        "cache_nodes", "One row a node and policy.", key: [Column("node", .text), Column("policy", .text)],
        columns: sums)
    static let policies = Table(
        "cache_policies", "One row a policy, of all nodes.", key: [Column("policy", .text)], columns: sums)
    static let minutes = Table(
        "cache_minutes", "One row a node, policy and minute.",
        key: [Column("node", .text), Column("policy", .text), Column("minute", .timestamp, "its beginning")],
        columns: sums)

    enum Node {
        static let name = nodes.text("node")
        static let policy = nodes.text("policy")
        static let requests = nodes.integer("requests")
        static let hits = nodes.integer("hits")
        static let told = nodes.integer("told")
        static let evictions = nodes.integer("evictions")
    }

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) {
        switch event {
        case .cacheAccessed(let e):
            let sample = max(1, e.sample)
            add([sample, e.hit ? sample : 0, 1, 0], e.node, e.policy, place, view)
        case .entryEvicted(let e):
            // What was replaced, invalidated or over did not have to go for others.
            add([0, 0, 0, e.why == "evicted" ? 1 : 0], e.node, e.policy, place, view)
        }
    }

    private func add(_ sums: [Int64], _ node: String, _ policy: String, _ place: EventPosition, _ view: ViewBatch) {
        let (node, policy) = (Value.text(node), Value.text(policy))
        let minute = place.timestamp.rawValue.flooredToMinute
        view.add(Self.nodes, [node, policy], sums)
        view.add(Self.policies, [policy], sums)
        view.add(Self.minutes, [node, policy, Value(Timestamp(minute))], sums)
    }
}

extension Int64 {
    /// Milliseconds, at the beginning of their minute; before 1970, too.
    fileprivate var flooredToMinute: Int64 {
        let rest = self % 60_000
        return self - (rest < 0 ? rest + 60_000 : rest)
    }
}
