internal import EventModel
internal import SwiftProtobuf

/// What holds of the counts of hashtags, whatever happens. They are those of all accounts, also of such as count as fake.
extension SocialInvariants {
    static let trendsAreCounted = Invariant(
        "hashtags count as often as what is there has them", .atRest, over: ["social.events"],
        of: "social.trends", from: CountedHashtags(),
        fold: { model, record, _ in
            if let event = try SocialEvent.kind(in: record.value) { model.tell(event, at: record.timestamp) }
        },
        rows: { model, reader in
            let counts = model.counts()
            try compare(Trends.minutes, with: counts, reader)
            let hours = counts.reduce(into: [CountedHashtags.Slot: CountedHashtags.Count]()) { hours, one in
                let hour = CountedHashtags.Slot(hashtag: one.key.hashtag, minute: TrendWindow.hour(one.key.minute))
                hours[hour, default: .init()].tweets += one.value.tweets
                hours[hour, default: .init()].retweets += one.value.retweets
            }
            try compare(Trends.hours, with: hours, reader)
        })

    static let usesAreTheirUsers = Invariant(
        "a hashtag's uses are of those who used it", .atRest, over: ["social.events", "social.retweets"],
        of: "social.trends", from: CountedHashtags(),
        fold: { model, record, source in
            if source.topic == "social.retweets" {
                if let event = try SocialRetweetEvent.kind(in: record.value) { model.hear(event) }
            } else if let event = try SocialEvent.kind(in: record.value) {
                model.tell(event, at: record.timestamp)
            }
        },
        rows: { model, reader in
            var uses: [CountedHashtags.Use: CountedHashtags.Count] = [:]
            try reader.everyRow(Scan(Trends.uses)) { row in
                let slot = CountedHashtags.Slot(
                    hashtag: row[Trends.Use.hashtag] ?? "", minute: row[Trends.Use.minute] ?? 0)
                let use = CountedHashtags.Use(user: row[Trends.Use.user] ?? "", slot: slot)
                uses[use, default: .init()].tweets += row[Trends.Use.tweets] ?? 0
                uses[use, default: .init()].retweets += row[Trends.Use.retweets] ?? 0
            }
            let expected = model.uses()
            for use in Set(uses.keys).union(expected.keys).sorted(by: {
                ($0.user, $0.slot.hashtag, $0.slot.minute) < ($1.user, $1.slot.hashtag, $1.slot.minute)
            }) {
                let (shown, right) = (uses[use] ?? .init(), expected[use] ?? .init())
                if shown.tweets != right.tweets || shown.retweets != right.retweets && !model.isOlder {
                    throw Violation(
                        """
                        \(use.user) has #\(use.slot.hashtag) in \(shown.tweets) tweets and \(shown.retweets) retweets of \
                        minute \(use.slot.minute), and should have it in \(right.tweets) and \(right.retweets)
                        """)
                }
            }
        })

    private static func compare(
        _ table: Table, with expected: [CountedHashtags.Slot: CountedHashtags.Count], _ reader: any ViewReader
    ) throws {
        let unit = Trends.unit(of: table)
        var counts: [CountedHashtags.Slot: CountedHashtags.Count] = [:]
        try reader.everyRow(Scan(table)) { row in
            let slot = CountedHashtags.Slot(hashtag: row[Trends.Count.hashtag] ?? "", minute: row[unit] ?? 0)
            counts[slot, default: .init()].tweets += row[Trends.Count.tweets] ?? 0
            counts[slot, default: .init()].retweets += row[Trends.Count.retweets] ?? 0
        }
        for slot in Set(counts.keys).union(expected.keys).sorted(by: {
            ($0.hashtag, $0.minute) < ($1.hashtag, $1.minute)
        }) {
            let (shown, right) = (counts[slot] ?? .init(), expected[slot] ?? .init())
            if shown != right {
                throw Violation(
                    """
                    #\(slot.hashtag) has \(shown.tweets) tweets and \(shown.retweets) retweets in \(unit.name) \(slot.minute), \
                    and should have \(right.tweets) and \(right.retweets)
                    """)
            }
        }
    }
}
