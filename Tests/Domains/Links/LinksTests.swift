import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import LinksDomain

/// An aggregate, and what was decided of it.
struct Place {
    var states: [String: LinkGroup] = [:]
    var now = noon

    mutating func send(_ command: Links.Command.Kind, id: String = "i") throws -> [Links.Event.Kind] {
        try Links.check(command)
        let key = Links.key(of: command)
        let events = try Links.decide(command, id: id, on: states[key] ?? Links.initial, at: now)
        for event in events {
            #expect(Links.key(of: event) == key)
            try Links.check(event)
            Links.evolve(&states[key, default: Links.initial], with: event, at: now)
        }
        return events
    }

    mutating func shorten(_ url: String, by owner: String = "ann", id: String = "i", fresh: Bool = false) throws
        -> String?
    {
        let events = try send(.shortenURL(.with { ($0.owner, $0.url, $0.fresh) = (owner, url, fresh) }), id: id)
        guard case .linkCreated(let e)? = events.first else { return nil }
        return e.code
    }

    func refusal(_ command: Links.Command.Kind) -> String? {
        var copy = self
        do {
            _ = try copy.send(command)
            return nil
        } catch {
            return (error as? any Refusal)?.reason
        }
    }
}

@Suite("Links")
struct LinksTests {
    private func claim(_ alias: String, by owner: String = "ann", until: Timestamp? = nil) -> Links.Command.Kind {
        .claimAlias(
            .with {
                ($0.owner, $0.alias, $0.url) = (owner, alias, "https://example.com/")
                if let until { $0.terms.activeUntil = until.proto }
            })
    }
    private func delete(_ code: String, by owner: String = "ann") -> Links.Command.Kind {
        .deleteLink(.with { ($0.owner, $0.code) = (owner, code) })
    }
    private func restore(_ code: String, by owner: String = "ann") -> Links.Command.Kind {
        .restoreLink(.with { ($0.owner, $0.code) = (owner, code) })
    }

    @Test func `one URL of one owner has one code, however it is written, unless a fresh one is asked for`() throws {
        var place = Place()
        let code = try #require(try place.shorten("https://Example.com:443/a b", id: "1"))
        #expect(try place.shorten("https://example.com/a%20b", id: "2") == nil)
        let fresh = try #require(try place.shorten("https://example.com/a%20b", id: "3", fresh: true))
        let other = try #require(try place.shorten("https://example.com/a%20b", by: "ben", id: "4"))
        #expect(Set([code, fresh, other]).count == 3)
        #expect(place.states.count == 2)
    }

    @Test func `a code is given once, also after its link was deleted`() throws {
        var place = Place()
        let code = try #require(try place.shorten("https://example.com/"))
        #expect(try place.send(delete(code)).count == 1)
        #expect(try place.send(delete(code)).isEmpty)
        let next = try #require(try place.shorten("https://example.com/"))
        #expect(next != code)
        #expect(try place.send(claim("talk")).count == 1)
        #expect(try place.send(claim("talk")).isEmpty)
        _ = try place.send(delete("talk"))
        #expect(place.refusal(claim("talk")) == "alias-taken")
        #expect(place.refusal(claim("talk", by: "ben")) == "alias-taken")
    }

    @Test func `an alias that looks like a taken one is refused, whoever is first`() throws {
        var place = Place()
        _ = try place.send(claim("paypal"))
        for alias in ["paypa1", "pay-pal", "pay_pai"] {
            #expect(place.refusal(claim(alias, by: "eve")) == "alias-looks-taken", "\(alias)")
        }
        #expect(place.refusal(claim("paypals", by: "eve")) == nil)
    }

    @Test(arguments: [
        "ab", "Talk", "tälk", "аdmin", "a b", "a/b", "talk.", "admin", "adm1n", "l0gin", "sh1t-x", "---", "",
    ])
    func `an alias that misleads, offends or is the place's own is refused`(_ alias: String) {
        #expect(Place().refusal(claim(alias)) == "malformed")
    }

