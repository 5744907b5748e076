import Domains
import Foundation
import TestSupport
import Testing

/// Pages as they go out, for whoever has no JavaScript, and as no other page of the web can have them.
@Suite("Pages over HTTP", .serialized, .timeLimit(.minutes(10)))
struct PageTests {
    private static let html = "Accept: text/html"

    @Test func `the latest events go on at the moment that a page was told of last`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let before = Int(Date().timeIntervalSince1970 * 1000) - 1000
            _ = try await web.send("PlaceOrder", #"{"order":"o1","customer":"ann"}"#)
            // Far moments are brought near, and what is none is left out.
            for last in ["\(before)", "\(Int64.min)"] {
                let following = try web.start("GET", "/ui/latest", nil, ["Last-Event-ID: \(last)"])
                try await eventually("what was missed: \(following.out)") {
                    following.out.contains("OrderStatusChanged") ? true : nil
                }
                #expect(try #require(following.out.firstMatch(of: /id: (\d+)\ndata:/)?.1).count == 13)
            }
            let later = try web.start("GET", "/ui/latest", nil, ["Last-Event-ID: \(Int64.max)"])
            let anew = try web.start("GET", "/ui/latest?last-event-id=nothing")
            try await eventually("them to begin") {
                later.out.contains("retry") && anew.out.contains("retry") ? true : nil
            }
            _ = try await web.send("PlaceOrder", #"{"order":"o2","customer":"ann"}"#)
            try await eventually("what comes: \(later.out) \(anew.out)") {
                later.out.contains("o2") && anew.out.contains("o2") ? true : nil
            }
            #expect(!anew.out.contains("o1") && !later.out.contains("o1"))
        }
    }

