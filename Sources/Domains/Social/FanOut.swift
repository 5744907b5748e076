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
/// the followers were told can be folded again, also where the limit has been changed since. It holds as soon as it is
/// written, however much is to be read before it: an author's crossings are numbered, and one that is known already is
/// passed over when it is read.
struct FanOut: StatefulReaction {
    /// What is known of one author.
    struct State: Codable, Sendable {
        var followers: OrderedSet<String> = []
        /// Whether followers fetch the tweets.
        var isPromoted = false
        /// The last crossing of the limit that holds.
        var crossing: Int32 = 0
        /// Tweets and retweets that were not deleted, with when they were posted.
        var tweets: [String: Timestamp] = [:]

        mutating func cross(_ number: Int32, isPromoted: Bool) {
            // An older program did not number them. What it wrote is over once there is one with a number.
            if number == 0 ? crossing > 0 : number <= crossing { return }
            (crossing, self.isPromoted) = (number, isPromoted)
        }
    }

    /// Tweets in one record.
    static let entriesPerRecord = 1000

    let name = "fan-out"
    /// 2: crossings are numbered.
    let stateVersion = 2
    /// With so many followers an author is promoted; with less than nine tenths of them, demoted again.
    let limit: Int
    var initial: State { State() }

    func isBlank(_ state: State) -> Bool {
        state.followers.isEmpty && !state.isPromoted && state.tweets.isEmpty && state.crossing == 0
    }

    var inputs: [ReactionInput<State>] {
        [
            ReactionInput("social.events", SocialEvent.self, react: told, evolve: Self.evolve),
            ReactionInput(
                "social.audience", SocialAudienceEvent.self, react: heard, evolve: Self.evolve, ahead: Self.ahead),
        ]
    }

    // MARK: What the author does

    private func told(_ event: SocialEvent.Kind, _ state: State, _ place: EventPosition) -> [Emission] {
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
        default: return []
        }
    }

    private func hand(_ author: String, _ tweet: String, _ time: Timestamp, _ state: State) -> [Emission] {
        if state.isPromoted { return [] }
        if state.followers.count >= limit { return promote(author, state, Array(state.followers)) }
        return Self.added(author, [tweet: time], to: Array(state.followers))
    }

    /// From now on the followers fetch what there is, whether it was handed to them or not.
    private func promote(_ author: String, _ state: State, _ followers: [String]) -> [Emission] {
        let crossing = SocialAuthorPromoted.with {
            ($0.user, $0.crossing, $0.followers) = (author, state.crossing + 1, Int32(followers.count))
        }
        return [Followers.audience(author, .authorPromoted(crossing)), Self.merged(author, followers)]
    }

    /// From now on the followers are handed what there is.
    private func demote(_ author: String, _ state: State, _ followers: [String]) -> [Emission] {
        let crossing = SocialAuthorDemoted.with {
            ($0.user, $0.crossing, $0.followers) = (author, state.crossing + 1, Int32(followers.count))
        }
        return [Followers.audience(author, .authorDemoted(crossing))] + handedAgain(author, state, followers)
    }

    private func handedAgain(_ author: String, _ state: State, _ followers: [String]) -> [Emission] {
        if followers.isEmpty { return [] }
        return Self.added(author, state.tweets, to: followers) + [Self.unmerged(author, followers)]
    }

    private static func evolve(_ event: SocialEvent.Kind, _ state: inout State, _ place: EventPosition) -> Bool {
        switch event {
        case .tweetPosted(let e): state.tweets[e.tweet] = place.timestamp
        case .retweeted(let e): state.tweets[e.tweet] = place.timestamp
        case .tweetDeleted(let e): state.tweets[e.tweet] = nil
        default: return false
        }
        return true
    }

    // MARK: What the author's audience does

    private func heard(_ event: SocialAudienceEvent.Kind, _ state: State, _ place: EventPosition) -> [Emission] {
        switch event {
        case .followerGained(let e):
            if state.followers.contains(e.follower) { return [] }
            if state.isPromoted { return [Self.merged(e.user, [e.follower])] }
            if state.followers.count + 1 >= limit {
                return promote(e.user, state, Array(state.followers) + [e.follower])
            }
            return Self.added(e.user, state.tweets, to: [e.follower])
        case .followerLost(let e):
            guard state.followers.contains(e.follower) else { return [] }
            let taken = Self.removed(e.user, state.tweets, from: [e.follower])
            if !state.isPromoted { return taken }
            let unmerged = taken + [Self.unmerged(e.user, [e.follower])]
            if state.followers.count - 1 >= limit - limit / 10 { return unmerged }
            return unmerged + demote(e.user, state, Array(state.followers.filter { $0 != e.follower }))
        // What an older program wrote holds from here on.
        case .authorPromoted(let e) where e.crossing == 0 && state.crossing == 0:
            return state.isPromoted || state.followers.isEmpty ? [] : [Self.merged(e.user, Array(state.followers))]
        case .authorDemoted(let e) where e.crossing == 0 && state.crossing == 0:
            return state.isPromoted ? handedAgain(e.user, state, Array(state.followers)) : []
        case .authorPromoted, .authorDemoted: return []
        }
    }

    private static func evolve(_ event: SocialAudienceEvent.Kind, _ state: inout State, _ place: EventPosition) -> Bool
    {
        switch event {
        case .followerGained(let e): state.followers.append(e.follower)
        case .followerLost(let e): state.followers.remove(e.follower)
        case .authorPromoted(let e): state.cross(e.crossing, isPromoted: true)
        case .authorDemoted(let e): state.cross(e.crossing, isPromoted: false)
        }
        return true
    }

    private static func ahead(_ event: SocialAudienceEvent.Kind) -> Ahead<State>? {
        switch event {
        case .authorPromoted(let e) where e.crossing > 0: { $0.cross(e.crossing, isPromoted: true) }
        case .authorDemoted(let e) where e.crossing > 0: { $0.cross(e.crossing, isPromoted: false) }
        default: nil
        }
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

    private static func home(
        _ type: String, to readers: [String], _ event: @escaping @Sendable ([String]) -> SocialHomeEvent.Kind
    ) -> Emission {
        Emission(topic: "social.home", to: readers, type: type) { SocialHomeEvent.bytes(event($0)) }
    }
}
