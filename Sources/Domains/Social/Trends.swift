internal import EventModel
internal import SwiftProtobuf

/// How often each hashtag was used in every minute and in every hour, as partial counts of each partition.
///
/// A tweet counts when it is posted. What a retweet counts is known where it meets its original, and what a deletion takes
/// away where the tweet is remembered: ``Retweets`` tells both as changes.
struct Trends: Projection {
    /// What the two topics carry.
    enum Event: Readable {
        enum Content: Sendable {
            case told(SocialEvent.Kind)
            case changed(SocialRetweetEvent.Kind)
        }
        static func content(of bytes: Bytes, in topic: String) throws(Undecodable) -> Content? {
            if topic == "social.retweets" { return try SocialRetweetEvent.kind(in: bytes).map(Content.changed) }
            return try SocialEvent.kind(in: bytes).map(Content.told)
        }
    }

    static let name = "trends"
    /// 2: deleted tweets count no more, retweets count by their originals, and a hashtag is counted in its composed form.
    static let version = 2
    static let about = "Hashtags of every minute and hour."
    static let topics = ["social.events", "social.retweets"]
    static let tables = [minutes, hours]

    static let minutes = counts("social_tag_minutes", "minute", "minutes since 1970 UTC")
    static let hours = counts("social_tag_hours", "hour", "hours since 1970 UTC")

    private static func counts(_ name: String, _ unit: String, _ about: String) -> Table {
        Table(
            name, "One row a hashtag, \(unit) and partition.",
            key: [
                Column("hashtag", .text, "in lower case, without the #"), Column(unit, .integer, about),
                Column("partition", .integer),
            ],
            columns: [Column("tweets", .integer), Column("retweets", .integer)], indexes: [Index(unit, [unit])])
    }

    /// The columns of both tables, which differ by the name of one alone.
    enum Count {
        static let hashtag = minutes.text("hashtag")
        static let tweets = minutes.integer("tweets")
        static let retweets = minutes.integer("retweets")
    }
    /// When the uses were that a table counts: its minute or its hour.
    static func unit(of table: Table) -> Field<Int64> { table.integer(table.columns[1].name) }

    private struct Slot: Hashable {
        var hashtag: String
        var minute: Int64
        var partition: Partition
    }
    private var gathered: [Slot: (tweets: Int64, retweets: Int64)] = [:]

    init() {}

    mutating func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) {
        switch event {
        case .told(.tweetPosted(let e)):
            let minute = TrendWindow.minute(place.timestamp)
            for hashtag in e.hashtags { count(hashtag, minute, place, tweets: 1, retweets: 0) }
        case .changed(.hashtagsRecounted(let e)):
            for change in e.changes {
                count(
                    change.hashtag, change.minute, place, tweets: Int64(change.tweets),
                    retweets: Int64(change.retweets))
            }
        case .told, .changed: break
        }
    }

    private mutating func count(
        _ hashtag: String, _ minute: Int64, _ place: EventPosition, tweets: Int64, retweets: Int64
    ) {
        // Events of the first version have hashtags as they were typed.
        let slot = Slot(hashtag: Check.composed(hashtag), minute: minute, partition: place.partition)
        add(&gathered[slot, default: (0, 0)], tweets, retweets)
    }

    private func add(_ sums: inout (tweets: Int64, retweets: Int64), _ tweets: Int64, _ retweets: Int64) {
        sums.tweets += tweets
        sums.retweets += retweets
    }

    func finish(_ view: ViewBatch) {
        for (slot, count) in gathered {
            for (table, unit) in [(Self.minutes, slot.minute), (Self.hours, TrendWindow.hour(slot.minute))] {
                view.add(
                    table, [.text(slot.hashtag), .integer(unit), Value(slot.partition)], [count.tweets, count.retweets])
            }
        }
    }
}

/// A run of whole minutes, and the hours and minutes that it is added up from.
struct TrendWindow: Hashable {
    /// Minutes since 1970.
    var minutes: Range<Int64>

    static func minute(_ time: Timestamp) -> Int64 { floored(time.second, 60) }
    static func hour(_ minute: Int64) -> Int64 { floored(minute, 60) }
    private static func floored(_ value: Int64, _ unit: Int64) -> Int64 {
        value >= 0 ? value / unit : (value + 1) / unit - 1
    }

    /// Whole hours as far as they go, and minutes before and after.
    var parts: [(table: Table, through: ClosedRange<Int64>)] {
        let first = Self.hour(minutes.lowerBound + 59)
        let end = Self.hour(minutes.upperBound)
        if first >= end { return Self.part(Trends.minutes, minutes) }
        return Self.part(Trends.minutes, minutes.lowerBound..<first * 60) + Self.part(Trends.hours, first..<end)
            + Self.part(Trends.minutes, end * 60..<minutes.upperBound)
    }

