internal import EventModel

/// What accounts that count as fake used in a window and in its baseline: it is taken away from the counts of all.
///
/// An account counts as fake by a human's word, or by the model's as long as no human has judged. Both are read as they are now, so that one
/// who is cleared has all uses back.
struct FakeUses {
    /// Accounts whose uses are taken away: first those that humans have judged, by name, then those that the model flags, the ones with the
    /// most tweets first, which weigh the most. What is beyond counts as anybody's.
    static let accounts = 1000
    /// Rows that are read of one account, the newest first. What is beyond counts as anybody's.
    static let usesOfOne = 1000

    /// Tweets, retweets and searches of each hashtag.
    private(set) var window: [String: [Int64]] = [:]
    private(set) var baseline: [String: Int64] = [:]

    init(_ reader: any ViewReader, window: TrendWindow, baseline: TrendWindow) throws {
        for account in try Self.fakes(reader) {
            let scan = Scan(
                Trends.uses, equal: [.text(account)], from: .integer(baseline.minutes.lowerBound),
                through: .integer(window.minutes.upperBound - 1), descending: true, limit: Self.usesOfOne)
            var used: [Slot: [Int64]] = [:]
            for row in try reader.rows(scan) {
                let slot = Slot(hashtag: row[Trends.Use.hashtag] ?? "", minute: row[Trends.Use.minute] ?? 0)
                let counts = [row[Trends.Use.tweets], row[Trends.Use.retweets], row[Trends.Use.searches]]
                for i in counts.indices { used[slot, default: [0, 0, 0]][i] &+= counts[i] ?? 0 }
            }
            for (slot, counts) in used { take(slot, counts, within: window) }
        }
    }

    private struct Slot: Hashable {
        var hashtag: String
        var minute: Int64
    }

    /// What is below zero was added by an older program, which did not say whose it was.
    private mutating func take(_ slot: Slot, _ counts: [Int64], within window: TrendWindow) {
        for i in counts.indices where counts[i] > 0 {
            if window.minutes.contains(slot.minute) {
                self.window[slot.hashtag, default: [0, 0, 0]][i] &+= counts[i]
            } else {
                baseline[slot.hashtag, default: 0] &+= counts[i]
            }
        }
    }

    /// Who counts as fake, in the order in which they are looked at.
    static func fakes(_ reader: any ViewReader) throws -> [String] {
        let fakes = try CountedFakes(
            atMost: accounts, verdicts: Trends.verdicts, flags: Trends.flags, by: "tweets", in: reader)
        return Array((fakes.confirmed + fakes.flagged).compactMap { $0[0].text }.prefix(accounts))
    }
}
