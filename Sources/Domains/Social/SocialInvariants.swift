internal import EventModel
internal import SwiftProtobuf

/// What holds of social, whatever happens.
enum SocialInvariants {
    static let timelinesAreMerged = Invariant(
        "a timeline is what pulling from all and merging gives", .atRest, over: ["social.events"],
        of: "social.timelines", from: PullAndMerge(),
        fold: { model, record, _ in
            if let event = try SocialEvent.kind(in: record.value) { model.tell(event, at: record.timestamp) }
        },
        rows: { model, reader in
            for user in model.users.sorted() {
                var timeline = try ReadTimeline(homeOf: user, reader, from: nil)
                let shown = try timeline.page(limit: Limits.pageRows).rows
                    .map { "\($0[1].text ?? "")/\($0[2].text ?? "")" }
                let expected = model.timeline(of: user)
                // A page that is full shows no more than its beginning.
                if shown != Array(expected.prefix(Limits.pageRows)) {
                    throw Violation("\(user) is shown \(shown), and should be \(expected)")
                }
            }
        })

    private struct Edges: Sendable {
        /// Followers of each author, as they say, and as authors were told.
        var said: [String: Set<String>] = [:]
        var told: [String: Set<String>] = [:]

        mutating func fold(_ record: Record, _ source: TopicPartition) throws {
            if source.topic == "social.audience" {
                switch try SocialAudienceEvent.kind(in: record.value) {
                case .followerGained(let e):
                    if !told[e.user, default: []].insert(e.follower).inserted {
                        throw Violation(
                            "\(e.user) was told twice that \(e.follower) follows, at \(source)@\(record.offset)")
                    }
                case .followerLost(let e):
                    if told[e.user]?.remove(e.follower) == nil {
                        throw Violation(
                            "\(e.user) lost \(e.follower), who did not follow, at \(source)@\(record.offset)")
                    }
                case .authorPromoted, .authorDemoted, nil: break
                }
                return
            }
            switch try SocialEvent.kind(in: record.value) {
            case .userFollowed(let e): said[e.followee, default: []].insert(e.user)
            case .userUnfollowed(let e): said[e.followee]?.remove(e.user)
            default: break
            }
        }
    }

    static let followersAreTheEdges = Invariant(
        "an author's followers are those who follow", .atRest, over: ["social.events", "social.audience"],
        from: Edges(),
        fold: { try $0.fold($1, $2) },
        finish: { edges in
            for author in Set(edges.said.keys).union(edges.told.keys).sorted() {
                let (said, told) = (edges.said[author] ?? [], edges.told[author] ?? [])
                if said != told {
                    throw Violation("\(author) is followed by \(said.sorted()), and was told of \(told.sorted())")
                }
            }
        })
    /// What the last crossing of each author was.
    private typealias Crossings = [String: (number: Int32, isPromoted: Bool)]

    static let crossingsAlternate = Invariant(
        "an author is promoted and demoted by turns", over: "social.audience",
        SocialAudienceEvent.self, from: Crossings(),
        fold: { authors, event, place in
            let (user, number, isPromoted): (String, Int32, Bool)
            switch event {
            case .authorPromoted(let e): (user, number, isPromoted) = (e.user, e.crossing, true)
            case .authorDemoted(let e): (user, number, isPromoted) = (e.user, e.crossing, false)
            case .followerGained, .followerLost: return
            }
            // An older program did not number them, and wrote some more than once.
            if number == 0 { return }
            let last = authors[user]
            if number != (last?.number ?? 0) + 1 || last?.isPromoted == isPromoted {
                let before = last.map { "its number \($0.number), \($0.isPromoted ? "up" : "down")" } ?? "none"
                throw Violation(
                    "\(user) crosses the limit \(isPromoted ? "up" : "down") as number \(number) after \(before), at \(place.words)"
                )
            }
            authors[user] = (number, isPromoted)
        })

    /// How many followers of an author were ever handed tweets, at most.
    private struct Handing: Sendable {
        struct Author: Sendable {
            var followers: Set<String> = []
            /// With how many followers the author was promoted, at most.
            var most = 0
            var isPromoted = false
            /// Whether an older program promoted the author, which did not say with how many followers.
            var isOlder = false

            mutating func promote(_ e: SocialAuthorPromoted) {
                isPromoted = true
                isOlder = isOlder || e.crossing == 0
                most = max(most, Int(e.followers))
            }
        }
        var authors: [String: Author] = [:]

        mutating func fold(_ record: Record) throws {
            switch try SocialAudienceEvent.kind(in: record.value) {
            case .followerGained(let e): authors[e.user, default: Author()].followers.insert(e.follower)
            case .followerLost(let e): authors[e.user]?.followers.remove(e.follower)
            case .authorPromoted(let e): authors[e.user, default: Author()].promote(e)
            case .authorDemoted(let e): authors[e.user, default: Author()].isPromoted = false
            case nil: break
            }
        }
    }

    /// Tweets are handed out only while their author is not promoted, and to followers alone; who unfollows gives them back.
    static let entriesAreBounded = Invariant(
        "tweets of a promoted author are handed to nobody", .atRest,
        over: ["social.audience"], of: "social.timelines", from: Handing(),
        fold: { handing, record, _ in try handing.fold(record) },
        rows: { handing, reader in
            let promoted = handing.authors.filter { $0.value.most > 0 && !$0.value.isOlder }
            if promoted.isEmpty { return }
            var readers: [Row: Int] = [:]
            try reader.everyRow(Scan(Timelines.entries)) { row in
                typealias Entry = Timelines.Entry
                guard let author = row[Entry.author], promoted[author] != nil else { return }
                readers[[.text(author), row.value(Entry.tweet)], default: 0] += 1
            }
            for (tweet, count) in readers {
                guard let name = tweet[0].text, let author = promoted[name] else { continue }
                let most = author.isPromoted ? author.most : max(author.most, author.followers.count)
                if count > most {
                    throw Violation(
                        "\(name)'s tweet \(tweet[1].text ?? "") is handed to \(count) readers, not at most \(most)")
                }
            }
        })
}
