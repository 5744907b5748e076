import DomainTesting
import EventModel
import Foundation
import Secrets
import SwiftProtobuf
import Synchronization
import Testing

@testable import LinksDomain

/// A bus that has some links, and keeps what is produced.
private final class Shelf: RouteBus {
    private struct State {
        var rows: [String: Row] = [:]
        var clicks: [LinksLinkClicked] = []
        var asked = 0
        var isKnown = true
        var places = Place()
        /// Events that commands made, at the offset that is their place here.
        var made: [LinksEvent] = []
        /// What was answered to each id.
        var outcomes: [String: RouteOutcome] = [:]
    }
    private let state = Mutex(State())
    var clicks: [LinksLinkClicked] { state.withLock(\.clicks) }
    var asked: Int { state.withLock(\.asked) }

    func put(
        _ code: String, _ url: String, _ terms: Terms = Terms(), stage: LinkGroup.Stage = .active, owner: String = "ann"
    ) {
        var row: Row = [.text(code), .text(owner), .text(url)]
        row += Array(repeating: .null, count: LinkTable.links.columns.count - row.count)
        row[LinkTable.Link.clickLimit] = terms.clickLimit
        row[LinkTable.Link.passwordHash] = terms.passwordHash.isEmpty ? nil : terms.passwordHash
        (row[LinkTable.Link.from], row[LinkTable.Link.until]) = (terms.from, terms.until)
        row[LinkTable.Link.title] = terms.title
        row[LinkTable.Link.tags] = terms.tags.joined(separator: ",")
        row[LinkTable.Link.stage] = stage.rawValue
        state.withLock { [row] in $0.rows[code] = row }
    }

    func send<C: Message>(_ command: C, id: String?, within limit: Duration?) async throws -> RouteOutcome {
        let kind: Links.Command.Kind? =
            switch command {
            case let c as LinksShortenUrl: .shortenURL(c)
            case let c as LinksClaimAlias: .claimAlias(c)
            default: nil
            }
        let id = id ?? UUID().uuidString
        if let outcome = state.withLock({ $0.outcomes[id] }) { return outcome }
        let (events, last) = try state.withLock { state in
            let events = try state.places.send(#require(kind), id: id)
            state.made += events.map { event in .with { $0.kind = event } }
            return (events, Offset(Int64(state.made.count - 1)))
        }
        for case .linkCreated(let e) in events { put(e.code, e.url, Terms(e.terms), owner: e.owner) }
        let outcome = RouteOutcome(id: id, places: events.isEmpty ? [:] : [TopicPartition("links.events", 0): last])
        state.withLock { $0.outcomes[id] = outcome }
        return outcome
    }

    func event<E: Message>(
        _ envelope: E.Type, at offset: Offset, in partition: TopicPartition
    ) async throws -> E? {
        state.withLock { $0.made[Int(offset.rawValue)] } as? E
    }

    func query(
        _ name: String, _ arguments: [String: Value], after places: [TopicPartition: Offset], limit: Int?,
        cursor: String?
    ) async throws -> RouteAnswer {
        state.withLock { state in
            state.asked += 1
            switch name {
            case "links.resolve":
                let row = state.rows[arguments["code"]?.text ?? ""]
                return RouteAnswer(columns: LinkTable.links.columns, rows: row.map { [$0] } ?? [])
            case "links.of-url":
                let rows = state.rows.values.filter { $0[1] == arguments["owner"] && $0[2] == arguments["url"] }
                return RouteAnswer(columns: LinkTable.links.columns, rows: Array(rows))
            default:
                let count = state.clicks.count { $0.code == arguments["code"]?.text }
                return RouteAnswer(columns: [], rows: [[arguments["code"] ?? .null, .integer(Int64(count)), 0]])
            }
        }
    }

    func known(_ name: String, _ arguments: [String: Value]) -> RouteAnswer? {
        state.withLock { state in
            guard state.isKnown, name == "links.resolve" else { return nil }
            let row = state.rows[arguments["code"]?.text ?? ""]
            return RouteAnswer(columns: LinkTable.links.columns, rows: row.map { [$0] } ?? [])
        }
    }
    func forget() { state.withLock { $0.isKnown = false } }

    func produce<E: Message>(_ event: E, at time: Timestamp?) throws -> Bool {
        let click = try #require(event as? LinksLinkClicked)
        try Clicks.check(.linkClicked(click))
        state.withLock { $0.clicks.append(click) }
        return true
    }
}

@Suite("Links over the gateway")
struct LinkRoutesTests {
    private let bus = Shelf()
    private static let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"

