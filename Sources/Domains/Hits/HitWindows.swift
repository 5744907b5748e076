internal import EventModel
internal import SwiftProtobuf

/// Exact hits of every second, per site and in all, as partial counts of each partition that are added up when read.
///
/// Within a partition a site's newest second is its watermark. A hit up to `lateness` behind it is counted where it belongs;
/// one further behind is counted there too, but apart, as late.
struct HitWindows: Projection {
    typealias Event = Only<HitsEvent>
    static let name = "windows"
    static let version = 1
    static let about = "Hits of every second."
    static let topics = ["hits.events"]
    static let tables = [seconds, watermarks]

    /// How far behind its site's newest hit a hit may come and still count as in time.
    static let lateness: Int64 = 3600
    /// The site that stands for all sites together.
    static let allSites = "*"

    static let seconds = Table(
        "hits_seconds", "One row a site, second and partition.",
        key: [
            Column("site", .text, "* for all sites"), Column("second", .integer, "seconds since 1970 UTC"),
            Column("partition", .integer),
        ],
        columns: [
            Column("hits", .integer, "in time"),
            Column("late", .integer, "more than an hour behind the site's newest hit"),
        ])
    static let watermarks = Table(
        "hits_watermarks", "One row a site and partition.",
        key: [Column("site", .text), Column("partition", .integer)],
        columns: [Column("second", .integer, "the newest second seen")])

    enum Second {
        static let site = seconds.text("site")
        static let second = seconds.integer("second")
        static let hits = seconds.integer("hits")
        static let late = seconds.integer("late")
    }
    private static let watermark = watermarks.integer("second")

    private struct Source: Hashable {
        var site: String
        var partition: Partition
    }
    private struct Count {
        var hits: Int64 = 0
        var late: Int64 = 0
    }
    /// What one batch brings to one site in one partition: each hit costs one look-up of its site and one of its second.
    private struct Gathered {
        var newest: Int64?
        var moved = false
        var seconds: [Int64: Count] = [:]
    }
    private var slots: [Source: Int] = [:]
    private var gathered: [Gathered] = []

    init() {}

    mutating func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        guard case .hit(let hit) = event else { return }
        let second = place.timestamp.second
        let slot = try slot(Source(site: hit.site, partition: place.partition), view)
        let mark = gathered[slot].newest ?? .min
        if mark != .min && second < mark &- Self.lateness {
            gathered[slot].seconds[second, default: Count()].late += 1
        } else {
            gathered[slot].seconds[second, default: Count()].hits += 1
        }
        if second > mark {
            gathered[slot].newest = second
            gathered[slot].moved = true
        }
    }

    private mutating func slot(_ source: Source, _ view: ViewBatch) throws -> Int {
        if let slot = slots[source] { return slot }
        let row = try view.row(Self.watermarks, [.text(source.site), Value(source.partition)])
        gathered.append(Gathered(newest: row?[Self.watermark]))
        slots[source] = gathered.count - 1
        return gathered.count - 1
    }

    func finish(_ view: ViewBatch) {
        for (source, slot) in slots {
            let new = gathered[slot]
            for (second, count) in new.seconds {
                for site in [source.site, Self.allSites] {
                    view.add(
                        Self.seconds, [.text(site), .integer(second), Value(source.partition)],
                        [count.hits, count.late])
                }
            }
            if new.moved, let newest = new.newest {
                view.put(Self.watermarks, [.text(source.site), Value(source.partition), .integer(newest)])
            }
        }
    }
}
