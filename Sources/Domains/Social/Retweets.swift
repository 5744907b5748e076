internal import EventModel
internal import SwiftProtobuf

extension SocialRetweetEvent: Envelope {}

/// Finds the original of each retweet, and says what that and deletions change in the counts of hashtags.
///
/// Whether a tweet is a retweet of another, what it says and whether it is still there is known by its author's events
/// alone. So each retweet is told to the author that it names, under the author's key, and by a retweet of theirs on to the
/// author that this one names, up to the original. There it meets the tweet, whichever comes first: a retweet has the
/// hashtags of its original, those of its own text as long as the original is not known, and none once either was deleted.
struct Retweets: StatefulReaction {
    /// What is known of one author.
    struct State: Codable, Sendable {
        /// Tweets and retweets by identifier, from `social.events` alone.
        var own: [String: Own] = [:]
        /// The retweets that refer to each, by user and identifier, from `social.retweets` alone.
        var referring: [String: [String: Reference]] = [:]
    }
    enum Own: Codable, Hashable, Sendable {
        case tweet(at: Timestamp, hashtags: [String], deleted: Timestamp?)
        /// The hashtags are nil where it has no text; so it is once it was deleted.
        case retweet(of: Social.Original, at: Timestamp, hashtags: [String]?)
    }
    /// A retweet of any user.
    struct Reference: Codable, Hashable, Sendable {
        var user: String
        var tweet: String
        var postedAt: Timestamp
        /// Since when it refers to this one.
        var since: Timestamp
        /// Those that count where the original is not known; nil where no text on the way tells.
        var hashtags: [String]?
        var hop: Int

        var id: String { "\(user)/\(tweet)" }
    }

    /// Changes in one record.
    static let changesPerRecord = 1000

    let name = "retweets"
    var initial: State { State() }

    func isBlank(_ state: State) -> Bool { state.own.isEmpty && state.referring.isEmpty }

    var inputs: [ReactionInput<State>] {
        [
            ReactionInput("social.events", SocialEvent.self, react: Self.told, evolve: Self.evolve),
            ReactionInput("social.retweets", SocialRetweetEvent.self, react: Self.heard, evolve: Self.evolve),
        ]
    }

    // MARK: What the author does

    private static func told(_ event: SocialEvent.Kind, _ state: State, _ place: EventPosition) -> [Emission] {
        switch event {
        case .tweetPosted(let e):
            return became(own(event, state, place), e.user, e.tweet, state, place.timestamp)
        case .retweeted(let e):
            let reference = Reference(
                user: e.user, tweet: e.tweet, postedAt: place.timestamp, since: place.timestamp,
                hashtags: hashtags(of: e.text), hop: 1)
            let original = Social.Original(owner: e.owner, tweet: e.original)
            return [referred(reference, to: original, at: place.timestamp)]
                + became(own(event, state, place), e.user, e.tweet, state, place.timestamp)
        case .tweetDeleted(let e):
            let after = own(event, state, place)
            var emissions = became(after, e.user, e.tweet, state, place.timestamp)
            switch state.own[e.tweet] {
            case .tweet(let at, let hashtags, nil):
                var changes = HashtagChanges()
                changes.count(hashtags, -1, .tweets, in: at, since: place.timestamp)
                emissions += changes.emissions(for: e.user)
            case .retweet(let original, _, _):
                emissions.append(withdrawn((e.user, e.tweet), from: original, at: place.timestamp))
            case .tweet, nil: break
            }
            return emissions
        default: return []
        }
    }

    /// What one of the author's own is after an event.
    private static func own(_ event: SocialEvent.Kind, _ state: State, _ place: EventPosition) -> Own? {
        switch event {
        case .tweetPosted(let e): return .tweet(at: place.timestamp, hashtags: e.hashtags, deleted: nil)
        case .retweeted(let e):
            return .retweet(
                of: Social.Original(owner: e.owner, tweet: e.original), at: place.timestamp,
                hashtags: hashtags(of: e.text))
        case .tweetDeleted(let e):
            switch state.own[e.tweet] {
            case .tweet(let at, let hashtags, nil):
                return .tweet(at: at, hashtags: hashtags, deleted: place.timestamp)
            case .retweet(let original, let at, _): return .retweet(of: original, at: at, hashtags: nil)
            case let other: return other
            }
        default: return nil
        }
    }

    private static func hashtags(of text: String) -> [String]? {
        text.isEmpty ? nil : Social.names(TweetText.hashtags(in: text))
    }

