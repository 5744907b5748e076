internal import EventModel
internal import SwiftProtobuf

/// What holds of hits, whatever happens.
enum HitsInvariants {
    private struct Slot: Hashable, Sendable {
        var site: String
        var second: Int64
    }

    /// In time or late: sorted by time, as many hits of a second are on the log as its rows say.
    static let windowsCountTheLog = Invariant(
        "a second has as many hits as the log", over: HitWindows.topics, of: "hits.windows", from: [Slot: Int64](),
        fold: { counts, record, _ in
            guard case .hit(let hit)? = try HitsEvent.kind(in: record.value) else { return }
            for site in [hit.site, HitWindows.allSites] {
                counts[Slot(site: site, second: record.timestamp.second), default: 0] += 1
            }
        },
        rows: { counts, reader in
            var counts = counts
            try reader.everyRow(Scan(HitWindows.seconds)) { row in
                typealias Second = HitWindows.Second
                let slot = Slot(site: row[Second.site] ?? "", second: row[Second.second] ?? 0)
                counts[slot, default: 0] &-= (row[Second.hits] ?? 0) &+ (row[Second.late] ?? 0)
            }
            let wrong = counts.filter { $0.value != 0 }.min {
                ($0.key.second, $0.key.site) < ($1.key.second, $1.key.site)
            }
            if let (slot, missing) = wrong {
                throw Violation(
                    "second \(slot.second) of \(slot.site) has \(missing.magnitude) hits too \(missing > 0 ? "few" : "many")"
                )
            }
        })
}