    private static func part(_ table: Table, _ range: Range<Int64>) -> [(table: Table, through: ClosedRange<Int64>)] {
        range.isEmpty ? [] : [(table, range.lowerBound...(range.upperBound - 1))]
    }
}

/// Ranks hashtags by how far they burst above their own baseline.
///
/// The score is (count - baseline) / sqrt(baseline + 1): how many standard deviations the count lies above what a Poisson
/// process with the baseline's rate would give, with one added so that a single use of a rare tag is no burst. The
/// baseline is the mean of the windows of the same length just before.
struct ReadTrends {
    /// Windows before the asked one that the baseline is the mean of.
    static let baselineWindows: Int64 = 24
    static let columns = [
        Column("hashtag", .text), Column("score", .real, "standard deviations above the baseline"),
        Column("tweets", .integer, "in the window"), Column("retweets", .integer, "in the window"),
        Column("baseline", .real, "mean of both in the \(baselineWindows) windows before"),
    ]

    let reader: any ViewReader
    let window: TrendWindow
    private var baseline: TrendWindow {
        let length = Int64(window.minutes.count)
        let end = window.minutes.lowerBound
        return TrendWindow(minutes: (end - Self.baselineWindows * length)..<end)
    }

    init(_ reader: any ViewReader, last minute: Int64, length: Int64) {
        self.reader = reader
        window = TrendWindow(minutes: (minute - length + 1)..<(minute + 1))
    }

    struct Trend {
        var hashtag: String
        var score: Double
        var tweets: Int64
        var retweets: Int64
        var baseline: Double

        var count: Int64 { tweets &+ retweets }
        static func ranks(_ a: Trend, before b: Trend) -> Bool {
            if a.score != b.score { return a.score > b.score }
            return a.count != b.count ? a.count > b.count : a.hashtag < b.hashtag
        }
    }

    func page(limit: Int) throws -> Page {
        var best: [Trend] = []
        // The score is never above the count, so that counts below the last place need no baseline.
        for (hashtag, count) in try counts().sorted(by: { ($1.value.sum, $0.key) < ($0.value.sum, $1.key) }) {
            if best.count == limit, let last = best.last, Double(count.sum) < last.score { break }
            let expected = Double(try sum(hashtag, baseline)) / Double(Self.baselineWindows)
            let score = (Double(count.sum) - expected) / (expected + 1).squareRoot()
            let trend = Trend(
                hashtag: hashtag, score: score, tweets: count.tweets, retweets: count.retweets, baseline: expected)
            let place = best.firstIndex { Trend.ranks(trend, before: $0) } ?? best.count
            best.insert(trend, at: place)
            if best.count > limit { best.removeLast() }
        }
        return Page(
            columns: Self.columns,
            rows: best.map {
                [.text($0.hashtag), .real($0.score), .integer($0.tweets), .integer($0.retweets), .real($0.baseline)]
            })
    }

    private struct Count {
        var tweets: Int64 = 0
        var retweets: Int64 = 0
        var sum: Int64 { tweets &+ retweets }
    }

    /// Every hashtag of the window with its count.
    private func counts() throws -> [String: Count] {
        var counts: [String: Count] = [:]
        for (table, range) in window.parts {
            var scan = Scan(
                table, by: Trends.unit(of: table).name, from: .integer(range.lowerBound),
                through: .integer(range.upperBound))
            while true {
                let rows = try reader.rows(scan)
                for row in rows {
                    let hashtag = row[Trends.Count.hashtag] ?? ""
                    counts[hashtag, default: Count()].tweets &+= row[Trends.Count.tweets] ?? 0
                    counts[hashtag, default: Count()].retweets &+= row[Trends.Count.retweets] ?? 0
                }
                guard rows.count == scan.limit, let last = rows.last else { break }
                scan.after = scan.order.map { last[$0] }
            }
        }
        // Tags whose tweets were all deleted leave a row of zeros.
        return counts.filter { $0.value.sum > 0 }
    }

    private func sum(_ hashtag: String, _ window: TrendWindow) throws -> Int64 {
        try window.parts.reduce(0) { sum, part in
            let scan = Scan(
                part.table, equal: [.text(hashtag)], from: .integer(part.through.lowerBound),
                through: .integer(part.through.upperBound))
            return try reader.sums([Trends.Count.tweets, Trends.Count.retweets], over: scan).reduce(sum, &+)
        }
    }
}
