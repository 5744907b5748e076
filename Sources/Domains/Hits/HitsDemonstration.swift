internal import EventModel
internal import SwiftProtobuf

extension Demonstration {
    /// Visitors of three sites.
    static let hits = Demonstration(
        asking: { Hits.request(&$0) },
        actors: { _, seed in [Visitors(seed: seed)] },
        showing: [
            Exhibit(
                "HITS of the last 5 s",
                proves: "Every hit is counted once, in its second: the sites' make up those of all, *.",
                query: "hits.window",
                (Visitors.sites + [HitWindows.allSites]).map { ["site": $0, "window": "5s"] }, limit: 1,
                as: .table([
                    "site", "hits", ShownColumn("late", as: "an hour late"),
                    ShownColumn("average", as: "hits a second"),
                ]), past: true)
        ],
        replaying: ShownRecords(of: "hits.events", type: "Hit"),
        trying: ["query hits.window --site \(Visitors.sites[0]) --window 1h", "replay hits.events --limit 3"])
}

extension Hits {
    /// Three sites, two hours in which hits come out of order.
    static func request(_ draw: inout LoadDraw) -> LoadRequest {
        let site = draw.name("s", 3)
        let visitor = draw.name("v", 6)
        // One of ten is later than a window waits for.
        let age = draw.chance(10) ? 7200 : draw.number(0...5)
        return LoadRequest(
            HitsHit.with { ($0.site, $0.path, $0.visitor) = (site, "/", visitor) }, age: .seconds(age))
    }
}

/// Visitors of three sites, many at once.
struct Visitors: LoadActor {
    static let sites = ["home", "shop", "blog"]
    /// Half of the hits are on the first site, a third on the second.
    private static let weighted = [0, 0, 0, 1, 1, 2]
    private static let atOnce = 200

    private var random: SeededRandom

    init(seed: UInt64) { random = SeededRandom(seed) }

    mutating func next(_ moment: LoadMoment) -> LoadStep? {
        let hits = (0..<Self.atOnce).map { _ in
            let site = Self.sites[random.one(of: Self.weighted)]
            let visitor = random.number(0...4999)
            return LoadRequest(
                HitsHit.with {
                    ($0.site, $0.path, $0.visitor, $0.status) = (site, "/\(visitor % 97)", "v\(visitor)", 200)
                })
        }
        return LoadStep(hits, pause: .milliseconds(10))
    }
}
