internal import EventModel
internal import Foundation

/// The keys of one tag, or one key without a tag: what one writer decides about.
struct Shelf: Codable, Sendable, Hashable {
    /// A key that is there.
    struct Entry: Codable, Sendable, Hashable {
        var value: Data
        var revision: Int64
        var expires: Timestamp?

        /// A key whose time is over is gone, whether its timer has come or not.
        func isOver(at now: Timestamp) -> Bool { expires.map { $0 <= now } ?? false }
    }

    /// That of the last change of any of its keys; each change has the next.
    var revision: Int64 = 0
    var entries: [String: Entry] = [:]
    /// Of all values.
    private(set) var bytes = 0

    func live(_ key: String, at now: Timestamp) -> Entry? {
        guard let entry = entries[key], !entry.isOver(at: now) else { return nil }
        return entry
    }

    mutating func set(_ key: String, _ entry: Entry?) {
        bytes += (entry?.value.count ?? 0) - (entries[key]?.value.count ?? 0)
        entries[key] = entry
        if let entry { revision = max(revision, entry.revision) }
    }

    /// Whether so many keys and bytes would still fit.
    func fits(_ pairs: [(key: String, bytes: Int)]) -> Bool {
        var (count, size) = (entries.count, bytes)
        for pair in pairs {
            let held = entries[pair.key]
            count += held == nil ? 1 : 0
            size += pair.bytes - (held?.value.count ?? 0)
        }
        return count <= KVLimits.keysOfTag && size <= KVLimits.bytesOfTag
    }
}
