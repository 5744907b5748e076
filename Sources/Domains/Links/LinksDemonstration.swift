internal import EventModel
internal import SwiftProtobuf

extension Demonstration {
    /// People who share links, and many who follow them.
    static let links = Demonstration(
        asking: { Links.request(&$0) },
        actors: { size, seed in (0..<max(2, size / 4)).map { Sharer($0, seed: seed) } },
        showing: [
            Exhibit(
                "LINKS of \(Sharer.owner(0)), newest first",
                proves: "A code leads to one URL for ever; whose time is over has expired.",
                query: "links.of", [["owner": Sharer.owner(0)]], limit: 5,
                as: .table(["code", "url", "stage"])),
            Exhibit(
                "CLICKS of /l/\(Sharer.alias(0, 1)), by minute",
                proves: "Every click is counted once, in its minute, and programs apart.",
                query: "links.clicks", [["code": Sharer.alias(0, 1), "by": "minute"]], limit: 3,
                as: .table([ShownColumn("at", as: "at, UTC"), "clicks", "bots"]), past: true),
            Exhibit(
                "COUNTRIES of /l/\(Sharer.alias(0, 1))", proves: "They add up to its clicks.", query: "links.sources",
                [["code": Sharer.alias(0, 1), "kind": "country"]], limit: 4, as: .table(["value", "clicks"])),
        ],
        replaying: ShownRecords(of: "links.events", type: "LinkCreated"),
        trying: ["query links.resolve --code \(Sharer.alias(0, 1))", "query links.total --code \(Sharer.alias(0, 1))"])
}

extension Links {
    /// Two owners, four URLs, three aliases.
    static func request(_ draw: inout LoadDraw) -> LoadRequest {
        let (owner, alias) = (draw.name("p", 2), draw.name("talk", 3))
        let url = "https://example.com/\(draw.number(1...4))"
        switch draw.number(0...99) {
        case 0..<15:
            let isFresh = draw.chance(20)
            return LoadRequest(LinksShortenUrl.with { ($0.owner, $0.url, $0.fresh) = (owner, url, isFresh) })
        case 15..<35:
            // Many end soon: some by their timer, some by who asks before it.
            let until = draw.now + .seconds(draw.number(1...20))
            let ends = draw.chance(70)
            return LoadRequest(
                LinksClaimAlias.with {
                    ($0.owner, $0.alias, $0.url) = (owner, alias, url)
                    if ends { $0.terms.activeUntil = until.proto }
                })
        case 35..<43:
            let title = draw.name("title", 3)
            return LoadRequest(LinksChangeLink.with { ($0.owner, $0.code, $0.terms.title) = (owner, alias, title) })
        case 43..<50: return LoadRequest(LinksDeleteLink.with { ($0.owner, $0.code) = (owner, alias) })
        case 50..<63: return LoadRequest(LinksRestoreLink.with { ($0.owner, $0.code) = (owner, alias) })
        case 63..<80: return LoadRequest(LinksExpireLink.with { $0.code = alias })
        default: return click(alias, &draw.random)
        }
    }

    static func click(_ code: String, _ random: inout SeededRandom) -> LoadRequest {
        let visitor = random.number(0...499)
        let device: LinksDevice = random.one(of: [.desktop, .desktop, .mobile, .mobile, .mobile, .tablet, .bot])
        let (country, referrer) = (
            random.one(of: ["DE", "FR", "US", ""]), random.one(of: ["", "news.example", "t.example"])
        )
        return LoadRequest(
            LinksLinkClicked.with {
                ($0.code, $0.visitor, $0.device) = (code, "v\(visitor)", device)
                ($0.country, $0.referrer) = (country, referrer)
            })
    }
}

/// Somebody who shares one link after the other, which many follow.
struct Sharer: LoadActor {
    static func owner(_ number: Int) -> String { number == 0 ? "ann" : "person-\(number)" }
    static func alias(_ number: Int, _ turn: Int) -> String { "talk-\(number)x\(turn)" }

    private let number: Int
    private var random: SeededRandom
    private var turn = 0
    private var rest: [LoadStep] = []

    init(_ number: Int, seed: UInt64) {
        self.number = number
        random = SeededRandom(seed, UInt64(number))
    }

    mutating func next(_ moment: LoadMoment) -> LoadStep? {
        if rest.isEmpty { share(at: moment.now) }
        return rest.removeFirst()
    }

    private mutating func share(at now: Timestamp) {
        turn += 1
        let (owner, alias) = (Self.owner(number), Self.alias(number, turn))
        let url = "https://example.com/talks/\(number)/\(turn)"
        // Every third ends soon, whatever its owner does.
        let until = turn % 3 == 2 ? now + .milliseconds(300) : nil
        let steps = [
            LoadRequest(LinksShortenUrl.with { ($0.owner, $0.url) = (owner, url) }),
            LoadRequest(
                LinksClaimAlias.with {
                    ($0.owner, $0.alias, $0.url) = (owner, alias, url)
                    if let until { $0.terms.activeUntil = until.proto }
                }),
            LoadRequest(LinksChangeLink.with { ($0.owner, $0.code, $0.terms.title) = (owner, alias, "Talk \(turn)") }),
        ]
        rest = (turn % 3 == 2 ? Array(steps.prefix(2)) : steps).map { LoadStep($0, pause: random.pause(10...40)) }
        for _ in 0..<5 {
            rest.append(LoadStep((0..<20).map { _ in Links.click(alias, &random) }, pause: random.pause(70...120)))
        }
        // Now and then somebody wants what another has.
        if turn % 4 == 0 {
            rest.append(
                LoadStep(
                    LoadRequest(
                        LinksClaimAlias.with { ($0.owner, $0.alias, $0.url) = (owner, Self.alias(0, 1), url) })))
        }
        // Its time may be over before its timer has come.
        if turn % 3 == 2 { rest.append(LoadStep(LoadRequest(LinksExpireLink.with { $0.code = alias }))) }
        // Every third is taken away, and comes again.
        if turn % 3 == 0 {
            rest.append(LoadStep(LoadRequest(LinksDeleteLink.with { ($0.owner, $0.code) = (owner, alias) })))
            rest.append(LoadStep(LoadRequest(LinksRestoreLink.with { ($0.owner, $0.code) = (owner, alias) })))
        }
    }
}
