internal import EventModel
internal import Foundation

/// Ranks hashtags, what people look for and what headlines say, by how far they burst above their own baseline.
///
/// The score is (count - baseline) / sqrt(baseline + 1): how many standard deviations the count lies above what a Poisson
/// process with the baseline's rate would give, with one added so that a single use of a rare tag is no burst. The
/// baseline is the mean of the windows of the same length just before. A search for a word counts for the hashtag of that name, and so does
/// a headline that has it. What is in headlines alone is shown from ``leastNews`` of them on, and by the longest phrase that all of them have.
/// What accounts use that count as fake counts nowhere: see ``FakeUses``.
struct ReadTrends {
    /// Windows before the asked one that the baseline is the mean of.
    static let baselineWindows: Int64 = 24
    /// From this score on a burst is shown as one where only bursts are asked for. Of tags that burst by chance few score so much:
    /// see docs/domains/social.md.
    static let bursting = 6.0
    /// Headlines in the window that have a phrase, from which on it is shown where nobody used or looked for it.
    static let leastNews: Int64 = 2
    /// Hashtags of one user, the first by name, that say what interests them.
    static let interests = 1000
    static let columns = [
        Column("hashtag", .text), Column("score", .real, "standard deviations above the baseline"),
        Column("tweets", .integer, "in the window"), Column("retweets", .integer, "in the window"),
        Column("baseline", .real, "mean of all in the \(baselineWindows) windows before"),
        Column("searches", .integer, "in the window"),
        Column("interest", .real, "what the score is multiplied by for a user: 1 where it is nobody's"),
        Column("news", .integer, "headlines in the window"),
    ]

    let reader: any ViewReader
    let window: TrendWindow
    /// No trend with a lower score is shown.
    let least: Double
    private let weights: [String: Double]
    private let baseline: TrendWindow
    private let fakes: FakeUses

    /// - Parameters:
    ///   - user: For whom trends are ranked: one of theirs weighs 1 + ln(1 + uses) times as much.
    ///   - least: Of the score before that.
    init(
        _ reader: any ViewReader, last minute: Int64, length: Int64, for user: String? = nil,
        least: Double = -.infinity
    ) throws {
        (self.reader, self.least) = (reader, least)
        let start = minute - length + 1
        window = TrendWindow(minutes: start..<(minute + 1))
        baseline = TrendWindow(minutes: (start - Self.baselineWindows * length)..<start)
        fakes = try FakeUses(reader, window: window, baseline: baseline)
        guard let user else {
            weights = [:]
            return
        }
        let rows = try reader.rows(Scan(Trends.interests, equal: [.text(user)], limit: Self.interests))
        weights = rows.reduce(into: [:]) { weights, row in
            let uses = row[Trends.Interest.uses] ?? 0
            if uses > 0 { weights[row[Trends.Interest.hashtag] ?? ""] = 1 + log(1 + Double(uses)) }
        }
    }

    struct Trend {
        var hashtag: String
        var burst: Double
        var weight: Double
        var tweets: Int64
        var retweets: Int64
        var searches: Int64
        var news: Int64
        var baseline: Double

        /// What one is below the baseline does not fall further because somebody likes it.
        var score: Double { burst > 0 ? burst * weight : burst }
        var count: Int64 { tweets &+ retweets &+ searches &+ news }
        static func ranks(_ a: Trend, before b: Trend) -> Bool {
            if a.score != b.score { return a.score > b.score }
            return a.count != b.count ? a.count > b.count : a.hashtag < b.hashtag
        }
    }

    /// The best, the highest first.
    func rows(atMost limit: Int) throws -> [Row] {
        var best: [Trend] = []
        let most = weights.values.max() ?? 1
        // The score is never above the weighted count, so that counts below the last place need no baseline.
        for (hashtag, count) in try counts().sorted(by: { ($1.value.sum, $0.key) < ($0.value.sum, $1.key) }) {
            if Double(count.sum) < least { break }
            if best.count == limit, let last = best.last, Double(count.sum) * most < last.score { break }
            let before = try sum(hashtag, baseline) - (fakes.baseline[hashtag] ?? 0)
            let expected = Double(max(0, before)) / Double(Self.baselineWindows)
            let burst = (Double(count.sum) - expected) / (expected + 1).squareRoot()
            if burst < least { continue }
            let trend = Trend(
                hashtag: hashtag, burst: burst, weight: weights[hashtag] ?? 1, tweets: count.tweets,
                retweets: count.retweets, searches: count.searches, news: count.news, baseline: expected)
            let place = best.firstIndex { Trend.ranks(trend, before: $0) } ?? best.count
            best.insert(trend, at: place)
            if best.count > limit { best.removeLast() }
        }
        return best.map {
            [
                .text($0.hashtag), .real($0.score), .integer($0.tweets), .integer($0.retweets), .real($0.baseline),
                .integer($0.searches), .real($0.weight), .integer($0.news),
            ]
        }
    }

    private struct Count {
        var tweets: Int64 = 0
        var retweets: Int64 = 0
        var searches: Int64 = 0
        var news: Int64 = 0
        var sum: Int64 { tweets &+ retweets &+ searches &+ news }
        /// Nobody used it or looked for it, but headlines have it.
        var isNewsAlone: Bool { sum == news }
    }

    /// Every hashtag of the window with its count.
    private func counts() throws -> [String: Count] {
        var counts: [String: Count] = [:]
        for (table, range) in window.parts {
            let scan = Scan(
                table, by: Trends.unit(of: table).name, from: .integer(range.lowerBound),
                through: .integer(range.upperBound))
            try reader.everyRow(scan) { row in
                let hashtag = row[Trends.Count.hashtag] ?? ""
                counts[hashtag, default: Count()].tweets &+= row[Trends.Count.tweets] ?? 0
                counts[hashtag, default: Count()].retweets &+= row[Trends.Count.retweets] ?? 0
                counts[hashtag, default: Count()].searches &+= row[Trends.Count.searches] ?? 0
                counts[hashtag, default: Count()].news &+= row[Trends.Count.news] ?? 0
            }
        }
        for (hashtag, fake) in fakes.window {
            counts[hashtag]?.tweets &-= fake[0]
            counts[hashtag]?.retweets &-= fake[1]
            counts[hashtag]?.searches &-= fake[2]
        }
        let parts = Self.parts(in: counts)
        // Tags whose tweets were all deleted leave a row of zeros.
        return counts.filter { name, count in
            count.sum > 0 && (!count.isNewsAlone || count.news >= Self.leastNews && !parts.contains(name))
        }
    }

    /// Phrases that are in as many headlines as a longer one that has them: the longer one says it all.
    private static func parts(in counts: [String: Count]) -> Set<String> {
        var parts: Set<String> = []
        for (name, count) in counts where count.news >= leastNews {
            let words = name.split(separator: " ")
            if !(2...NewsPhrases.longest).contains(words.count) { continue }
            for length in 1..<words.count {
                for start in 0...(words.count - length) {
                    let part = words[start..<start + length].joined(separator: " ")
                    if let other = counts[part], other.isNewsAlone, other.news <= count.news { parts.insert(part) }
                }
            }
        }
        return parts
    }

    private func sum(_ hashtag: String, _ window: TrendWindow) throws -> Int64 {
        try window.parts.reduce(0) { sum, part in
            let scan = Scan(
                part.table, equal: [.text(hashtag)], from: .integer(part.through.lowerBound),
                through: .integer(part.through.upperBound))
            return try reader.sums(Trends.Count.all, over: scan).reduce(sum, &+)
        }
    }
}
