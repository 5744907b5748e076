internal import Caching
public import EventModel

extension Domain {
    /// Caches of many nodes: which versions may be in them, and how well they do.
    public static let cache = Domain(
        "cache", "Caches of many nodes: versions that may be cached, and hit ratios.", descriptor: cacheDescriptor
    )
    .deciding(Versions.self, key: "key")
    .observing(Accesses.self, topic: Accesses.topic, key: "node")
    .projecting(CachedVersions.self)
    .projecting(CacheRatios.self)
    .projecting(StoredEntries.self)
    .projecting(RecentAccesses.self)
    .answering(version, owners, nodes, policies, minutes, entry, curves)
    .keeping(
        CacheInvariants.nothingStaleIsCached, CacheInvariants.storeHasWhatWasWritten, CacheInvariants.ratiosAreSums
    )
    .showing(DomainPage("Hit ratios", files: PageFiles.all))
    .demonstrating(.cache)

    private static let entry = Query(
        "cache.entry", "The value of a key that was written, as the store behind has it.", of: "cache.store", [key]
    ) { arguments, reader in
        try Page(of: Scan(StoredEntries.entries, equal: [.text(arguments[key])]), in: reader)
    }

    private static let curves = Query(
        "cache.curves", "Hit ratios by size that each policy would have had, by the accesses told last.",
        of: "cache.recent", [node]
    ) { arguments, reader in
        Page(
            columns: [
                Column("policy", .text), Column("capacity", .integer, "entries"), ratio,
                Column("requests", .integer, "accesses that were replayed"),
            ],
            rows: try HitRatioCurves.rows(reader, node: arguments[node]))
    }

    private static let key = RequiredParameter<String>("key", "the key")
    private static let version = Query(
        "cache.version", "Which version of a key may be cached.", of: "cache.versions", [key]
    ) { arguments, reader in
        try Page(of: Scan(CachedVersions.keys, equal: [.text(arguments[key])]), in: reader)
    }

    private static let names = RequiredParameter<String>("nodes", "the nodes that there are, commas between")
    private static let copies = OptionalParameter<Int64>("copies", "how many of them hold it (default: 1)")
    private static let owners = Query(
        "cache.owners", "The nodes that a key belongs to, the owner first, with its version.", of: "cache.versions",
        [key, names, copies]
    ) { arguments, reader in
        let (key, given) = (try arguments[key], try arguments[names].split(separator: ",").map(String.init))
        try CacheLimits.check(key: key)
        if given.isEmpty || given.count > CacheLimits.nodes {
            throw Malformed("nodes", "has \(given.count) names, it must be 1 to \(CacheLimits.nodes)")
        }
        for name in given { try Check.identifier(name, "nodes", atMost: CacheLimits.node) }
        let copies = arguments[copies] ?? 1
        try Check.range(copies, "copies", 1...Int64(CacheLimits.nodes))
        let row = try reader.rows(CachedVersions.keys, keys: [[.text(key)]]).first
        let least = max(row?[CachedVersions.Key.cached] ?? 0, row?[CachedVersions.Key.invalidated] ?? 0)
        let owners = RendezvousHash(given).nodes(of: key, count: Int(copies))
        return Page(
            columns: [
                Column("place", .integer, "from 1, the owner"), Column("node", .text),
                Column("least", .integer, "the oldest version that may be cached"),
            ],
            rows: owners.enumerated().map { [.integer(Int64($0.offset + 1)), .text($0.element), .integer(least)] })
    }

    private static let ratio = Column("ratio", .real, "hits of each request", decimals: 4)

    /// The rows of a scan, with the share of hits behind.
    private static func ratios(_ scan: Scan, _ arguments: Arguments, _ reader: any ViewReader) throws -> Page {
        var page = try Page(of: scan.page(arguments), in: reader)
        let (requests, hits) = (scan.table.integer("requests"), scan.table.integer("hits"))
        page.rows = page.rows.map { row in
            let asked = row[requests] ?? 0
            return row + [.real(asked == 0 ? 0 : Double(row[hits] ?? 0) / Double(asked))]
        }
        page.columns.append(ratio)
        return page
    }

    private static let node = OptionalParameter<String>("node", "the node (default: all)")
    private static let nodes = Query(
        "cache.nodes", "Requests and hits of each node's cache.", of: "cache.ratios", [node]
    ) { arguments, reader in
        let equal: Row = arguments[node].map { [.text($0)] } ?? []
        return try ratios(Scan(CacheRatios.nodes, equal: equal), arguments, reader)
    }

    private static let policies = Query(
        "cache.policies", "Requests and hits of each policy, of all nodes.", of: "cache.ratios", []
    ) { arguments, reader in try ratios(Scan(CacheRatios.policies), arguments, reader) }

    private static let one = RequiredParameter<String>("node", "the node")
    private static let policy = RequiredParameter<String>("policy", "its policy")
    private static let since = OptionalParameter<Timestamp>("since", "the first moment (default: the beginning)")
    private static let minutes = Query(
        "cache.minutes", "Requests and hits of a node's cache in each minute.", of: "cache.ratios",
        [one, policy, since]
    ) { arguments, reader in
        let scan = Scan(
            CacheRatios.minutes, equal: [.text(try arguments[one]), .text(try arguments[policy])],
            from: arguments[since].map { Value($0) })
        return try ratios(scan, arguments, reader)
    }
}
