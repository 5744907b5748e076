internal import EventModel
internal import SwiftProtobuf

extension SocialAudienceEvent: Envelope {}

/// Whoever follows or unfollows says so in their own aggregate; this tells the author, under the author's key.
enum Followers: Reaction {
    typealias Event = SocialEvent
    static let name = "followers"
    static let topic = "social.events"

    static func react(to event: Event.Kind, at place: EventPosition) -> [Emission] {
        switch event {
        case .userFollowed(let e):
            [audience(e.followee, .followerGained(.with { ($0.user, $0.follower) = (e.followee, e.user) }))]
        case .userUnfollowed(let e):
            [audience(e.followee, .followerLost(.with { ($0.user, $0.follower) = (e.followee, e.user) }))]
        default: []
        }
    }

    static func audience(_ author: String, _ event: SocialAudienceEvent.Kind) -> Emission {
        let type =
            switch event {
            case .followerGained: "FollowerGained"
            case .followerLost: "FollowerLost"
            case .authorPromoted: "AuthorPromoted"
            case .authorDemoted: "AuthorDemoted"
            }
        return Emission(
            topic: "social.audience", key: Bytes(author), value: SocialAudienceEvent.bytes(event), type: type)
    }
}