    /// What follows for the retweets that refer to one of the author's own when this becomes another.
    private static func became(
        _ after: Own?, _ author: String, _ tweet: String, _ state: State, _ time: Timestamp
    ) -> [Emission] {
        guard let referring = state.referring[tweet] else { return [] }
        let before = state.own[tweet]
        var changes = HashtagChanges()
        var emissions: [Emission] = []
        for (_, reference) in referring.sorted(by: { $0.key < $1.key }) {
            for step in reference.steps(at: before) { changes.add(step, -1, reference) }
            for step in reference.steps(at: after) { changes.add(step, 1, reference) }
            let (left, reached) = (reference.next(from: before), reference.next(from: after))
            if left?.original == reached?.original, left?.reference.hashtags == reached?.reference.hashtags { continue }
            if let left {
                emissions.append(withdrawn((reference.user, reference.tweet), from: left.original, at: time))
            }
            if let reached {
                emissions.append(
                    referred(reached.reference, to: reached.original, at: max(time, reached.reference.since)))
            }
        }
        return changes.emissions(for: author) + emissions
    }

    private static func evolve(_ event: SocialEvent.Kind, _ state: inout State, _ place: EventPosition) -> Bool {
        switch event {
        case .tweetPosted(let e): state.own[e.tweet] = own(event, state, place)
        case .retweeted(let e): state.own[e.tweet] = own(event, state, place)
        case .tweetDeleted(let e): state.own[e.tweet] = own(event, state, place)
        default: return false
        }
        return true
    }

    // MARK: What others pass on

    private static func heard(_ event: SocialRetweetEvent.Kind, _ state: State, _ place: EventPosition) -> [Emission] {
        var changes = HashtagChanges()
        switch event {
        case .retweetReferred(let e):
            let reference = Reference(e, since: place.timestamp)
            if state.referring[e.original]?[reference.id] != nil { return [] }
            let own = state.own[e.original]
            for step in reference.steps(at: own) { changes.add(step, 1, reference) }
            let next = reference.next(from: own).map { referred($0.reference, to: $0.original, at: $0.reference.since) }
            return changes.emissions(for: e.owner) + (next.map { [$0] } ?? [])
        case .retweetWithdrawn(let e):
            guard let reference = state.referring[e.original]?["\(e.user)/\(e.tweet)"] else { return [] }
            let own = state.own[e.original]
            for step in reference.steps(at: own) { changes.add(step, -1, reference, notBefore: place.timestamp) }
            let next = reference.next(from: own).map {
                withdrawn((e.user, e.tweet), from: $0.original, at: max(place.timestamp, $0.reference.since))
            }
            return changes.emissions(for: e.owner) + (next.map { [$0] } ?? [])
        case .hashtagsRecounted: return []
        }
    }

    private static func evolve(_ event: SocialRetweetEvent.Kind, _ state: inout State, _ place: EventPosition) -> Bool {
        switch event {
        case .retweetReferred(let e):
            let reference = Reference(e, since: place.timestamp)
            if state.referring[e.original]?[reference.id] != nil { return true }
            state.referring[e.original, default: [:]][reference.id] = reference
        case .retweetWithdrawn(let e):
            state.referring[e.original]?["\(e.user)/\(e.tweet)"] = nil
            if state.referring[e.original]?.isEmpty == true { state.referring[e.original] = nil }
        case .hashtagsRecounted: return false
        }
        return true
    }

    // MARK: What follows from it

    private static func referred(
        _ reference: Reference, to original: Social.Original, at time: Timestamp
    ) -> Emission {
        let event = SocialRetweetReferred.with {
            ($0.owner, $0.original) = (original.owner, original.tweet)
            ($0.user, $0.tweet, $0.postedAt) = (reference.user, reference.tweet, reference.postedAt.proto)
            ($0.hasText_p, $0.hashtags) = (reference.hashtags != nil, reference.hashtags ?? [])
            $0.hop = Int32(reference.hop)
        }
        return emission(original.owner, .retweetReferred(event), "RetweetReferred", at: time)
    }

    private static func withdrawn(
        _ retweet: (user: String, tweet: String), from original: Social.Original, at time: Timestamp
    ) -> Emission {
        let event = SocialRetweetWithdrawn.with {
            ($0.owner, $0.original) = (original.owner, original.tweet)
            ($0.user, $0.tweet) = retweet
        }
        return emission(original.owner, .retweetWithdrawn(event), "RetweetWithdrawn", at: time)
    }

