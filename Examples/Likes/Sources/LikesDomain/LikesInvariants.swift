import Millrace

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
            try reader.everyRow(Scan(LikesCounts.things)) { row in
                let (thing, likes) = (row[LikesCounts.Thing.name] ?? "", row[LikesCounts.Thing.likes] ?? 0)
                let count = people[thing]?.count ?? 0
                if likes != Int64(count) { throw Violation("\(thing) has \(likes) likes of \(count) people") }
            }
        })
}
