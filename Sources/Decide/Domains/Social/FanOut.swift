internal import EventModel
internal import OrderedCollections
internal import SwiftProtobuf

extension SocialHomeEvent: Envelope {}

/// Hands each tweet to its author's followers (fan-out on write), unless there are so many that they fetch it when they
/// read (merge at read).
///
/// Followers and promotions are known from `social.audience`, tweets from `social.events`, and neither from the other. A
/// follower and a tweet meet whichever comes first: a tweet goes to the followers that are known, a new follower gets the
/// tweets that are known. Crossing the limit is a fact on `social.audience` that this reaction writes to itself, so what
/// the followers were told can be folded again, also where the limit has been changed since.
struct FanOut: StatefulReaction {
    /// What is known of one author.
    struct State: Codable, Sendable {
        var followers: OrderedSet<String> = []
        /// Whether followers fetch the tweets.
        var isPromoted = false
        /// Tweets and retweets that were not deleted, with when they were posted.
        var tweets: [String: Timestamp] = [:]
    }

    /// Tweets in one record.
    static let entriesPerRecord = 1000

    let name = "fan-out"
    /// With so many followers an author is promoted; with less than nine tenths of them, demoted again.
    let limit: Int
    var initial: State { State() }

    func isBlank(_ state: State) -> Bool { state.followers.isEmpty && !state.isPromoted && state.tweets.isEmpty }

    var inputs: [ReactionInput<State>] {
        [
            ReactionInput("social.events", SocialEvent.self, react: told, evolve: Self.evolve),
            ReactionInput("social.audience", SocialAudienceEvent.self, react: heard, evolve: Self.evolve),
        ]
    }

    // MARK: What the author does

    private func told(_ event: SocialEvent.Kind, _ state: State, _ place: Place) -> [Emission] {
        switch event {
        case .tweetPosted(let e):
            let named = e.mentions.filter { $0 != e.user }
            let mention =
                named.isEmpty
                ? []
                : [
                    Self.home("UserMentioned", to: named) { users in
                        .userMentioned(
                            .with {
                                ($0.author, $0.entry, $0.users) = (e.user, Self.entry(e.tweet, place.timestamp), users)
                            })
                    }
                ]
            return mention + hand(e.user, e.tweet, place.timestamp, state)
        case .retweeted(let e): return hand(e.user, e.tweet, place.timestamp, state)
        case .tweetDeleted(let e):
            // Those who fetch it find it gone; so do readers of entries that were handed out before a promotion.
            guard !state.isPromoted, !state.followers.isEmpty, let posted = state.tweets[e.tweet] else { return [] }
            return Self.removed(e.user, [e.tweet: posted], from: Array(state.followers))
        case .userFollowed, .userUnfollowed: return []
        }
    }

    private func hand(_ author: String, _ tweet: String, _ time: Timestamp, _ state: State) -> [Emission] {
        if state.isPromoted { return [] }
        let handed = Self.added(author, [tweet: time], to: Array(state.followers))
        return state.followers.count >= limit ? handed + [Self.promoted(author)] : handed
    }

    private static func evolve(_ event: SocialEvent.Kind, _ state: inout State, _ place: Place) -> Bool {
        switch event {
        case .tweetPosted(let e): state.tweets[e.tweet] = place.timestamp
        case .retweeted(let e): state.tweets[e.tweet] = place.timestamp
        case .tweetDeleted(let e): state.tweets[e.tweet] = nil
        case .userFollowed, .userUnfollowed: return false
        }
        return true
    }

    // MARK: What the author's audience does

    private func heard(_ event: SocialAudienceEvent.Kind, _ state: State, _ place: Place) -> [Emission] {
        switch event {
        case .followerGained(let e):
            if state.followers.contains(e.follower) { return [] }
            if state.isPromoted { return [Self.merged(e.user, [e.follower])] }
            let handed = Self.added(e.user, state.tweets, to: [e.follower])
            return state.followers.count + 1 >= limit ? handed + [Self.promoted(e.user)] : handed
        case .followerLost(let e):
            guard state.followers.contains(e.follower) else { return [] }
            let taken = Self.removed(e.user, state.tweets, from: [e.follower])
            if !state.isPromoted { return taken }
            let demoted = state.followers.count - 1 < limit - limit / 10 ? [Self.demoted(e.user)] : []
            return taken + [Self.unmerged(e.user, [e.follower])] + demoted
        case .authorPromoted(let e):
            return state.isPromoted || state.followers.isEmpty ? [] : [Self.merged(e.user, Array(state.followers))]
        case .authorDemoted(let e):
            if !state.isPromoted || state.followers.isEmpty { return [] }
            let followers = Array(state.followers)
            return Self.added(e.user, state.tweets, to: followers) + [Self.unmerged(e.user, followers)]
        }
    }

    private static func evolve(_ event: SocialAudienceEvent.Kind, _ state: inout State, _ place: Place) -> Bool {
        switch event {
        case .followerGained(let e): state.followers.append(e.follower)
        case .followerLost(let e): state.followers.remove(e.follower)
        case .authorPromoted: state.isPromoted = true
        case .authorDemoted: state.isPromoted = false
        }
        return true
    }

    // MARK: What follows from it

    private static func entry(_ tweet: String, _ time: Timestamp) -> SocialTimelineEntry {
        .with { ($0.tweet, $0.postedAt) = (tweet, time.proto) }
    }

    /// Oldest first, in runs that fit a record.
    private static func runs(_ tweets: [String: Timestamp]) -> [[SocialTimelineEntry]] {
        let sorted = tweets.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map { entry($0.key, $0.value) }
        return stride(from: 0, to: sorted.count, by: entriesPerRecord).map {
            Array(sorted[$0..<min($0 + entriesPerRecord, sorted.count)])
        }
    }

    private static func added(_ author: String, _ tweets: [String: Timestamp], to readers: [String]) -> [Emission] {
        if readers.isEmpty { return [] }
        return runs(tweets).map { entries in
            home("TimelineEntriesAdded", to: readers) { readers in
                .timelineEntriesAdded(.with { ($0.author, $0.entries, $0.readers) = (author, entries, readers) })
            }
        }
    }

    private static func removed(_ author: String, _ tweets: [String: Timestamp], from readers: [String]) -> [Emission] {
        runs(tweets).map { entries in
            home("TimelineEntriesRemoved", to: readers) { readers in
                .timelineEntriesRemoved(.with { ($0.author, $0.entries, $0.readers) = (author, entries, readers) })
            }
        }
    }

    private static func merged(_ author: String, _ readers: [String]) -> Emission {
        home("AuthorMerged", to: readers) { readers in
            .authorMerged(.with { ($0.author, $0.readers) = (author, readers) })
        }
    }

    private static func unmerged(_ author: String, _ readers: [String]) -> Emission {
        home("AuthorUnmerged", to: readers) { readers in
            .authorUnmerged(.with { ($0.author, $0.readers) = (author, readers) })
        }
    }

    private static func promoted(_ author: String) -> Emission {
        Followers.audience(author, .authorPromoted(.with { $0.user = author }))
    }
    private static func demoted(_ author: String) -> Emission {
        Followers.audience(author, .authorDemoted(.with { $0.user = author }))
    }

    private static func home(
        _ type: String, to readers: [String], _ event: @escaping @Sendable ([String]) -> SocialHomeEvent.Kind
    ) -> Emission {
        Emission(topic: "social.home", to: readers, type: type) { SocialHomeEvent.bytes(event($0)) }
    }
}
