internal import EventModel
internal import SwiftProtobuf

/// Timelines straight from the events of `social.events`, pulled from all authors and merged: what a reader must be shown,
/// however it is made.
struct PullAndMerge: Sendable {
    private struct Tweet: Sendable {
        var at: Timestamp
        var user: String
        var tweet: String
        var original: Social.Original?
        var mentions: [String]
    }
    private var tweets: [Tweet] = []
    private var deleted: Set<Social.Original> = []
    private(set) var following: [String: Set<String>] = [:]
    /// All who did something, or were named.
    private(set) var users: Set<String> = []

    init() {}

    /// Events of one user in their order; those of several users in any.
    mutating func tell(_ event: SocialEvent.Kind, at time: Timestamp) {
        users.insert(Social.key(of: event))
        switch event {
        case .tweetPosted(let e):
            users.formUnion(e.mentions)
            tweets.append(Tweet(at: time, user: e.user, tweet: e.tweet, original: nil, mentions: e.mentions))
        case .retweeted(let e):
            let original = Social.Original(owner: e.owner, tweet: e.original)
            tweets.append(Tweet(at: time, user: e.user, tweet: e.tweet, original: original, mentions: []))
        case .tweetDeleted(let e): deleted.insert(Social.Original(owner: e.user, tweet: e.tweet))
        case .userFollowed(let e): following[e.user, default: []].insert(e.followee)
        case .userUnfollowed(let e): following[e.user]?.remove(e.followee)
        }
    }

    /// The tweets and retweets of oneself and of those one follows, and what names one, without what was deleted, newest
    /// first, as USER/TWEET.
    func timeline(of reader: String) -> [String] {
        let following = following[reader] ?? []
        return tweets.filter { tweet in
            (tweet.user == reader || following.contains(tweet.user) || tweet.mentions.contains(reader))
                && !deleted.contains(Social.Original(owner: tweet.user, tweet: tweet.tweet))
                && !(tweet.original.map { deleted.contains($0) } ?? false)
        }
        .sorted { ($0.at, $0.user, $0.tweet) > ($1.at, $1.user, $1.tweet) }.map { "\($0.user)/\($0.tweet)" }
    }
}

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
}