    @Test func `only its owner changes a link, and nobody one that is not there`() throws {
        var place = Place()
        _ = try place.send(claim("talk"))
        #expect(place.refusal(delete("talk", by: "eve")) == "not-owner")
        #expect(place.refusal(restore("talk", by: "eve")) == "not-owner")
        #expect(place.refusal(.changeLink(.with { ($0.owner, $0.code) = ("eve", "talk") })) == "not-owner")
        #expect(place.refusal(delete("nothing")) == "unknown-link")
    }

    @Test func `what is said of a link is said anew, and the same again does nothing`() throws {
        var place = Place()
        _ = try place.send(claim("talk"))
        let change = Links.Command.Kind.changeLink(
            .with {
                ($0.owner, $0.code) = ("ann", "talk")
                ($0.terms.title, $0.terms.tags, $0.terms.clickLimit) = ("A talk", ["x", "y"], 5)
            })
        #expect(try place.send(change).count == 1)
        #expect(try place.send(change).isEmpty)
        #expect(place.states.values.first?.links["talk"]?.terms.tags == ["x", "y"])
    }

    @Test func `a title and tags that are composed otherwise are others`() throws {
        var place = Place()
        func change(_ title: String, _ tags: [String]) -> Links.Command.Kind {
            .changeLink(
                .with {
                    ($0.owner, $0.code) = ("ann", "talk")
                    ($0.terms.title, $0.terms.tags) = (title, tags)
                })
        }
        _ = try place.send(claim("talk"))
        #expect(try place.send(change("caf\u{e9}", ["\u{e9}"])).count == 1)
        #expect(try place.send(change("cafe\u{301}", ["\u{e9}"])).count == 1)
        #expect(try place.send(change("cafe\u{301}", ["e\u{301}", "\u{e9}"])).count == 1)
        #expect(try place.send(change("cafe\u{301}", ["e\u{301}", "\u{e9}"])).isEmpty)
    }

    @Test func `a link is not restored to an end before its beginning`() throws {
        var place = Place()
        var terms = Terms()
        (terms.from, terms.until) = (noon + .seconds(3600), noon + .seconds(7200))
        _ = try place.send(
            .claimAlias(
                .with {
                    ($0.owner, $0.alias, $0.url, $0.terms) = ("ann", "talk", "https://example.com/", terms.message)
                }))
        _ = try place.send(delete("talk"))
        func restore(_ until: Timestamp) -> Links.Command.Kind {
            .restoreLink(.with { ($0.owner, $0.code, $0.activeUntil) = ("ann", "talk", until.proto) })
        }
        #expect(place.refusal(restore(noon + .seconds(3600))) == "until-before-from")
        #expect(try place.send(restore(noon + .seconds(3601))).count == 1)
    }

    @Test func `a fact without terms is one of a link of which nothing is said`() throws {
        let created = LinksEvent.OneOf_Kind.linkCreated(
            .with { ($0.code, $0.owner, $0.url) = ("talk", "ann", "https://example.com/") })
        try Links.admit(created, on: Links.initial, at: noon)
        var state = Links.initial
        Links.evolve(&state, with: created, at: noon)
        #expect(state.links["talk"]?.terms == Terms())
        var titled = Terms()
        titled.title = "x"
        Links.evolve(
            &state, with: .linkChanged(.with { ($0.code, $0.owner, $0.terms) = ("talk", "ann", titled.message) }),
            at: noon)
        try Links.admit(.linkChanged(.with { ($0.code, $0.owner) = ("talk", "ann") }), on: state, at: noon)
    }

    @Test func `a link expires by its timer, and is over before that comes`() throws {
        var place = Place()
        let until = noon + .seconds(60)
        _ = try place.send(claim("talk", until: until))
        let key = Links.key(of: "talk")
        #expect(Links.nextDue(place.states[key]!) == until)
        #expect(Links.due(place.states[key]!, by: until - .milliseconds(1)).isEmpty)
        #expect(place.refusal(.expireLink(.with { $0.code = "talk" })) == "not-due")
        place.now = until
        #expect(place.refusal(.changeLink(.with { ($0.owner, $0.code) = ("ann", "talk") })) == "link-expired")
        let due = Links.due(place.states[key]!, by: until)
        #expect(due.map(\.id) == ["expire:talk:\(until.rawValue)"] && due.map(\.due) == [until])
        #expect(try place.send(due[0].command).count == 1)
        #expect(try place.send(due[0].command).isEmpty)
        #expect(Links.nextDue(place.states[key]!) == nil)
    }