    private func ask(
        _ template: String = "/l/{code}", _ method: Route.Method = .get, code: String = "", isHead: Bool = false,
        body: RouteBody = .none, agent: String? = Self.browser, referer: String? = nil, purpose: String? = nil,
        at now: Timestamp = noon, address: String = "192.0.2.7", policy: LinkPolicy? = nil, id: String? = nil
    ) async throws -> RouteReply {
        let (route, request) = try prepared(
            template, method, code: code, isHead: isHead, body: body, agent: agent, referer: referer, purpose: purpose,
            at: now, address: address, policy: policy, id: id)
        return try await route.answer(request, bus)
    }

    private func prepared(
        _ template: String = "/l/{code}", _ method: Route.Method = .get, code: String = "", isHead: Bool = false,
        body: RouteBody = .none, agent: String? = Self.browser, referer: String? = nil, purpose: String? = nil,
        at now: Timestamp = noon, address: String = "192.0.2.7", policy: LinkPolicy? = nil, id: String? = nil
    ) throws -> (Route, RouteRequest) {
        let policy =
            policy ?? LinkPolicy(countries: Countries(lines: "192.0.2.0,192.0.2.255,DE\n2001:db8::,2001:db8::ffff,FR"))
        let route = try #require(LinkRoutes(policy).all.first { $0.template == template && $0.method == method })
        let request = RouteRequest(
            method: method, isHead: isHead, variables: ["code": code], body: body, address: address,
            host: "sho.rt:8080", now: now
        ) { field in
            switch field {
            case .userAgent: agent
            case .referer: referer
            case .secPurpose: purpose
            case .idempotencyKey: id
            default: nil
            }
        }
        return (route, request)
    }
    private func location(_ reply: RouteReply) -> String? { reply.fields.first { $0.name == "Location" }?.value }

    @Test func `a link is followed by 302, and that is a click with its source`() async throws {
        bus.put("aB3dE6", "https://example.com/a?b=c#d")
        let reply = try await ask(code: "aB3dE6", referer: "https://News.example:8443/x?secret=1")
        #expect(reply.status == 302 && location(reply) == "https://example.com/a?b=c#d" && reply.text.isEmpty)
        let click = try #require(bus.clicks.first)
        #expect(bus.clicks.count == 1 && click.code == "aB3dE6" && click.referrer == "news.example")
        #expect(click.country == "DE" && click.device == .desktop)
        #expect(click.visitor.count == 16 && !"\(click)".contains("192.0.2"))
    }

