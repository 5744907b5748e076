import EventModel
import MillraceTestKit
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

@Suite("Likes, simulated")
struct LikesSimulation {
    /// Three people, four things.
    let traffic = Traffic(.likes.keeping(.likesAreCounted)) { _, random in
        let thing = "t\(Int.random(in: 1...4, using: &random))"
        let person = "p\(Int.random(in: 1...3, using: &random))"
        return Ask("LikeThing", #"{"thing":"\#(thing)","person":"\#(person)"}"#)
    }

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