    @Test func `a link is restored by its owner within thirty days, and not later`() throws {
        var place = Place()
        _ = try place.send(claim("talk", until: noon + .seconds(60)))
        place.now = noon + .seconds(60)
        _ = try place.send(.expireLink(.with { $0.code = "talk" }))
        place.now = noon + .seconds(60) + LinksLimits.restore
        var later = place
        #expect(try place.send(restore("talk")).count == 1)
        #expect(try place.send(restore("talk")).isEmpty)
        #expect(place.states[Links.key(of: "talk")]?.links["talk"]?.terms.until == nil)
        later.now = later.now + .milliseconds(1)
        #expect(later.refusal(restore("talk")) == "too-late")
        #expect(throws: LinksRefusal.untilOver(until: noon)) {
            try place.send(claim("other", until: noon))
        }
    }

    @Test func `what is malformed names its field`() {
        let bad: [(Links.Command.Kind, String)] = [
            (.shortenURL(.with { $0.url = "https://a.b/" }), "owner"),
            (.shortenURL(.with { ($0.owner, $0.url) = ("ann", "x") }), "url"),
            (
                .shortenURL(.with { ($0.owner, $0.url, $0.terms.clickLimit) = ("ann", "https://a.b/", -1) }),
                "terms.clickLimit"
            ),
            (
                .shortenURL(.with { ($0.owner, $0.url, $0.terms.tags) = ("ann", "https://a.b/", ["x", "x"]) }),
                "terms.tags[1]"
            ),
            (
                .shortenURL(.with { ($0.owner, $0.url, $0.terms.passwordHash) = ("ann", "https://a.b/", "secret") }),
                "terms.passwordHash"
            ),
            (
                .shortenURL(
                    .with {
                        ($0.owner, $0.url) = ("ann", "https://a.b/")
                        ($0.terms.activeFrom, $0.terms.activeUntil) = (noon.proto, noon.proto)
                    }), "terms.activeUntil"
            ),
        ]
        for (command, field) in bad {
            #expect { try Links.check(command) } throws: { ($0 as? Malformed)?.field == field }
        }
        // A hash costs whoever looks at it: no more than one that is made here.
        for (cost, isTaken) in [
            ("ln=14,r=8,p=1", true), ("ln=4,r=1,p=1", true), ("ln=15,r=8,p=1", false), ("ln=14,r=8,p=2", false),
            ("ln=16,r=1,p=1", false), ("ln=20,r=32,p=16", false), ("", false),
        ] {
            let hash = "$scrypt$\(cost)$AAAAAAAAAAAAAAAAAAAAAA$" + String(repeating: "A", count: 43)
            let command = Links.Command.Kind.shortenURL(
                .with { ($0.owner, $0.url, $0.terms.passwordHash) = ("ann", "https://a.b/", hash) })
            #expect(((try? Links.check(command)) != nil) == isTaken, "\(cost)")
        }
    }

    @Test func `a fact is admitted where it is what follows, and no code of another bucket`() throws {
        var place = Place()
        let events = try place.send(.shortenURL(.with { ($0.owner, $0.url) = ("ann", "https://example.com/") }))
        let created = try #require(events.first)
        try Links.admit(created, on: Links.initial, at: noon)
        #expect(throws: LinksRefusal.self) { try Links.admit(created, on: place.states.values.first!, at: noon) }
        guard case .linkCreated(var e) = created else { return }
        e.owner = "eve"
        #expect(throws: LinksRefusal.notWhatFollows(code: e.code)) {
            try Links.admit(.linkCreated(e), on: Links.initial, at: noon)
        }
        #expect(throws: LinksRefusal.self) {
            try Links.admit(.linkDeleted(.with { ($0.code, $0.owner) = ("talk", "ann") }), on: Links.initial, at: noon)
        }
    }
}