    @Test func `what is answered at once is what is answered otherwise, and the same clicks`() async throws {
        var (ending, coming, closed, limited) = (Terms(), Terms(), Terms(), Terms())
        (ending.until, coming.from, limited.clickLimit) = (noon + .seconds(60), noon + .seconds(60), 9)
        closed.passwordHash = try await SlowHash.make("tea")
        bus.put("aB3dE6", "https://example.com/1")
        bus.put("ending", "https://example.com/2", ending)
        bus.put("coming", "https://example.com/3", coming)
        bus.put("closed", "https://example.com/4", closed)
        bus.put("limited", "https://example.com/5", limited)
        bus.put("deleted", "https://example.com/6", stage: .deleted)
        bus.put("circle", "http://sho.rt:8080/l/circle")
        let policy = LinkPolicy(denied: ["example.com"], key: "k", countries: Countries())
        let codes = [
            "aB3dE6", "aB3dE6+", "aB3dE6).", "AB3DE6", "Ending", "ending", "coming", "closed", "closed+", "deleted",
            "circle",
            "none", "", "...", "a/b",
        ]
        for (code, now) in codes.flatMap({ [($0, noon), ($0, noon + .seconds(60))] }) {
            for (isHead, policy) in [(false, nil), (true, nil), (false, policy)] {
                let (route, request) = try prepared(code: code, isHead: isHead, at: now, policy: policy)
                let before = bus.clicks.count
                let quick = try #require(try route.quick?(request, bus), "\(code)")
                let clicks = bus.clicks.count - before
                #expect(try await route.answer(request, bus) == quick, "\(code)")
                #expect(bus.clicks.count - before == 2 * clicks, "\(code)")
                #expect(clicks == (quick.status == 302 && !isHead ? 1 : 0))
            }
        }
        // What it takes to count clicks is asked for, and so is what is not at hand.
        let before = bus.clicks.count
        let (limit, asked) = try prepared(code: "limited")
        #expect(try limit.quick?(asked, bus) == nil)
        bus.forget()
        let (route, request) = try prepared(code: "aB3dE6")
        #expect(try route.quick?(request, bus) == nil && bus.clicks.count == before)
    }

    @Test func `HEAD, previews of messengers and what is loaded ahead are no clicks, other programs are counted apart`()
        async throws
    {
        bus.put("aB3dE6", "https://example.com/")
        #expect(try await ask(code: "aB3dE6", isHead: true).status == 302)
        for agent in [
            "facebookexternalhit/1.1", "Slackbot-LinkExpanding 1.0", "WhatsApp/2.2", "Twitterbot/1.0",
            "TelegramBot (like TwitterBot)",
        ] {
            #expect(try await ask(code: "aB3dE6", agent: agent).status == 302)
        }
        for purpose in ["prefetch", "prefetch;prerender", "preview"] {
            _ = try await ask(code: "aB3dE6", purpose: purpose)
        }
        #expect(bus.clicks.isEmpty)
        for agent in ["Googlebot/2.1", "curl/8.0", "python-requests/2.3", nil] {
            _ = try await ask(code: "aB3dE6", agent: agent)
        }
        #expect(bus.clicks.map(\.device) == [.bot, .bot, .bot, .bot])
    }

    @Test(arguments: [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148", LinksDevice.mobile),
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Mobile Safari/537.36", .mobile),
        ("Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X)", .tablet),
        ("Mozilla/5.0 (Linux; Android 13; SM-X700) Safari/537.36", .tablet),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", .desktop), ("Mozilla/5.0 (compatible; bingbot/2.0)", .bot),
        ("", .bot),
    ])
    func `a client is what it says it is`(_ agent: String, _ device: LinksDevice) {
        #expect(UserAgent(agent).device == device)
    }

    @Test func `capitals are the code's own, an alias has none, and what a text put behind a link is left out`()
        async throws
    {
        bus.put("aB3dE6", "https://example.com/1")
        bus.put("summer", "https://example.com/2")
        for code in ["summer", "SUMMER", "Summer", "summer.", "summer).", "summer”", "summer?!"] {
            #expect(try await location(ask(code: code)) == "https://example.com/2", "\(code)")
        }
        for code in ["aB3dE6", "aB3dE6,", "aB3dE6)"] {
            #expect(try await location(ask(code: code)) == "https://example.com/1", "\(code)")
        }
        for code in ["ab3de6", "AB3DE6", "winter", "...", "aB3dE6x", "<script>", String(repeating: "a", count: 3000)] {
            let reply = try await ask(code: code)
            #expect(reply.status == 404 && !reply.text.contains("<script>"), "\(code)")
        }
        // No request costs more than two look-ups, whatever it asks for.
        let before = bus.asked
        _ = try await ask(code: String(repeating: ".", count: 3000))
        _ = try await ask(code: "Nothing" + String(repeating: ")", count: 100))
        #expect(bus.asked == before + 2)
    }

