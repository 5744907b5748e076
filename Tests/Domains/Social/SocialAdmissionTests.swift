import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import SocialDomain

/// A fact is admitted only if it is, wholly, what some command would make in that state at that time, and always if it is.
@Suite("A fact of social recorded elsewhere")
struct SocialAdmissionTests {
    @Test(arguments: [1, 20_261_128, 0xadd] as [UInt64])
    func `is admitted where a command makes exactly it`(seed: UInt64) throws {
        try Recorded<Social>(domain: .social(fanOutLimit: 100), seed: seed, draw: SocialCommands.draw) { fact, _ in
            switch fact {
            case .tweetPosted(let e):
                .postTweet(
                    .with {
                        ($0.user, $0.tweet, $0.text) = (e.user, e.tweet, e.text)
                        ($0.replyToUser, $0.replyToTweet) = (e.replyToUser, e.replyToTweet)
                        ($0.quotedUser, $0.quotedTweet) = (e.quotedUser, e.quotedTweet)
                    })
            case .tweetDeleted(let e): .deleteTweet(.with { ($0.user, $0.tweet) = (e.user, e.tweet) })
            case .retweeted(let e):
                .retweet(
                    .with {
                        ($0.user, $0.tweet, $0.text) = (e.user, e.tweet, e.text)
                        ($0.owner, $0.original) = (e.owner, e.original)
                    })
            case .userFollowed(let e): .follow(.with { ($0.user, $0.followee) = (e.user, e.followee) })
            case .userUnfollowed(let e): .unfollow(.with { ($0.user, $0.followee) = (e.user, e.followee) })
            case .tweetLiked(let e): .like(e.tweet, of: e.owner, by: e.user)
            case .tweetUnliked(let e): .unlike(e.tweet, of: e.owner, by: e.user)
            case .userBlocked(let e): .block(e.blocked, by: e.user)
            case .userUnblocked(let e): .unblock(e.blocked, by: e.user)
            case .userMuted(let e): .mute(e.muted, by: e.user)
            case .userUnmuted(let e): .unmute(e.muted, by: e.user)
            case .accountCleared(let e):
                .clearAccount_p(.with { ($0.account, $0.reviewer) = (e.account, e.reviewer) })
            case .fakeConfirmed(let e): .confirmFake(.with { ($0.account, $0.reviewer) = (e.account, e.reviewer) })
            }
        }.run()
    }
}

/// Commands at random, among few names.
enum SocialCommands {
    static func draw(_ random: inout SeededRandom, _ step: Int) -> SocialCommand.OneOf_Kind {
        func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        let (user, other, tweet) = ("u\(pick(1...3))", "u\(pick(1...3))", "t\(pick(0...12))")
        switch pick(0...99) {
        case 0..<24:
            let text = ["hello", "hi @\(other) #one #Two", "#one @\(other) @u9"][pick(0...2)]
            return .postTweet(.with { ($0.user, $0.tweet, $0.text) = (user, tweet, text) })
        case 24..<34: return .deleteTweet(.with { ($0.user, $0.tweet) = (user, tweet) })
        case 34..<46:
            return .retweet(
                .with {
                    ($0.user, $0.owner, $0.original, $0.text) = (user, other, tweet, "seen")
                    $0.tweet = "t\(pick(0...12))"
                })
        case 46..<50: return .reply(to: "t\(pick(0...12))", of: other, as: tweet, by: user)
        case 50..<53: return .quote("t\(pick(0...12))", of: other, as: tweet, by: user)
        case 53..<57: return .like(tweet, of: other, by: user)
        case 57: return .clearAccount_p(.with { ($0.account, $0.reviewer) = (other, user) })
        case 58..<60: return .confirmFake(.with { ($0.account, $0.reviewer) = (other, user) })
        case 60..<67: return .unlike(tweet, of: other, by: user)
        case 67: return .block(other, by: user)
        case 68..<72: return .unblock(other, by: user)
        case 72..<75: return .mute(other, by: user)
        case 75..<78: return .unmute(other, by: user)
        case 78..<90: return .follow(.with { ($0.user, $0.followee) = (user, other) })
        default: return .unfollow(.with { ($0.user, $0.followee) = (user, other) })
        }
    }
}
