internal import EventModel
internal import SwiftProtobuf

extension SocialInvariants {
    /// Likes, replies, quotes and retweets straight from the events.
    private struct Counted: Sendable {
        var likes: Set<Row> = []
        /// What each tweet that was not deleted answers and quotes.
        var replies: [Social.Original: Row] = [:]
        var quotes: [Social.Original: Row] = [:]
        /// What each retweet that was not deleted names.
        var retweets: [Social.Original: Row] = [:]

        mutating func tell(_ event: SocialEvent.Kind) throws {
            switch event {
            case .tweetLiked(let e):
                if !likes.insert([.text(e.owner), .text(e.tweet), .text(e.user)]).inserted {
                    throw Violation("\(e.user) likes \(e.owner)'s \(e.tweet) twice")
                }
            case .tweetUnliked(let e):
                if likes.remove([.text(e.owner), .text(e.tweet), .text(e.user)]) == nil {
                    throw Violation("\(e.user) likes \(e.owner)'s \(e.tweet) no more, and never did")
                }
            case .tweetPosted(let e):
                let name = Social.Original(owner: e.user, tweet: e.tweet)
                if !e.replyToUser.isEmpty { replies[name] = [.text(e.replyToUser), .text(e.replyToTweet)] }
                if !e.quotedUser.isEmpty { quotes[name] = [.text(e.quotedUser), .text(e.quotedTweet)] }
            case .tweetDeleted(let e):
                let name = Social.Original(owner: e.user, tweet: e.tweet)
                (replies[name], quotes[name], retweets[name]) = (nil, nil, nil)
            case .retweeted(let e):
                let name = Social.Original(owner: e.user, tweet: e.tweet)
                retweets[name] = [.text(e.owner), .text(e.original)]
            default: break
            }
        }

        var counts: [Row: Row] {
            var counts: [Row: [Int64]] = [:]
            for like in likes { counts[Array(like.prefix(2)), default: [0, 0, 0, 0]][0] += 1 }
            for tweet in replies.values { counts[tweet, default: [0, 0, 0, 0]][1] += 1 }
            for tweet in quotes.values { counts[tweet, default: [0, 0, 0, 0]][2] += 1 }
            for tweet in retweets.values { counts[tweet, default: [0, 0, 0, 0]][3] += 1 }
            return counts.mapValues { $0.map { Value.integer($0) } }
        }
    }

    static let likesAreCounted = Invariant(
        "a tweet has as many likes as who like it, and as many replies, quotes and retweets as are there",
        over: ["social.events"],
        of: "social.timelines", from: Counted(),
        fold: { counted, record, _ in
            if let event = try SocialEvent.kind(in: record.value) { try counted.tell(event) }
        },
        rows: { counted, reader in
            var (likes, counts): (Set<Row>, [Row: Row]) = ([], [:])
            try reader.everyRow(Scan(Timelines.likes)) { likes.insert(Array($0.prefix(3))) }
            // One of which all were taken back may stay.
            try reader.everyRow(Scan(Timelines.counts)) { row in
                let count = Array(row.dropFirst(2))
                if count != [0, 0, 0, 0] { counts[Array(row.prefix(2))] = count }
            }
            if likes != counted.likes { throw Violation("likes are \(likes), and should be \(counted.likes)") }
            let expected = counted.counts
            for tweet in Set(counts.keys).union(expected.keys) where counts[tweet] != expected[tweet] {
                throw Violation(
                    "\(tweet) has \(counts[tweet] ?? []) likes, replies and quotes, and should have \(expected[tweet] ?? [])"
                )
            }
        })

    private struct Graph: Sendable {
        var follows: Set<Row> = []
        var blocks: Set<Row> = []
    }

    static let graphIsFollowed = Invariant(
        "who follows is shown, and who is blocked", over: ["social.events"], of: "social.graph", from: Graph(),
        fold: { graph, record, _ in
            switch try SocialEvent.kind(in: record.value) {
            case .userFollowed(let e): graph.follows.insert([.text(e.user), .text(e.followee)])
            case .userUnfollowed(let e): graph.follows.remove([.text(e.user), .text(e.followee)])
            case .userBlocked(let e):
                if graph.follows.contains([.text(e.user), .text(e.blocked)]) {
                    throw Violation("\(e.user) blocks \(e.blocked), and follows them still")
                }
                graph.blocks.insert([.text(e.user), .text(e.blocked)])
            case .userUnblocked(let e): graph.blocks.remove([.text(e.user), .text(e.blocked)])
            default: break
            }
        },
        rows: { graph, reader in
            var shown = Graph()
            try reader.everyRow(Scan(SocialGraph.follows)) { shown.follows.insert(Array($0.prefix(2))) }
            try reader.everyRow(Scan(SocialGraph.blocks)) { shown.blocks.insert($0) }
            if shown.follows != graph.follows || shown.blocks != graph.blocks {
                throw Violation("shown are \(shown), and should be \(graph)")
            }
        })
}
