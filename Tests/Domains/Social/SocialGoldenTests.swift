import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import SocialDomain

/// The bytes of social's events and commands, which are on people's logs and must stay readable.
enum SocialGoldens {
    private static let entry = SocialTimelineEntry.with { ($0.tweet, $0.postedAt) = ("t1", noon.proto) }
    private static let events: [(Told, String)] = [
        (.posted("t1", "#a @b"), "0a160a03616e6e120274311a0523612040622201612a0162"),
        (.deleted("t1"), "12090a03616e6e12027431"),
        (.passed(on: "t1", of: "bob", as: "r1"), "1a120a03616e6e120272311a03626f6222027431"),
        (.followed("bob"), "220a0a03616e6e1203626f62"), (.unfollowed("bob"), "2a0a0a03616e6e1203626f62"),
        (.liked("t1", of: "bob"), "320e0a03616e6e1203626f621a027431"),
        (.unliked("t1", of: "bob"), "3a0e0a03616e6e1203626f621a027431"),
        (.blocked("bob"), "420a0a03616e6e1203626f62"),
        (.unblocked("bob"), "4a0a0a03616e6e1203626f62"),
        (.muted("bob"), "520a0a03616e6e1203626f62"),
        (.unmuted("bob"), "5a0a0a03616e6e1203626f62"),
        (.accountCleared(.with { ($0.account, $0.reviewer) = ("ann", "bob") }), "e2030a0a03616e6e1203626f62"),
        (.fakeConfirmed(.with { ($0.account, $0.reviewer) = ("ann", "bob") }), "ea030a0a03616e6e1203626f62"),
    ]
    private static let commands: [(Ask, String)] = [
        (.post("t1"), "0a0d0a03616e6e120268691a027431"), (.delete("t1"), "12090a03616e6e12027431"),
        (.pass(on: "t1", of: "bob", as: "r1"), "1a120a03616e6e1203626f621a02743122027231"),
        (.follow("bob"), "220a0a03616e6e1203626f62"),
        (.unfollow("bob"), "2a0a0a03616e6e1203626f62"),
        (.reply(to: "t1", of: "bob", as: "t2"), "0a1a0a03616e6e1206696e646565641a0274322203626f622a027431"),
        (.quote("t1", of: "bob", as: "t2"), "0a170a03616e6e12037365651a0274323203626f623a027431"),
        (.like("t1", of: "bob"), "320e0a03616e6e1203626f621a027431"),
        (.unlike("t1", of: "bob"), "3a0e0a03616e6e1203626f621a027431"),
        (.block("bob"), "420a0a03616e6e1203626f62"),
        (.unblock("bob"), "4a0a0a03616e6e1203626f62"),
        (.mute("bob"), "520a0a03616e6e1203626f62"),
        (.unmute("bob"), "5a0a0a03616e6e1203626f62"),
        (.clearAccount_p(.with { ($0.account, $0.reviewer) = ("ann", "bob") }), "e2030a0a03616e6e1203626f62"),
        (.confirmFake(.with { ($0.account, $0.reviewer) = ("ann", "bob") }), "ea030a0a03616e6e1203626f62"),
    ]
    private static let flags: [(SocialFlagEvent.Kind, String)] = [
        (
            .accountFlagged(
                .with { ($0.account, $0.score, $0.reasons, $0.tweets) = ("ann", 900, ["x"], 10) }),
            "e2030d0a03616e6e1084071a0178200a"
        ),
        (.accountPassed(.with { ($0.account, $0.score, $0.tweets) = ("ann", 100, 10) }), "ea03090a03616e6e1064180a"),
    ]
    private static let news: [(SocialNewsEvent.Kind, String)] = [
        (
            .newsIngested(.with { ($0.headline, $0.publisher, $0.title, $0.url) = ("1", "p", "t", "u") }),
            "e2030c0a01311201701a0174220175"
        )
    ]
    private static let audience: [(SocialAudienceEvent.Kind, String)] = [
        (.followerGained(.with { ($0.user, $0.follower) = ("ann", "bob") }), "0a0a0a03616e6e1203626f62"),
        (.followerLost(.with { ($0.user, $0.follower) = ("ann", "bob") }), "120a0a03616e6e1203626f62"),
        (.authorPromoted(.with { $0.user = "ann" }), "1a050a03616e6e"),
        (.authorDemoted(.with { $0.user = "ann" }), "22050a03616e6e"),
        (.authorPromoted(.with { ($0.user, $0.crossing, $0.followers) = ("ann", 3, 500) }), "1a0a0a03616e6e100318f403"),
        (.authorDemoted(.with { ($0.user, $0.crossing, $0.followers) = ("ann", 4, 400) }), "220a0a03616e6e1004189003"),
    ]
    private static let retweets: [(SocialRetweetEvent.Kind, String)] = [
        (
            .retweetReferred(
                .with {
                    ($0.owner, $0.original, $0.user, $0.tweet) = ("ann", "t1", "bob", "r1")
                    ($0.postedAt, $0.hasText_p, $0.hashtags, $0.hop) = (noon.proto, true, ["a"], 1)
                }),
            "0a210a03616e6e120274311a03626f6222027231"
                + "2a0608c0d39cd70630013a01614001"
        ),
        (
            .retweetWithdrawn(
                .with { ($0.owner, $0.original, $0.user, $0.tweet) = ("ann", "t1", "bob", "r1") }),
            "12120a03616e6e120274311a03626f6222027231"
        ),
        (
            .hashtagsRecounted(
                .with {
                    $0.author = "ann"
                    $0.changes = [
                        .with { ($0.hashtag, $0.minute, $0.tweets, $0.retweets) = ("a", 29_892_240, -1, 2) }
                    ]
                }), "1a130a03616e6e120c0a01611090bda00e18012004"
        ),
    ]
    private static let home: [(SocialHomeEvent.Kind, String)] = [
        (
            .timelineEntriesAdded(.with { ($0.author, $0.entries, $0.readers) = ("ann", [entry], ["b", "c"]) }),
            "0a190a03616e6e120c0a027431120608c0d39cd7061a01621a0163"
        ),
        (
            .timelineEntriesRemoved(.with { ($0.author, $0.entries, $0.readers) = ("ann", [entry], ["b"]) }),
            "12160a03616e6e120c0a027431120608c0d39cd7061a0162"
        ),
        (
            .userMentioned(.with { ($0.author, $0.entry, $0.users) = ("ann", entry, ["b"]) }),
            "1a160a03616e6e120c0a027431120608c0d39cd7061a0162"
        ),
        (.authorMerged(.with { ($0.author, $0.readers) = ("ann", ["b"]) }), "22080a03616e6e120162"),
        (.authorUnmerged(.with { ($0.author, $0.readers) = ("ann", ["b"]) }), "2a080a03616e6e120162"),
    ]

