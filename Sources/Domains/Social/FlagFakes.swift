internal import EventModel
internal import Learning
internal import SwiftProtobuf

extension SocialFlagEvent: Envelope {}

/// Looks at an account whenever it has so many tweets more, by what its own events and its followers tell, and says what the
/// model of fake accounts makes of it.
///
/// When it looks follows from the account's own events alone. How many followers it sees is how far the audience has been read
/// then, which is what the event tells.
struct FlagFakes: StatefulReaction {
    struct State: Codable, Sendable {
        var tweets: Int64 = 0
        var likes: Int64 = 0
        var followees: Int64 = 0
        var followers: Int64 = 0
        /// Of the account's first event.
        var since: Int64?
    }

    let name = "flag-fakes"
    var initial: State { State() }

    /// An account is looked at when it has so many tweets: 10, 20, 50, 100 and so on.
    static func isLooked(at tweets: Int64) -> Bool {
        var rest = tweets
        while rest >= 100, rest % 10 == 0 { rest /= 10 }
        return [10, 20, 50].contains(rest)
    }

    static func facts(_ account: String, _ state: State, at now: Timestamp) -> AccountFacts {
        AccountFacts(
            handle: account, followers: Double(max(0, state.followers)), followees: Double(max(0, state.followees)),
            tweets: Double(state.tweets), likes: Double(max(0, state.likes)),
            years: Double(max(0, now.rawValue - (state.since ?? now.rawValue))) / 31_556_952_000)
    }

    var inputs: [ReactionInput<State>] {
        [
            ReactionInput(
                "social.events", SocialEvent.self,
                react: { event, before, place in
                    var state = before
                    guard let account = Self.poster(event), Self.fold(event, &state, place.timestamp),
                        Self.isLooked(at: state.tweets)
                    else { return [] }
                    return [Self.look(at: account, state, place.timestamp)]
                }, evolve: { event, state, place in Self.fold(event, &state, place.timestamp) }),
            ReactionInput(
                "social.audience", SocialAudienceEvent.self, react: { _, _, _ in [] },
                evolve: { event, state, _ in
                    switch event {
                    case .followerGained: state.followers += 1
                    case .followerLost: state.followers -= 1
                    default: return false
                    }
                    return true
                }),
        ]
    }

    private static func poster(_ event: SocialEvent.Kind) -> String? {
        switch event {
        case .tweetPosted(let e): e.user
        case .retweeted(let e): e.user
        default: nil
        }
    }

    private static func fold(_ event: SocialEvent.Kind, _ state: inout State, _ now: Timestamp) -> Bool {
        switch event {
        case .tweetPosted, .retweeted: state.tweets += 1
        case .tweetLiked: state.likes += 1
        case .tweetUnliked: state.likes -= 1
        case .userFollowed: state.followees += 1
        case .userUnfollowed: state.followees -= 1
        default: return false
        }
        if state.since == nil { state.since = now.rawValue }
        return true
    }

    private static func look(at account: String, _ state: State, _ now: Timestamp) -> Emission {
        let facts = facts(account, state, at: now)
        let chance = FakeAccounts.score(facts)
        let score = Int32((chance * 1000).rounded())
        let isFlagged = chance >= FakeAccounts.threshold
        let event: SocialFlagEvent.Kind =
            isFlagged
            ? .accountFlagged(
                .with {
                    ($0.account, $0.score, $0.tweets) = (account, score, state.tweets)
                    $0.reasons = FakeAccounts.reasons(facts)
                })
            : .accountPassed(.with { ($0.account, $0.score, $0.tweets) = (account, score, state.tweets) })
        return Emission(
            topic: "social.flags", key: Bytes(account), value: SocialFlagEvent.bytes(event),
            type: isFlagged ? "AccountFlagged" : "AccountPassed")
    }
}
