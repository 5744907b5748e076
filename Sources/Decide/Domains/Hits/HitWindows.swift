internal import EventModel
internal import SwiftProtobuf

/// Exact hits of every second, per site and in all, as partial counts of each partition that are added up when read.
///
/// Within a partition a site's newest second is its watermark. A hit up to `lateness` behind it is counted where it belongs;
/// one further behind is counted there too, but apart, as late.
struct HitWindows: Projection {
    typealias Event = HitsEvent
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

    private struct Cell: Hashable {
        var site: String
        var second: Int64
        var partition: Partition
    }
    private struct Source: Hashable {
        var site: String
        var partition: Partition
    }
    private var counts: [Cell: (hits: Int64, late: Int64)] = [:]
    private var newest: [Source: Int64] = [:]
    private var moved: Set<Source> = []

    init() {}

    mutating func apply(_ event: Event.Kind, at place: Place, to view: ViewBatch) throws {
        guard case .hit(let hit) = event else { return }
        let second = place.timestamp.second
        let source = Source(site: hit.site, partition: place.partition)
        let mark = try watermark(source, view)
        let late = mark.map { second < $0 - Self.lateness } ?? false
        if second > mark ?? .min {
            newest[source] = second
            moved.insert(source)
        }
        for site in [hit.site, Self.allSites] {
            let cell = Cell(site: site, second: second, partition: place.partition)
            if late { counts[cell, default: (0, 0)].late += 1 } else { counts[cell, default: (0, 0)].hits += 1 }
        }
    }

    private mutating func watermark(_ source: Source, _ view: ViewBatch) throws -> Int64? {
        if let mark = newest[source] { return mark }
        let row = try view.row(Self.watermarks, [.text(source.site), Value(source.partition)])
        let mark = row?[2].integer
        newest[source] = mark
        return mark
    }

    func finish(_ view: ViewBatch) {
        for (cell, count) in counts {
            view.add(
                Self.seconds, [.text(cell.site), .integer(cell.second), Value(cell.partition)],
                [count.hits, count.late])
        }
        for source in moved {
            guard let mark = newest[source] else { continue }
            view.put(Self.watermarks, [.text(source.site), Value(source.partition), .integer(mark)])
        }
    }
}
