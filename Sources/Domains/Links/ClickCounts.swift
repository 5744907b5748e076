internal import EventModel
internal import SwiftProtobuf

/// Clicks of each link by time, by where they come from, and by how many visitors, as parts of each partition that are put together
/// when they are read.
struct ClickCounts: Projection {
    typealias Event = Only<LinksClicks>
    static let name = "clicks"
    static let version = 2
    static let about = "Clicks of each link by minute, hour and day, their sources, and visitors."
    static let topics = ["links.clicks"]
    static let tables = [clicks, sources, referrers, visitors]

    /// Lengths of time in seconds by which clicks are counted; 0 is all time.
    static let units: [Int64] = [0, 60, 3600, 86_400]

    static let clicks = Table(
        "links_clicks", "One row a link, unit of time and partition.",
        key: [
            Column("code", .text), Column("unit", .integer, "seconds; 0 is all time"),
            Column("second", .integer, "at which it begins, since 1970 UTC"), Column("partition", .integer),
        ],
        columns: [Column("clicks", .integer, "of people"), Column("bots", .integer, "of programs")])
    static let sources = Table(
        "links_sources", "One row a link, what is looked at, and its value.",
        key: [
            Column("code", .text), Column("kind", .text, "referrer, country or device"), Column("value", .text),
            Column("partition", .integer),
        ],
        columns: [Column("clicks", .integer)])
    static let referrers = Table(
        "links_referrers", "One row a link, partition and referrer that is told apart from others.",
        key: [
            Column("code", .text), Column("partition", .integer),
            Column("referrer", .text, "empty for how many there are"),
        ],
        columns: [Column("referrers", .integer)])
    static let visitors = Table(
        "links_visitors", "One row a link and day of UTC.",
        key: [Column("code", .text), Column("day", .integer, "since 1970"), Column("partition", .integer)],
        columns: [Column("sketch", .text, "a HyperLogLog of the day's visitors")])

    enum Click {
        static let second = clicks.integer("second")
        static let people = clicks.integer("clicks")
        static let bots = clicks.integer("bots")
        static let code = clicks.text("code")
        static let unit = clicks.integer("unit")
    }
    enum Source {
        static let value = sources.text("value")
        static let clicks = sources.integer("clicks")
    }
    enum Referrer {
        static let count = referrers.integer("referrers")
    }
    enum Visitor {
        static let day = visitors.integer("day")
        static let sketch = visitors.text("sketch")
    }

    private struct Day: Hashable {
        var code: String
        var day: Int64
        var partition: Partition
        var key: Row { [.text(code), .integer(day), Value(partition)] }
    }
    private var sketches: [Day: VisitorSketch] = [:]
    private var changed: Set<Day> = []

    init() {}

    mutating func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        guard case .linkClicked(let e) = event else { return }
        let (second, partition) = (place.timestamp.second, Value(place.partition))
        let isBot = e.device == .bot
        for unit in Self.units {
            let begin = unit == 0 ? 0 : second - ((second % unit) + unit) % unit
            view.add(
                Self.clicks, [.text(e.code), .integer(unit), .integer(begin), partition], isBot ? [0, 1] : [1, 0])
        }
        if isBot { return }
        let referrer = try referrer(of: e, partition, view)
        for (kind, value) in [("referrer", referrer), ("country", e.country), ("device", e.device.word)] {
            view.add(Self.sources, [.text(e.code), .text(kind), .text(value), partition], [1])
        }
        if e.visitor.isEmpty { return }
        let day = Day(
            code: e.code, day: (second - ((second % 86_400) + 86_400) % 86_400) / 86_400, partition: place.partition)
        var sketch = try sketches[day] ?? VisitorSketch(view.row(Self.visitors, day.key)?[Visitor.sketch] ?? "")
        if sketch.add(e.visitor) { changed.insert(day) }
        sketches[day] = sketch
    }

    /// The referrer that a click is counted for: whoever follows a link chooses it, so that of a link no more than some are told apart.
    private func referrer(of click: LinksLinkClicked, _ partition: Value, _ view: ViewBatch) throws -> String {
        if click.referrer.isEmpty { return "" }
        func key(_ referrer: String) -> Row { [.text(click.code), partition, .text(referrer)] }
        if try view.row(Self.referrers, key(click.referrer)) != nil { return click.referrer }
        let known = try view.row(Self.referrers, key(""))?[Referrer.count] ?? 0
        if known >= LinksLimits.referrers { return Self.others }
        view.put(Self.referrers, key("") + [.integer(known + 1)])
        view.put(Self.referrers, key(click.referrer) + [1])
        return click.referrer
    }

    /// What stands for referrers that are not told apart.
    static let others = "(others)"

    func finish(_ view: ViewBatch) {
        for day in changed { view.put(Self.visitors, day.key + [.text(sketches[day]?.text ?? "")]) }
    }
}