    @Test func `who prefers HTML is led to the overview, and all others have JSON as before`() async throws {
        try await onBus { bus in
            let web = try await bus.web("serve")
            let browser = try await web.get("/", "Accept: text/html,application/xml;q=0.9,*/*;q=0.8")
            #expect(browser.status == 303 && browser.fields["location"] == "/ui", "\(browser)")
            for accept in ["*/*", "application/json", "text/plain"] {
                let other = try await web.get("/", "Accept: \(accept)")
                #expect(other.status == 200 && other.json["domains"].array.count == Domains.all.count, "\(other)")
            }
            let page = try await web.get("/ui", Self.html)
            #expect(page.status == 200 && page.fields["content-type"] == "text/html; charset=utf-8", "\(page)")
            let policy = try #require(page.fields["content-security-policy"])
            for part in [
                "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'",
                "img-src 'self' data:", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
            ] { #expect(policy.contains(part), "\(part)") }
            #expect(!policy.contains("unsafe"))
        }
    }

    @Test func `files are in the executable, have their types, and are sent once`() async throws {
        try await onBus { bus in
            let web = try await bus.web("serve")
            for (path, type) in [
                ("/ui/assets/style.css", "text/css"), ("/ui/assets/millrace.js", "text/javascript"),
                ("/ui/assets/icon.svg", "image/svg+xml"), ("/ui/domains/tickets/page.js", "text/javascript"),
                ("/ui/domains/hits/page.css", "text/css"),
            ] {
                let file = try await web.get(path)
                #expect(file.status == 200 && file.fields["content-type"]?.hasPrefix(type) == true, "\(file)")
                #expect(file.body.count > 100)
                let tag = try #require(file.fields["etag"])
                let again = try await web.get(path, "If-None-Match: \(tag)")
                #expect(again.status == 304 && again.body.isEmpty, "\(again)")
            }
            for path in [
                "/ui/assets/none.js", "/ui/assets/..%2Fstyle.css", "/ui/domains/tickets/page.html", "/ui/domains/none",
            ] {
                #expect(try await web.get(path).status == 404, "\(path)")
            }
        }
    }

    /// The fields of a form as a browser sends them.
    private func post(
        _ web: Web, _ path: String, _ fields: [(String, String)], origin: String?
    ) async throws -> Web.Reply {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._")
        let body = fields.map { name, value in
            let parts = [name, value].compactMap { $0.addingPercentEncoding(withAllowedCharacters: allowed) }
            return parts.joined(separator: "=")
        }.joined(separator: "&")
        let said = origin.map { ["Origin: \($0)"] } ?? []
        let type = ["Content-Type: application/x-www-form-urlencoded", Self.html]
        return Web.Reply(try await web.start("POST", path, Array(body.utf8), said + type).end().out)
    }

    @Test func `a form sends a command, and says what came of it`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let form = try await web.get("/ui/commands/ListEvent", Self.html)
            #expect(form.body.contains(#"<label for="field-startsAt">"#) && form.body.contains("<fieldset>"), "\(form)")
            let id = try #require(form.body.firstMatch(of: /name="@id" value="([^"]+)"/)).1
            let sections =
                #"[{"name":"stalls","rows":[{"label":"A","seats":3}],"price":{"amount":4500,"currency":"EUR"}}]"#
            let fields = [
                ("@id", String(id)), ("event", "e1"), ("title", "Tosca & \"more\""), ("venue", "Opera"),
                ("startsAt", "2030-01-01T19:30:00Z"), ("sections", sections), ("limits.seatsPerHolder", "2"),
                ("limits.holdSeconds", ""),
            ]
            let sent = try await post(web, "/ui/commands/ListEvent", fields, origin: web.base)
            #expect(sent.status == 200 && sent.body.contains("Accepted"), "\(sent)")
            #expect(sent.body.contains("/ui/topics/tickets.events?partition="))
            let listed = try await bus.replay("tickets.events", "--type", "EventListed")
            #expect(listed.count == 1 && listed[0]["event"]["title"] == #"Tosca & "more""#, "\(listed)")
            #expect(listed[0]["event"]["limits"]["seatsPerHolder"].int == 2)
            // The same form again is the same command.
            let again = try await post(web, "/ui/commands/ListEvent", fields, origin: web.base)
            #expect(again.status == 200 && again.body.contains("Accepted"), "\(again)")
            #expect(try await bus.replay("tickets.events", "--type", "EventListed").count == 1)
            // A list has a line for each.
            try await bus.settle()
            let hold = [("event", "e1"), ("section", "stalls"), ("holder", "ann"), ("seats", "A-1\r\n A-2 \r\n\r\n")]
            let held = try await post(web, "/ui/commands/HoldSeats", hold, origin: web.base)
            #expect(held.status == 200, "\(held)")
            let refused = try await post(
                web, "/ui/commands/HoldSeats", hold.map { ($0.0, $0.0 == "holder" ? "<ben>" : $0.1) }, origin: web.base)
            #expect(refused.status == 409 && refused.body.contains("<code>seat-not-free</code>"), "\(refused)")
            #expect(refused.body.contains("seat A-1 is held until") && refused.body.contains("value=\"&lt;ben&gt;\""))
        }
    }

    @Test func `what is wrong with a form stands at its field`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let empty = try await post(
                web, "/ui/commands/PlaceOrder", [("order", ""), ("customer", "ann")], origin: web.base)
            #expect(
                empty.status == 400
                    && empty.body.contains(#"<p id="field-order-error" class="error">order: is missing</p>"#),
                "\(empty)")
            #expect(empty.body.contains(#"aria-invalid="true""#) && empty.body.contains(#"value="ann""#))
            let json = try await post(
                web, "/ui/commands/ListEvent", [("event", "e"), ("sections", "[")], origin: web.base)
            #expect(json.status == 400 && json.body.contains("sections is no JSON"), "\(json)")
            // What looks like JSON puts nothing beside its field.
            let more = try await post(
                web, "/ui/commands/ListEvent", [("sections", #"[],"event":"x""#)], origin: web.base)
            #expect(more.status == 400 && more.body.contains("sections is no JSON"), "\(more)")
            let number = try await post(
                web, "/ui/commands/ListEvent", [("event", "e"), ("limits.holdSeconds", "many")], origin: web.base)
            #expect(number.status == 400, "\(number)")
            #expect(number.body.contains(#"<p id="field-limits.holdSeconds-error""#), "\(number)")
            let field = try await post(
                web, "/ui/commands/PlaceOrder", [("order", "o"), ("custmer", "ann")], origin: web.base)
            #expect(field.status == 400 && field.body.contains("custmer is not a field of PlaceOrder"), "\(field)")
            let unknown = try await post(web, "/ui/commands/PlaceOrde", [("order", "o")], origin: web.base)
            #expect(unknown.status == 404 && unknown.body.contains("PlaceOrder"), "\(unknown)")
        }
    }

    @Test func `no form makes an account without a password`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            for name in ["RegisterUser", "OpenSession", "ChangePassword"] {
                let page = try await web.get("/ui/commands/\(name)", Self.html)
                #expect(page.status == 200 && page.body.contains("POST /commands/\(name)"), "\(page)")
                #expect(!page.body.contains("Send \(name)"))
                let sent = try await post(web, "/ui/commands/\(name)", [("user", "ann")], origin: web.base)
                #expect(sent.status == 400 && sent.body.contains("comes with its password"), "\(sent)")
            }
            let none = try await bus.run("query", "accounts.profile", "--user", "ann")
            #expect(none.out.contains(#""rows":[]"#), "\(none)")
        }
    }

    @Test func `a form of another page of the web does nothing`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let order = [("order", "o1"), ("customer", "ann")]
            for origin in ["https://example.com", "null", "http://127.0.0.1:1", nil] {
                for path in ["/ui/commands/PlaceOrder", "/ui/quarantine/redrive", "/ui/quarantine/drop"] {
                    let reply = try await post(web, path, order, origin: origin)
                    #expect(reply.status == 403, "\(origin ?? "none") \(path) \(reply)")
                }
            }
            let json = try await web.ask("POST", "/ui/commands/PlaceOrder", "{}", "Origin: \(web.base)")
            #expect(json.status == 415, "\(json)")
            #expect(try await bus.count("orders.commands") == 0)
        }
    }

    @Test func `views and topics are browsed page by page without JavaScript`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            try await bus.list(seats: 5)
            let none = try await web.get("/ui/views/tickets.seats", Self.html)
            #expect(
                none.status == 200 && !none.body.contains("id=\"answer\"")
                    && !none.body.contains("role=\"alert\" id=\"result\""))
            let first = try await web.get("/ui/views/tickets.seats?event=e1&section=&status=&as-of=&limit=3", Self.html)
            #expect(first.status == 200 && first.body.contains("3 rows"), "\(first)")
            let next = try #require(first.body.firstMatch(of: /href="([^"]+)" rel="next"/)).1.replacing(
                "&amp;", with: "&")
            let second = try await web.get(String(next), Self.html)
            #expect(
                second.body.contains("2 rows") && second.body.contains("A-5") && !second.body.contains("rel=\"next\""))
            let wrong = try await web.get("/ui/views/tickets.seats?event=e1&status=fre", Self.html)
            #expect(wrong.status == 400 && wrong.body.contains("did you mean free?"), "\(wrong)")

            let records = try await web.get("/ui/topics/tickets.events?type=SectionOpened", Self.html)
            #expect(
                records.status == 200 && records.body.contains("e1:stalls")
                    && !records.body.contains("EventListed</td>"))
            let one = try await web.get("/ui/topics/tickets.events?from=start&limit=1", Self.html)
            let on = try #require(one.body.firstMatch(of: /href="([^"]+)" rel="next"/)).1.replacing("&amp;", with: "&")
            let rest = try await web.get(String(on), Self.html)
            #expect(one.body.matches(of: /<td class="t">\d@\d/).count == 1, "\(one)")
            #expect(rest.body.matches(of: /<td class="t">\d@\d/).count == 1, "\(rest)")
            #expect(one.body != rest.body && !rest.body.contains("rel=\"next\""), "\(rest)")
            let late = try await web.get("/ui/topics/tickets.events?partition=99", Self.html)
            #expect(late.status == 400 && late.body.contains("partitions 0 to 3"), "\(late)")
            #expect(try await web.get("/ui/topics/tickets.event", Self.html).status == 404)
        }
    }

    @Test func `the latest events are told a few at once, and how many others there were`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let stream = try web.start("GET", "/ui/latest")
            try await eventually("the stream") { stream.out.contains("retry:") ? true : nil }
            let hits = (0..<2000).map { #"{"site":"home","path":"/\#($0)"}"# }.joined(separator: "\n")
            _ = try await web.ask("POST", "/events/Hit", hits, "Content-Type: application/x-ndjson")
            func told() -> [JSON] {
                stream.out.split(separator: "\n").filter { $0.hasPrefix("data: ") }.compactMap {
                    try? JSON(String($0.dropFirst(6)))
                }
            }
            try await eventually("all of them") {
                told().reduce(0) { $0 + $1["events"].array.count + $1["more"].int } == 2000 ? true : nil
            }
            #expect(told().allSatisfy { $0["events"].array.count <= 10 })
            #expect(try await web.stop().exit == 0)
            #expect(try await stream.end(within: .seconds(300)).exit == 0)
        }
    }

    @Test func `a reader that cannot set fields says in a parameter where it goes on`() async throws {
        try await onBus { bus in
            let web = try await bus.web("serve")
            let hits = (0..<50).map { #"{"site":"home","path":"/\#($0)"}"# }.joined(separator: "\n")
            _ = try await web.ask("POST", "/events/Hit", hits, "Content-Type: application/x-ndjson")
            let events = "Accept: text/event-stream"
            let first = try await web.get("/topics/hits.events?limit=20", events)
            let id = try #require(first.body.split(separator: "\n").last { $0.hasPrefix("id: ") }?.dropFirst(4))
            let rest = try await web.get("/topics/hits.events?last-event-id=\(id)", events)
            #expect(rest.body.split(separator: "\n").count { $0.hasPrefix("data: ") } == 30, "\(rest)")
            let wrong = try await web.get("/topics/hits.events?last-event-id=here", events)
            #expect(wrong.status == 400 && wrong.json["field"] == "Last-Event-ID", "\(wrong)")
        }
    }
}
