internal import EventModel

/// The store behind the caches: what was written last of each key. It comes after the log, and may be far behind; who has written reads
/// after the place of that, and so what it wrote or something newer.
struct StoredEntries: Projection {
    typealias Event = Only<CacheEvent>
    static let name = "store"
    static let version = 1
    static let about = "The value of each key that was written through a cache."
    static let topics = ["cache.events"]
    static let tables = [entries]

    static let entries = Table(
        "cache_entries", "One row a key that has a value.", key: [Column("key", .text)],
        columns: [
            Column("value", .text), Column("revision", .integer), Column("node", .text, "who wrote it"),
            Column("at", .timestamp, "when it was written"),
        ])

    enum Entry {
        static let key = entries.text("key")
        static let value = entries.text("value")
        static let revision = entries.integer("revision")
    }

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) {
        guard case .entryWritten(let e) = event else { return }
        if e.value.isEmpty {
            view.delete(Self.entries, [.text(e.key)])
        } else {
            view.put(
                Self.entries,
                [.text(e.key), .text(e.value), .integer(e.revision), .text(e.node), Value(place.timestamp)])
        }
    }
}