    @Test func `a link that has ended is gone, before its timer has come as well, and one to come is not there yet`()
        async throws
    {
        var terms = Terms()
        (terms.from, terms.until) = (noon, noon + .seconds(60))
        bus.put("talk", "https://example.com/", terms)
        #expect(try await ask(code: "talk", at: noon - .milliseconds(1)).status == 404)
        #expect(try await ask(code: "talk", at: noon).status == 302)
        #expect(try await ask(code: "talk", at: noon + .milliseconds(59_999)).status == 302)
        #expect(try await ask(code: "talk", at: noon + .seconds(60)).status == 410)
        bus.put("talk", "https://example.com/", stage: .deleted)
        #expect(try await ask(code: "talk").status == 410)
        bus.put("talk", "https://example.com/", stage: .expired)
        #expect(try await ask(code: "talk").status == 410)
        #expect(bus.clicks.count == 2)
    }

    @Test func `a link has as many clicks as it may have`() async throws {
        var terms = Terms()
        terms.clickLimit = 2
        bus.put("talk", "https://example.com/", terms)
        var statuses: [Int] = []
        for _ in 0..<4 { statuses.append(try await ask(code: "talk").status) }
        #expect(statuses == [302, 302, 410, 410])
    }

    @Test func `a link with a password leads on with it alone, and guesses have an end`() async throws {
        var terms = Terms()
        terms.passwordHash = try await SlowHash.make("tea & toast")
        bus.put("talk", "https://example.com/secret", terms)
        for code in ["talk", "talk+"] {
            let page = try await ask(code: code)
            #expect(page.status == 200 && page.text.contains("type=\"password\"") && !page.text.contains("secret"))
            #expect(
                page.fields.contains {
                    $0.name == "Content-Security-Policy" && $0.value.contains("form-action 'self' http: https:")
                })
        }
        #expect(bus.clicks.isEmpty)
        let policy = LinkPolicy(countries: Countries())
        let route = try #require(LinkRoutes(policy).all.first { $0.method == .post && $0.template == "/l/{code}" })
        func enter(_ password: String, at now: Timestamp = noon) async throws -> RouteReply {
            let request = RouteRequest(
                method: .post, variables: ["code": "talk"], body: .form([NamedText("password", password)]),
                address: "a", now: now)
            return try await route.answer(request, bus)
        }
        #expect(try await enter("wrong").status == 403)
        let reply = try await enter("tea & toast")
        #expect(reply.status == 303 && location(reply) == "https://example.com/secret" && bus.clicks.count == 1)
        for _ in 0..<8 { #expect(try await enter("").status == 403) }
        for (passed, wait) in [(0, 60), (1, 59), (59, 1)] {
            await #expect {
                try await enter("tea & toast", at: noon + .seconds(passed))
            } throws: { error in
                let problem = error as? RouteProblem
                return problem?.status == .tooManyRequests && problem?.retryAfter == .seconds(wait)
            }
        }
        #expect(try await enter("tea & toast", at: noon + .seconds(60)).status == 303)
    }

    @Test func `a hash that costs more than those that are made here opens nothing, and ends nothing`() async throws {
        for cost in ["ln=16,r=1,p=1", "ln=20,r=32,p=16", "ln=17,r=8,p=1"] {
            let hash = "$scrypt$\(cost)$AAAAAAAAAAAAAAAAAAAAAA$" + String(repeating: "A", count: 43)
            #expect(try await !SlowHash.matches("tea", hash), "\(cost)")
        }
    }