    fileprivate static func emission(
        _ author: String, _ event: SocialRetweetEvent.Kind, _ type: String, at time: Timestamp
    ) -> Emission {
        Emission(
            topic: "social.retweets", key: Bytes(author), value: SocialRetweetEvent.bytes(event), type: type, at: time)
    }
}

extension Retweets.Reference {
    fileprivate init(_ e: SocialRetweetReferred, since: Timestamp) {
        self.init(
            user: e.user, tweet: e.tweet, postedAt: Timestamp(e.postedAt), since: since,
            hashtags: e.hasText_p ? e.hashtags : nil, hop: Int(e.hop))
    }

    /// Hashtags that count, or count no more, from a time on.
    fileprivate struct Step {
        var since: Timestamp
        var hashtags: [String]
        var sign: Int32
    }

    /// What this retweet has in the counts, seen from what it refers to.
    fileprivate func steps(at own: Retweets.Own?) -> [Step] {
        let told = hashtags ?? []
        switch own {
        case nil: return [Step(since: since, hashtags: told, sign: 1)]
        case .tweet(let at, let hashtags, let deleted):
            if let deleted, since >= deleted { return [] }
            let known = max(since, at)
            let gone = deleted.map { [Step(since: max(known, $0), hashtags: hashtags, sign: -1)] } ?? []
            return until(at) + [Step(since: known, hashtags: hashtags, sign: 1)] + gone
        case .retweet(_, let at, _):
            return hop < SocialLimits.hops ? until(at) : [Step(since: since, hashtags: told, sign: 1)]
        }
    }

    /// What its text tells counts before the time of what it refers to.
    private func until(_ time: Timestamp) -> [Step] {
        guard since < time, let hashtags else { return [] }
        return [Step(since: since, hashtags: hashtags, sign: 1), Step(since: time, hashtags: hashtags, sign: -1)]
    }

    /// What it refers to through a retweet.
    fileprivate func next(from own: Retweets.Own?) -> (reference: Self, original: Social.Original)? {
        guard case .retweet(let original, let at, let told) = own, hop < SocialLimits.hops else { return nil }
        var next = self
        (next.hop, next.since, next.hashtags) = (hop + 1, max(since, at), hashtags ?? told)
        return (next, original)
    }
}

/// Changes in the counts of hashtags, summed up by who used them.
private struct HashtagChanges {
    enum Of: Hashable {
        case tweets
        /// Those of a user.
        case retweets(String)

        /// Empty of tweets, which are the author's.
        var user: String { if case .retweets(let user) = self { user } else { "" } }
    }
    private struct Slot: Hashable, Comparable {
        var since: Timestamp
        var hashtag: String
        var minute: Int64
        var of: Of
        static func < (a: Slot, b: Slot) -> Bool {
            (a.since, a.hashtag, a.minute, a.of.user) < (b.since, b.hashtag, b.minute, b.of.user)
        }
    }
    private var counts: [Slot: Int32] = [:]

    /// - Parameter sign: -1 takes the step back.
    mutating func add(
        _ step: Retweets.Reference.Step, _ sign: Int32, _ reference: Retweets.Reference, notBefore: Timestamp? = nil
    ) {
        let since = max(step.since, notBefore ?? step.since)
        count(step.hashtags, sign * step.sign, .retweets(reference.user), in: reference.postedAt, since: since)
    }

    mutating func count(_ hashtags: [String], _ change: Int32, _ of: Of, in time: Timestamp, since: Timestamp) {
        for hashtag in hashtags {
            counts[Slot(since: since, hashtag: hashtag, minute: TrendWindow.minute(time), of: of), default: 0] += change
        }
    }

    /// One for each time from which some hold, and more where one record has not the place.
    func emissions(for author: String) -> [Emission] {
        let changed = counts.filter { $0.value != 0 }
        return Dictionary(grouping: changed.keys, by: \.since).sorted { $0.key < $1.key }.flatMap { since, slots in
            let changes = slots.sorted().map { slot in
                SocialHashtagChange.with {
                    ($0.hashtag, $0.minute, $0.user) = (slot.hashtag, slot.minute, slot.of.user)
                    let change = changed[slot] ?? 0
                    if slot.of == .tweets { $0.tweets = change } else { $0.retweets = change }
                }
            }
            return stride(from: 0, to: changes.count, by: Retweets.changesPerRecord).map { start in
                let some = changes[start..<min(start + Retweets.changesPerRecord, changes.count)]
                let event = SocialHashtagsRecounted.with { ($0.author, $0.changes) = (author, Array(some)) }
                return Retweets.emission(author, .hashtagsRecounted(event), "HashtagsRecounted", at: since)
            }
        }
    }
}
