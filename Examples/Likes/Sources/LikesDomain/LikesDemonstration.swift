import Millrace
import SwiftProtobuf

extension Demonstration {
    /// Three people who like four things, or as many times more as the key space is larger.
    static let likes = Demonstration(
        asking: { draw in
            let (thing, person) = (draw.name("t", 4), draw.name("p", 3))
            return LoadRequest(LikesLikeThing.with { ($0.thing, $0.person) = (thing, person) })
        },
        showing: [
            Exhibit(
                "LIKES of a thing", proves: "Each person counts once, however often they like it.",
                query: "likes.count", [["thing": "t1"], ["thing": "t2"]],
                as: .table(["thing", ShownColumn("likes", as: "people who like it")]), past: true)
        ],
        replaying: ShownRecords(of: "likes.events", type: "ThingLiked"), trying: ["query likes.count --thing t1"])
}