    @Test func `nobody is led round in circles, or to a host that is denied`() async throws {
        let policy = LinkPolicy(
            base: "https://go.example/l", hosts: ["www.go.example"], denied: ["evil.example"],
            countries: Countries())
        for (url, status) in [
            ("https://go.example/l/abc", 403), ("https://www.go.example/", 403), ("http://sho.rt:8080/l/x", 403),
            ("https://evil.example/", 403),
            ("https://a.b.evil.example:81/x", 403), ("https://notevil.example/", 302),
            ("https://example.com/?u=https://evil.example", 302),
            ("https://evil.example.com/", 302),
        ] {
            bus.put("talk", url)
            #expect(try await ask(code: "talk", policy: policy).status == status, "\(url)")
        }
    }

    @Test func `with a plus a link shows where it leads, is no click, and its title is text`() async throws {
        var terms = Terms()
        terms.title = "<b>A & B</b>"
        bus.put("talk", "https://example.com/?a='\"&b", terms)
        let page = try await ask(code: "talk+")
        #expect(page.status == 200 && page.text.contains("&lt;b&gt;A &amp; B&lt;/b&gt;") && !page.text.contains("<b>A"))
        #expect(page.text.contains("https://example.com/?a=&#39;&quot;&amp;b") && bus.clicks.isEmpty)
    }

