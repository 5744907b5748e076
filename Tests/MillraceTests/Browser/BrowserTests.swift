import Domains
import EventModel
import Foundation
import LocalLog
import TestSupport
import Testing

@Suite("In a browser", .serialized, .timeLimit(.minutes(10)), .enabled(if: Browser.isThere, Browser.missing))
struct BrowserTests {
    /// What nobody writes but somebody who means harm: markup, quotes, text from right to left, and much of it.
    private static let hostile = [
        #"<script>document.title='broken'</script>"#, #"" onmouseover="document.title='broken'"#,
        "'><img src=x onerror=document.title='broken'>", "\u{202e}tfel ot thgir\u{202c} שלום עולם",
        "</td></table></main>&lt;&amp;",
    ]
    private static let long = String(repeating: "W", count: 4000)

    private func seat(_ name: String, is status: String) -> String {
        "[...document.querySelectorAll('button.seat')].some(b => b.ariaLabel.includes('seat \(name),') && b.classList.contains('\(status)'))"
    }

    /// Its sections open one after another.
    private func putGalaOnSale(_ browser: Browser) async throws {
        try await browser.click("#sample")
        try await browser.wait("the seats", "document.querySelectorAll('.house-section').length === 2")
    }

    private func press(seat name: String, _ browser: Browser) async throws {
        try await browser.wait("seat \(name)", seat(name, is: "free"))
        try await browser.click("button.seat[aria-label*='seat \(name),']")
    }

    @Test func `a seat that is held in one window is held in the other within a second, and so is what becomes of it`()
        async throws
    {
        try await onPages { bus, web, browser in
            let first = try await browser.window
            try await browser.go(web.base + "/ui/domains/tickets?holder=ann")
            try await putGalaOnSale(browser)
            let second = try await browser.newWindow()
            try await browser.go(web.base + "/ui/domains/tickets?holder=ben&event=gala")
            try await press(seat: "A-3", browser)

            try await browser.goTo(window: first)
            try await press(seat: "A-1", browser)
            try await press(seat: "A-2", browser)
            #expect(try await browser.text("#chosen").contains("A-1, A-2"))
            try await browser.click("#hold")
            try await browser.wait("the hold", seat("A-1", is: "mine"))
            let held = ContinuousClock.now
            try await browser.goTo(window: second)
            try await browser.wait("the other's hold", seat("A-1", is: "held") + "&&" + seat("A-2", is: "held"))
            #expect(.now - held < .seconds(1))
            #expect(try await browser.run("return document.querySelectorAll('button.seat.mine').length").int == 0)
            // What is held cannot be chosen.
            try await browser.click("button.seat.held")
            #expect(try await browser.text("#chosen").hasPrefix("A-3"))

            try await browser.goTo(window: first)
            try await browser.wait("the button", "document.querySelector(`#holds button[aria-label='Buy A-1, A-2']`)")
            try await browser.click("#holds button[aria-label='Buy A-1, A-2']")
            try await browser.wait("the purchase", seat("A-1", is: "sold"))
            try await browser.goTo(window: second)
            try await browser.wait("the other's purchase", seat("A-2", is: "sold"))
            try await browser.click("#hold")
            try await browser.wait("a hold", seat("A-3", is: "mine"))
            try await browser.wait("the button", "document.querySelector(`#holds button[aria-label='Release A-3']`)")
            try await browser.click("#holds button[aria-label='Release A-3']")
            try await browser.wait("it to be given back", seat("A-3", is: "free"))
            #expect(try await browser.complaints() == [])
            let seats = try await web.get("/views/tickets.seats?event=gala&status=sold")
            #expect(seats.json["rows"].array.map { $0["holder"].string } == ["ann", "ann"])
        }
    }

