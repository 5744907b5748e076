import EventModel
import MillraceTestKit
import SwiftProtobuf
import Testing

extension Invariant {
    /// A thing has as many likes as people who like it, however often they said so.
    static let likesAreCounted = Invariant(
        "a thing has as many likes as people", over: ["likes.events"], of: "likes.counts",
        from: [String: Set<String>](),
        fold: { people, record, _ in
            guard case .thingLiked(let e)? = try LikesEvent.kind(in: record.value) else { return }
            if !people[e.thing, default: []].insert(e.person).inserted {
                throw Violation("\(e.person) likes \(e.thing) twice")
            }
        },
        rows: { people, reader in
            try reader.everyRow(Scan(LikeCounts.things)) { row in
                let (thing, likes) = (row[0].text ?? "", row[1].integer ?? 0)
                let count = people[thing]?.count ?? 0
                if likes != Int64(count) { throw Violation("\(thing) has \(likes) likes of \(count) people") }
            }
        })
}

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

@Suite("Likes, simulated")
struct LikesSimulation {
    let traffic = Traffic(.likes.keeping(.likesAreCounted).demonstrating(.likes))

    @Test func `likes keep their invariants, whatever happens`() throws {
        print("likes: \(try Simulation(traffic).check(schedules: 20, from: 1))")
    }

    @Test func `a like whose commit is not answered counts once`() throws {
        try Simulation(traffic).replay(
            seed: 1,
            steps: [
                .run(60, salt: 1), .fault("likes.handler/1", .unknown), .fault("likes.handler/2", .unknown), .send(0),
                .run(60, salt: 2), .send(0),
            ])
    }
}