    @Test func `a visitor is one within a day, and another the next`() {
        let hash = VisitorHash(key: "k")
        let (one, two) = (
            hash.visitor("192.0.2.7", "a", at: noon), hash.visitor("192.0.2.7", "a", at: noon + .seconds(3600))
        )
        #expect(one == two && one != hash.visitor("192.0.2.8", "a", at: noon))
        #expect(one != hash.visitor("192.0.2.7", "a", at: noon + .seconds(86_400)))
        #expect(
            one == VisitorHash(key: "k").visitor("192.0.2.7", "a", at: noon)
                && one != VisitorHash(key: nil).visitor("192.0.2.7", "a", at: noon))
    }

    @Test func `a country is that of the range that an address is in`() {
        let countries = Countries(
            lines:
                "\"1.0.0.0\",\"1.0.0.255\",\"AU\"\n1.0.2.0,1.0.3.255,cn\nbad,line,XX\n::1,::1,ZZ\n2001:db8::,2001:db8::ffff,FR\n"
        )
        for (address, country) in [
            ("1.0.0.0", "AU"), ("1.0.0.255", "AU"), ("1.0.1.0", ""), ("1.0.3.7", "CN"), ("0.9.9.9", ""),
            ("2001:db8::7", "FR"), ("::ffff:1.0.0.9", "AU"),
            ("::1", ""), ("unknown", ""),
        ] { #expect(countries.country(of: address) == country, "\(address)") }
    }

    @Test func `a link is made, once, and tells its code`() async throws {
        func make(_ json: String) async throws -> RouteReply { try await ask("/links", .post, body: .json(json)) }
        let first = try await make(
            #"{"url":"https://Example.com","owner":"ann","title":"x","utm":{"source":"a b","medium":"mail"}}"#)
        #expect(
            first.status == 201 && first.text.contains(#""url":"https://example.com/?utm_source=a+b&utm_medium=mail""#),
            "\(first.text)")
        #expect(first.text.contains(#""short":"http://sho.rt:8080/l/"#))
        let again = try await make(
            #"{"url":"https://example.com/?utm_source=x","owner":"ann","utm":{"source":"a b","medium":"mail"}}"#)
        #expect(again.status == 200 && again.text == first.text, "\(again.text)")
        let alias = try await make(#"{"url":"https://example.com/","owner":"ann","alias":"talk","password":"tea"}"#)
        #expect(alias.text.contains(#""code":"talk""#) && !alias.text.contains("tea"))
        #expect(try await ask(code: "talk").text.contains("type=\"password\""))
        for (json, field) in [
            ("[]", "body"), (#"{"owner":"a"}"#, "url"), (#"{"url":"javascript:x","owner":"a"}"#, "url"),
            (#"{"url":"https://a.b","ower":"a"}"#, "ower"),
            (#"{"url":"http://sho.rt:8080/l/x","owner":"a"}"#, "url"),
            (#"{"url":"https://a.b","owner":"a","utm":{"x":"y"}}"#, "utm.x"),
            (#"{"url":"https://a.b","owner":"a","tags":"x"}"#, "tags"),
            (#"{"url":"https://a.b","owner":"a","activeUntil":"soon"}"#, "activeUntil"),
            (#"{"url":"https://a.b"}"#, "owner"), (#"{"url":"https://a.b","owner":"a","password":""}"#, "password"),
            (#"{"url":"https://a.b","owner":"a","fresh":"yes"}"#, "fresh"),
            (#"{"url":"https://a.b","owner":"a","fresh":1}"#, "fresh"),
            (#"{"url":"https://a.b","owner":"a","activeUntil":"2030-01-01T00:00:00.0001Z"}"#, "activeUntil"),
            (#"{"url":"https://a.b","owner":"a","clickLimit":-1}"#, "clickLimit"),
            (#"{"url":"https://a.b","owner":"a","tags":["x","x"]}"#, "tags[1]"),
        ] {
            await #expect { try await make(json) } throws: { ($0 as? Malformed)?.field == field }
        }
    }

    @Test func `whoever makes a link is told of that one, however many the owner's URL has`() async throws {
        func make(_ json: String, _ id: String? = nil) async throws -> String {
            let reply = try await ask("/links", .post, body: .json(json), id: id)
            let code = try #require(reply.text.firstMatch(of: #/"code":"(\w+)"/#)).1
            return "\(reply.status) \(code)"
        }
        let plain = #"{"url":"https://example.com/","owner":"ann"}"#
        let fresh = #"{"url":"https://example.com/","owner":"ann","fresh":true}"#
        var told: [String] = [try await make(plain)]
        for number in 0..<12 { told.append(try await make(fresh, "f\(number)")) }
        #expect(Set(told).count == 13)
        #expect(try await make(fresh, "f3") == told[4], "asked again under its id")
        bus.put(String(told[4].dropFirst(4)), "https://example.com/", stage: .deleted)
        #expect(try await make(fresh, "f3") == told[4], "also once it has ended")
        let closed = #"{"url":"https://example.com/","owner":"ann","fresh":true,"password":"tea"}"#
        let code = try await make(closed).dropFirst(4)
        #expect(
            try await make(plain).dropFirst(4) != code, "who asks for a plain link is not given one with a password")
    }

    @Test func `a link with a password that is asked for again is the same`() async throws {
        func make(_ json: String, _ id: String? = nil) async throws -> String {
            let reply = try await ask("/links", .post, body: .json(json), id: id)
            return try String(#require(reply.text.firstMatch(of: #/"code":"(\w+)"/#)).1)
        }
        let url = #"{"url":"https://example.com/","owner":"ann","password":"tea"}"#
        let alias = #"{"url":"https://example.com/","owner":"ann","alias":"talk","password":"tea"}"#
        #expect(try await make(url, "p1") == make(url, "p1"))
        #expect(try await make(url) == make(url, "p1"))
        #expect(try await make(alias) == make(alias))
        await #expect(throws: (any Error).self) {
            try await make(#"{"url":"https://example.com/","owner":"ann","alias":"talk","password":"milk"}"#)
        }
        // Before the view has it too, and never the same for another link.
        let hashes = [
            try await SlowHash.make("tea", saltOf: "p1"), try await SlowHash.make("tea", saltOf: "p1"),
            try await SlowHash.make("tea", saltOf: "p2"), try await SlowHash.make("tea"),
        ]
        #expect(hashes[0] == hashes[1] && Set(hashes).count == 3)
    }

    @Test func `guesses of others take nobody's own`() {
        let guesses = Guesses()
        for number in 0..<2 * Guesses.remembered { #expect(guesses.take("c\(number)", "a", at: noon) == nil) }
        for _ in 0..<Guesses.limit { #expect(guesses.take("mine", "b", at: noon) == nil) }
        #expect(guesses.take("mine", "b", at: noon + .seconds(20)) == .seconds(40))
        guesses.giveBack("mine", "b")
        #expect(guesses.take("mine", "b", at: noon) == nil)
        #expect(guesses.take("mine", "b", at: noon) == .seconds(60))
        #expect(guesses.take("mine", "b", at: noon + .seconds(60)) == nil)
    }

    @Test func `hosts of a setting are read as browsers read them`() async throws {
        let policy = try LinkPolicy(
            Settings(environment: [
                "MILLRACE_LINKS_DENIED_HOSTS": "b\u{fc}cher.example, Evil.Example., 10.0.0.01 [::ffff:192.0.2.1]",
                "MILLRACE_LINKS_HOSTS": "go.example:8080 Short.Example",
            ]))
        for (url, status) in [
            ("http://xn--bcher-kva.example/x", 403), ("http://evil.example/x", 403), ("http://sub.evil.example./", 403),
            ("http://10.0.0.1/", 403), ("http://go.example:8080/l/x", 403), ("http://short.example./", 403),
            ("http://go.example.:8080/l/x", 403), ("http://[::ffff:a00:1]/", 403), ("http://192.0.2.1/", 403),
            ("http://go.example/", 302), ("http://example/", 302), ("http://[::ffff:a00:2]/", 302),
            ("http://[::fffe:a00:1]/", 302),
        ] {
            bus.put("talk", url)
            #expect(try await ask(code: "talk", policy: policy).status == status, "\(url)")
        }
        for text in ["*.bad.example", ".dot.example", "a/b", "http://a.example", "a b:c", "ev%20il", "a.example:81"] {
            #expect(throws: Malformed.self, "\(text)") {
                try LinkPolicy(Settings(environment: ["MILLRACE_LINKS_DENIED_HOSTS": text]))
            }
        }
    }

    @Test func `all names of this machine for itself are one place`() {
        let policy = LinkPolicy(countries: Countries())
        for asked in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:8080"] {
            for host in [
                "localhost", "127.0.0.1", "127.1.2.3", "[::1]", "a.localhost", "0.0.0.0", "[::]", "[::ffff:7f00:1]",
            ] {
                #expect(policy.refusal(of: "http://\(host):8080/l/x", asked: asked) != nil, "\(asked) \(host)")
                #expect(policy.refusal(of: "http://\(host):8081/l/x", asked: asked) == nil, "\(asked) \(host)")
            }
        }
    }

    @Test func `a file of countries that cannot be read, or has none, is said at the start`() throws {
        for (name, text) in [("none", nil), ("empty", ""), ("turned", "1.0.0.255,1.0.0.0,AU\n")] as [(String, String?)]
        {
            let file = FileManager.default.temporaryDirectory.appending(path: "\(name)-\(UUID().uuidString)").path
            try text?.write(toFile: file, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(atPath: file) }
            #expect(throws: Malformed.self, "\(name)") {
                try LinkPolicy(Settings(environment: ["MILLRACE_LINKS_COUNTRIES": file]))
            }
        }
    }

    @Test func `what turns text around is an escape on a page`() async throws {
        var terms = Terms()
        terms.title = "a\u{202e}b\u{200b}c"
        bus.put("talk", "https://example.com/", terms)
        let page = try await ask(code: "talk+").text
        #expect(page.contains("a\\u{202e}b\\u{200b}c") && !page.unicodeScalars.contains("\u{202e}"))
    }

    @Test func `a link has a picture`() async throws {
        bus.put("talk", "https://example.com/")
        let picture = try await ask("/l/{code}/qr.svg", code: "talk")
        #expect(
            picture.status == 200 && picture.type?.hasPrefix("image/svg+xml") == true && picture.text.hasPrefix("<svg"))
        #expect(try await ask("/l/{code}/qr.svg", code: "none").status == 404)
        #expect(
            QRCode(String(repeating: "a", count: QRCode.longest)) != nil
                && QRCode(String(repeating: "a", count: QRCode.longest + 1)) == nil)
    }
}