    @Test func `a tweet is seen on a follower's page, and its hashtag among the trends`() async throws {
        try await onPages { bus, web, browser in
            let first = try await browser.window
            try await browser.go(web.base + "/ui/domains/social?user=ben")
            try await browser.fill("#followee", "ann")
            try await browser.click("#follow button")
            try await browser.wait("the follow", "document.querySelector('#told').innerText.includes('You follow')")
            _ = try await browser.newWindow()
            try await browser.go(web.base + "/ui/domains/social?user=ann")
            try await browser.fill("#text", "Tosca tonight #opera")
            try await browser.click("#post button")
            try await browser.wait(
                "the tweet", "document.querySelector('#timeline').innerText.includes('Tosca tonight')")
            try await browser.goTo(window: first)
            try await browser.wait(
                "the followee's tweet", "document.querySelector('#timeline').innerText.includes('Tosca tonight')")
            try await browser.wait("the trend", "document.querySelector('#trends').innerText.includes('#opera')")
            // What is refused says why.
            try await browser.fill("#text", String(repeating: "a", count: 281))
            try await browser.click("#post button")
            try await browser.wait("the refusal", "document.querySelector('#told.error')?.innerText.includes('280')")
        }
    }

    @Test func `tweets are found, ranked with reasons, and read as a thread and a profile`() async throws {
        try await onPages { bus, web, browser in
            for (user, tweet, text, answer) in [
                ("ann", "a1", "Green tea for all #tea", ""),
                ("ben", "b1", "With milk?", #","replyToUser":"ann","replyToTweet":"a1""#),
            ] {
                _ = try await web.send(
                    "PostTweet", #"{"user":"\#(user)","tweet":"\#(tweet)","text":"\#(text)"\#(answer)}"#)
            }
            _ = try await web.send("Follow", #"{"user":"cy","followee":"ann"}"#)
            _ = try await web.send("LikeTweet", #"{"user":"cy","owner":"ann","tweet":"a1"}"#)
            func list(_ text: String) -> String { "document.querySelector('#timeline').innerText.includes('\(text)')" }
            try await browser.go(web.base + "/ui/domains/social?user=cy")
            try await browser.wait("the timeline", list("Green tea"))
            try await browser.fill("#q", "\"green tea\"")
            try await browser.click("#search button")
            try await browser.wait(
                "what is found", "document.querySelector('#heading').innerText.includes('green tea')")
            try await browser.wait("the tweet", list("Green tea") + " && !" + list("With milk"))
            try await browser.go(web.base + "/ui/domains/social?user=cy&order=ranked")
            try await browser.wait(
                "the reasons", "document.querySelector('#timeline details dl')?.textContent.includes('likes')")
            try await browser.go(web.base + "/ui/domains/social?user=cy&owner=ann&tweet=a1")
            try await browser.wait("the thread", list("Green tea") + " && " + list("With milk"))
            try await browser.fill("#text", "No, lemon")
            try await browser.click("#post button")
            try await browser.wait("the reply", list("No, lemon"))
            try await browser.go(web.base + "/ui/domains/social?user=cy&of=ann")
            try await browser.wait("the follower", "document.querySelector('#people').innerText.includes('@cy')")
            #expect(try await browser.complaints() == [])
        }
    }

    @Test func `whom to follow is followed, and an account that counts as fake is judged, from their pages`()
        async throws
    {
        try await onPages { bus, web, browser in
            for (user, followee) in [("cy", "ann"), ("ann", "dan")] {
                _ = try await web.send("Follow", #"{"user":"\#(user)","followee":"\#(followee)"}"#)
            }
            _ = try await web.send("PostTweet", #"{"user":"dan","tweet":"d1","text":"hello"}"#)
            _ = try await web.send("ConfirmFake", #"{"account":"bot","reviewer":"eve"}"#)
            func list(_ text: String) -> String { "document.querySelector('#timeline').innerText.includes('\(text)')" }
            try await browser.go(web.base + "/ui/domains/social?user=cy&show=suggestions")
            try await browser.wait(
                "the suggestion", list("@dan") + " && " + list("followed by 1 account that you follow"))
            try await browser.click("#timeline form button")
            try await browser.wait(
                "the follow", "document.querySelector('#told').innerText.includes('You follow @dan')")
            try await browser.wait("no further suggestion", list("Nobody yet"))
            try await browser.go(web.base + "/ui/domains/social?user=cy&show=flagged")
            try await browser.wait("the fake", list("@bot") + " && " + list("a fake, says eve"))
            try await browser.click("#timeline form button")
            try await browser.wait("the verdict", list("No account looks like a fake"))
            try await browser.go(web.base + "/ui/domains/social?user=cy&show=moments&window=7d")
            try await browser.wait("Moments", "document.querySelector('#heading').innerText === 'Moments'")
            #expect(try await browser.complaints() == [])
        }
    }

    @Test func `an order goes its way to the door`() async throws {
        try await onPages { bus, web, browser in
            try await browser.go(web.base + "/ui/domains/orders")
            try await browser.fill("#new-order", "o1")
            try await browser.fill("#customer", "ann")
            try await browser.click("#place button")
            func done(_ count: Int) async throws {
                try await browser.wait(
                    "\(count) stages", "document.querySelectorAll('#stages li.done').length === \(count)")
            }
            try await done(1)
            try await browser.fill("#step-AssignCourier", "ben")
            try await browser.click("#next form button")
            try await done(2)
            try await browser.wait("the next step", "document.querySelector('#next').innerText.includes('picked up')")
            try await browser.click("#next form button")
            try await done(3)
            // What others do is seen too.
            _ = try await web.send("MarkDelivered", #"{"order":"o1"}"#)
            try await done(4)
            #expect(try await browser.text("#expected") == "Delivered.")
            #expect(try await browser.complaints() == [])
        }
    }

    @Test func `taxis are on the map and hits make a curve as they come`() async throws {
        try await onPages { bus, web, browser in
            func drive(_ lat: Double) async throws {
                let lines = (0..<3).map {
                    #"{"driver":"taxi-\#($0)","lat":\#(lat),"lng":\#(-73.98 + Double($0) / 100)}"#
                }
                let made = try await web.ask(
                    "POST", "/events/DriverLocation", lines.joined(separator: "\n"),
                    "Content-Type: application/x-ndjson")
                #expect(made.status == 200, "\(made)")
            }
            try await drive(40.75)
            try await browser.go(web.base + "/ui/domains/rides")
            try await browser.wait("the taxis", "document.querySelectorAll('circle.taxi').length === 3")
            try await browser.wait("their places", "document.querySelector('circle.taxi').getAttribute('cy') > 0")
            let before = try await browser.run("return document.querySelector('circle.taxi').getAttribute('cy')").string
            try await drive(40.7502)
            try await browser.wait(
                "them to move", "document.querySelector('circle.taxi').getAttribute('cy') !== '\(before)'")
            try await browser.go(web.base + "/ui/domains/hits")
            try await browser.wait("no hits", "document.querySelector('#sum').innerText === '0'")
            let hits = (0..<300).map { #"{"site":"home","path":"/\#($0)"}"# }.joined(separator: "\n")
            _ = try await web.ask("POST", "/events/Hit", hits, "Content-Type: application/x-ndjson")
            try await browser.wait("the hits", "document.querySelector('#sum').innerText === '300'")
            #expect(
                try await browser.run("return document.querySelector('#line').getAttribute('d').split('L').length").int
                    == 300)
            try await browser.fill("#site", "nobody's")
            try await browser.click("#choose button")
            try await browser.wait("those of another site", "document.querySelector('#sum').innerText === '0'")
            #expect(try await browser.complaints() == [])
        }
    }

    @Test func `the overview shows what waits, and a button has it handled again`() async throws {
        try await onBus { bus in
            // A worker dies of one record until it is given up; the program's own does not die of it.
            _ = try await bus.run("produce", "Hit", stdin: #"{"site":"s","visitor":"deadly"}"#)
            let program = URL(fileURLWithPath: Bus.program).deletingLastPathComponent().appendingPathComponent("Mortal")
                .path
            var lives = false
            for _ in 0..<20 where !lives {
                let worker = try bus.start(program: program, ["projector", bus.folder])
                lives = try await eventually("it to live or die") {
                    if worker.hasEnded { return false }
                    return try await bus.run("quarantine", "list").out.contains("hits.windows") ? true : nil
                }
                if lives { try await worker.stop() }
            }
            #expect(lives)
            let web = try await bus.web()
            let browser = try await Browser.start(in: bus.folder)
            try await browser.go(web.base + "/")
            #expect(try await browser.run("return location.pathname").string == "/ui")
            #expect(try await browser.text("#quarantine").contains("died"))
            #expect(try await browser.text("#workers").contains("1 waiting"))
            try await browser.click("#quarantine td button")
            try await browser.wait(
                "nothing to wait", "document.querySelector('#quarantine').innerText.includes('Nothing waits')")
            #expect(try await browser.complaints() == [])
            let counted = try await web.get("/views/hits.window?site=s&window=1h")
            #expect(counted.json["rows"][0]["hits"].int == 1, "\(counted)")
            await browser.end()
        }
    }

    @Test func `a page says that the server is gone, and comes back by itself`() async throws {
        try await onBus { bus in
            let port = try FreePort.find()
            func serve() async throws -> Running {
                let process = try bus.start(["up", "--http", "127.0.0.1:\(port)"])
                try await eventually("it to serve: \(process.err)") {
                    process.err.contains("serving http://") ? true : nil
                }
                return process
            }
            let process = try await serve()
            let browser = try await Browser.start(in: bus.folder)
            let base = "http://127.0.0.1:\(port)"
            try await browser.go(base + "/ui")
            let overview = try await browser.window
            let other = try await browser.newWindow()
            try await browser.go(base + "/ui/domains/tickets?holder=ann")
            try await putGalaOnSale(browser)
            try await process.crash()
            try await browser.wait("it to say so", "!document.querySelector('#gone').hidden")
            try await browser.goTo(window: overview)
            try await browser.wait("the overview to say so", "!document.querySelector('#gone').hidden")
            let again = try await serve()
            try await browser.wait("it to come back", "document.querySelector('#gone').hidden")
            let order = [#"{"order":"o1","customer":"ann"}"#].map { Array($0.utf8) }[0]
            _ = try await bus.start(
                program: "/usr/bin/curl",
                Web.arguments("POST", base + "/commands/PlaceOrder", order, [], in: bus.folder)
            ).end()
            try await browser.wait(
                "events to stream again", "document.querySelector('#latest').innerText.includes('OrderStatusChanged')")
            try await browser.goTo(window: other)
            try await browser.wait("the seats to come back", "document.querySelector('#gone').hidden")
            let hold = Array(#"{"event":"gala","section":"stalls","holder":"ben","seats":["A-1"]}"#.utf8)
            _ = try await bus.start(
                program: "/usr/bin/curl",
                Web.arguments("POST", base + "/commands/HoldSeats", hold, [], in: bus.folder)
            ).end()
            try await browser.wait("what happens now", seat("A-1", is: "held"))
            await browser.end()
            try await again.stop()
        }
    }

    @Test func `what means harm is shown as what it is`() async throws {
        try await onPages { bus, web, browser in
            for (number, text) in (Self.hostile + [Self.long]).enumerated() {
                let title = String(text.prefix(200))
                let section = text == Self.long ? String(text.prefix(100)) : "s"
                let json = """
                    {"event":"e\(number)","title":\(try quoted(title)),"venue":\(try quoted(title)),"startsAt":"2030-01-01T00:00:00Z",\
                    "sections":[{"name":"\(section)","rows":[{"label":"A","seats":2}],"price":{"amount":1,"currency":"EUR"}}]}
                    """
                let sent = try await web.send("ListEvent", json)
                #expect(sent.status == 200, "\(sent)")
                let hit = try await web.ask(
                    "POST", "/events/Hit", #"{"site":"a","path":\#(try quoted(text)),"referrer":\#(try quoted(text))}"#,
                    "Content-Type: application/x-ndjson")
                #expect(hit.status == 200, "\(hit)")
                _ = try await web.send("PostTweet", #"{"user":"ann","text":\#(try quoted(String(text.prefix(100))))}"#)
            }
            try await bus.settle()
            let pages = [
                "/ui", "/ui/topics/hits.events", "/ui/topics/tickets.events", "/ui/topics/tickets.commands",
                "/ui/views/tickets.calendar?from=2029-01-01T00%3A00%3A00Z&to=2031-01-01T00%3A00%3A00Z",
                "/ui/views/social.user?user=ann", "/ui/domains/tickets?event=e0",
                "/ui/domains/tickets?event=e\(Self.hostile.count)", "/ui/domains/social?user=ann",
            ]
            for page in pages {
                try await browser.go(web.base + page)
                try await browser.wait("\(page) to be there", "document.readyState === 'complete'")
                let state = try await browser.run(
                    "return [document.title, document.querySelectorAll('main script, main img').length, document.documentElement.scrollWidth]"
                )
                #expect(state[0].string != "broken" && state[1].int == 0, "\(page)")
                #expect(state[2].int <= 1440, "\(page) is wider than the window")
                let wide = try await browser.run(
                    """
                    const wide = (e) => e.scrollWidth > e.clientWidth + 1;
                    return [...document.querySelectorAll('td, .scroll:has(td.event)')].filter(wide).length;
                    """)
                #expect(wide.int == 0, "\(page) has texts over one another, or events beside the window")
                #expect(try await browser.complaints() == [], "\(page)")
            }
            try await browser.wait("the tweets", "document.querySelector('#timeline').innerText.includes('<script>')")
            // A parameter, a field and a name of the path come back as they were given.
            for text in Self.hostile {
                var allowed = CharacterSet.alphanumerics
                allowed.insert(charactersIn: "-._~")
                let encoded = try #require(text.addingPercentEncoding(withAllowedCharacters: allowed))
                for page in [
                    "/ui/views/tickets.seats?event=\(encoded)", "/ui/commands/PlaceOrder?order=\(encoded)",
                    "/ui/topics/hits.events?key=\(encoded)", "/ui/topics/\(encoded)", "/ui/domains/\(encoded)",
                    "/ui/views/tickets.seats?\(encoded)=\(encoded)",
                ] {
                    try await browser.go(web.base + page)
                    #expect(try await browser.run("return document.title").string != "broken", "\(page)")
                    let inserted = try await browser.run(
                        "return document.querySelectorAll('main script, main img').length")
                    #expect(inserted.int == 0, "\(page)")
                }
                try await browser.go(web.base + "/ui/commands/PlaceOrder?order=\(encoded)")
                #expect(try await browser.run("return document.getElementById('field-order').value").string == text)
            }
        }
    }

    private func quoted(_ text: String) throws -> String {
        String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
    }

    /// Whether somebody who cannot see a page can use it: each field has a name, each button says what it does, headings are in
    /// order, and identifiers are there once.
    private static let audit = """
        const wrong = [];
        const named = (e) => e.labels?.length || e.ariaLabel || e.getAttribute('aria-labelledby');
        for (const e of document.querySelectorAll('input:not([type=hidden]), select, textarea')) if (!named(e)) wrong.push('no label: ' + e.outerHTML);
        for (const e of document.querySelectorAll('button, a')) if (!(e.innerText.trim() || e.textContent.trim() || e.ariaLabel)) wrong.push('no name: ' + e.outerHTML);
        for (const e of document.querySelectorAll('[role=img]')) if (!(e.ariaLabel || e.getAttribute('aria-labelledby'))) wrong.push('no name: ' + e.outerHTML);
        for (const e of document.querySelectorAll('[aria-describedby], [aria-labelledby]'))
            for (const id of (e.getAttribute('aria-describedby') ?? e.getAttribute('aria-labelledby')).split(' '))
                if (!document.getElementById(id)) wrong.push('no #' + id);
        const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
        for (const id of new Set(ids)) if (ids.filter((one) => one === id).length > 1) wrong.push('twice: #' + id);
        if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
        if (document.querySelectorAll('[style], style, main script').length) wrong.push('style or script in the page');
        // A telephone's innerWidth grows with what does not fit.
        const { scrollWidth, clientWidth } = document.documentElement;
        if (scrollWidth > clientWidth) wrong.push('wider than ' + clientWidth + ': ' + scrollWidth);
        return wrong;
        """

    @Test func `each page has names for all that one uses, fits the screen, and breaks no rule of its own`()
        async throws
    {
        try await onPages { bus, web, browser in
            let events = try await web.get("/events").json["events"].array
            let commands = events.filter { $0["kind"] == "command" }.map { "/ui/commands/" + $0["name"].string }
            let views = try await web.get("/views").json["queries"].array.map { "/ui/views/" + $0["query"].string }
            let domains = Set(events.map { "/ui/domains/" + $0["domain"].string }).sorted()
            let topics = ["/ui/topics/tickets.events", "/ui/topics/millrace.topics?from=start"]
            #expect(commands.count > 10 && views.count > 10 && domains.count == Domains.all.count)
            try await browser.look(width: 360)
            for page in ["/ui"] + domains + topics + views + commands {
                try await browser.go(web.base + page)
                let wrong = try await browser.run(Self.audit).array.map(\.string)
                #expect(wrong == [], "\(page)")
            }
            for width in [1440, 3840] {
                try await browser.look(width: width)
                for page in ["/ui"] + domains + topics {
                    try await browser.go(web.base + page)
                    #expect(try await browser.run(Self.audit).array.map(\.string) == [], "\(page), \(width)")
                }
            }
            #expect(try await browser.complaints() == [])
        }
    }

    @Test func `the pages of a link fit the screen, by day and by night, whatever it is called`() async throws {
        try await onPages { bus, web, browser in
            for (alias, more) in [("looked-at", ""), ("with-password", #","password":"tea and toast""#)] {
                let made = try await web.ask(
                    "POST", "/links",
                    #"""
                    {"owner":"ann","alias":"\#(alias)","title":"\#(Self.long.prefix(300))",\#
                    "url":"https://example.com/\#(Self.long)"\#(more)}
                    """#)
                #expect(made.status == 201, "\(made)")
            }
            try await bus.settle()
            for isDark in [false, true] {
                try await browser.look(width: 360, isDark: isDark)
                for page in ["/l/looked-at+", "/l/with-password"] {
                    try await browser.go(web.base + page)
                    #expect(try await browser.run(Self.audit).array.map(\.string) == [], "\(page)")
                    let ink = try await browser.run("return getComputedStyle(document.documentElement).color").string
                    #expect(ink == (isDark ? "rgb(230, 237, 235)" : "rgb(22, 32, 31)"), "\(page)")
                }
            }
            #expect(try await web.get("/l/looked-at", "User-Agent: Mozilla/5.0 Firefox/130.0").status == 302)
            try await browser.go(web.base + "/ui/domains/links?code=looked-at")
            try await browser.wait("the click", "document.querySelector('#device svg')")
            #expect(try await browser.run(Self.audit).array.map(\.string) == [])
            #expect(try await browser.complaints() == [])
        }
    }

    @Test func `the seat map is used by keyboard alone`() async throws {
        try await onPages { bus, web, browser in
            try await browser.go(web.base + "/ui/domains/tickets?holder=ann")
            try await putGalaOnSale(browser)
            try await browser.run("document.getElementById('holder').focus()")
            // The button of the form, then the first seat.
            try await browser.press(Key.tab, Key.tab)
            #expect(try await browser.run("return document.activeElement.ariaLabel").string.contains("seat A-1, free"))
            try await browser.press(Key.right, Key.down, Key.space, Key.left, Key.enter)
            #expect(try await browser.text("#chosen").contains("B-2, B-1"))
            // All seats are one step of the tab key.
            try await browser.press(Key.tab, Key.enter)
            try await browser.wait("the hold", seat("B-1", is: "mine"))
        }
    }
}