    private static let searches: [(SocialSearchEvent.Kind, String)] = [
        (
            .searchPerformed(.with { ($0.user, $0.query) = ("ann", "#a") }), "c202090a03616e6e12022361"
        )
    ]

    private static let profiles: [(SocialProfileEvent.Kind, String)] = [
        (
            .profileTold(
                .with { ($0.user, $0.location, $0.interests, $0.about) = ("ann", "Oslo", ["tea"], "hi") }),
            "8205140a03616e6e12044f736c6f1a0374656122026869"
        ),
        (.accountLeft(.with { $0.user = "ann" }), "8a05050a03616e6e"),
    ]

    static let all: [Golden] =
        events.map { Golden(SocialEvent.self, $0, $1) } + commands.map { Golden(SocialCommand.self, $0, $1) }
        + audience.map { Golden(SocialAudienceEvent.self, $0, $1) }
        + retweets.map { Golden(SocialRetweetEvent.self, $0, $1) } + home.map { Golden(SocialHomeEvent.self, $0, $1) }
        + searches.map { Golden(SocialSearchEvent.self, $0, $1) }
        + flags.map { Golden(SocialFlagEvent.self, $0, $1) } + news.map { Golden(SocialNewsEvent.self, $0, $1) }
        + profiles.map { Golden(SocialProfileEvent.self, $0, $1) }
}

@Suite("The bytes of social on the log")
struct SocialBytesTests {
    @Test func `stay as they are, and are known for every kind`() {
        expect(SocialGoldens.all, of: Domain.social.schemas)
    }
}
