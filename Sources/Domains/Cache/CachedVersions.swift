internal import EventModel

/// The newest version of each key.
struct CachedVersions: Projection {
    typealias Event = Only<CacheEvent>
    static let name = "versions"
    static let version = 1
    static let about = "The version of each key that may be cached."
    static let topics = ["cache.events"]
    static let tables = [keys]

    static let keys = Table(
        "cache_keys", "One row a key.", key: [Column("key", .text)],
        columns: [
            Column("cached", .integer, "the newest version that a cache took in; 0 of none"),
            Column("invalidated", .integer, "what is older is no longer so"),
            Column("node", .text, "who loaded it last"), Column("why", .text, "of the last invalidation"),
            Column("at", .timestamp, "when it last changed"),
        ])

    enum Key {
        static let name = keys.text("key")
        static let cached = keys.integer("cached")
        static let invalidated = keys.integer("invalidated")
        static let node = keys.text("node")
        static let why = keys.text("why")
        static let at = keys.timestamp("at")
    }

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        let key = Versions.key(of: event)
        var row = try view.row(Self.keys, [.text(key)]) ?? [.text(key), 0, 0, .text(""), .text(""), 0]
        switch event {
        case .entryLoaded(let e):
            row[Key.cached] = max(row[Key.cached] ?? 0, e.revision)
            row[Key.node] = e.node
        case .entryWritten(let e):
            row[Key.cached] = max(row[Key.cached] ?? 0, e.revision)
            row[Key.node] = e.node
        case .keyInvalidated(let e):
            row[Key.invalidated] = max(row[Key.invalidated] ?? 0, e.revision)
            row[Key.why] = e.why
        }
        row[Key.at] = place.timestamp
        view.put(Self.keys, row)
    }
}
