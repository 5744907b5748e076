import Foundation
import TestSupport
import Testing

@Suite("Links over HTTP", .serialized, .timeLimit(.minutes(10)))
struct LinksOverHTTPTests {
    private static let browser = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"

    private func total(_ code: String, _ web: Web) async throws -> (Int, Int) {
        let row = try await web.get("/views/links.total?code=\(code)").json["rows"][0]
        return (row["clicks"].int, row["bots"].int)
    }

    @Test func `a link is made, followed and counted, and nothing is lost or doubled where the process dies`()
        async throws
    {
        try await onBus { bus in
            var web = try await bus.web()
            let made = try await web.ask("POST", "/links", #"{"url":"https://Example.com/a b?c=d","owner":"ann"}"#)
            #expect(made.status == 201 && made.json["url"] == "https://example.com/a%20b?c=d", "\(made)")
            let code = made.json["code"].string
            #expect(made.json["short"].string == "\(web.base)/l/\(code)")
            let again = try await web.ask("POST", "/links", #"{"url":"https://example.com/a%20b?c=d","owner":"ann"}"#)
            #expect(again.status == 200 && again.json == made.json, "\(again)")
            var people = 0
            for round in 0..<2 {
                for _ in 0..<12 {
                    let followed = try await web.get("/l/\(code)", Self.browser)
                    #expect(
                        followed.status == 302 && followed.fields["location"] == "https://example.com/a%20b?c=d",
                        "\(followed)")
                    #expect(followed.fields["cache-control"] == "no-store")
                    people += 1
                }
                _ = try await web.get("/l/\(code)")
                _ = try await web.ask("HEAD", "/l/\(code)", nil, Self.browser)
                try await eventually("\(people) clicks") {
                    try await total(code, web) == (people, round + 1) ? true : nil
                }
                // What is counted is on the log, and is counted once, whoever dies.
                try await web.process.crash()
                web = try await bus.web()
                #expect(try await total(code, web) == (people, round + 1))
            }
            #expect(try await bus.count("links.clicks") == people + 2)
            let deleted = try await web.send("DeleteLink", #"{"owner":"ann","code":"\#(code)"}"#)
            #expect(deleted.status == 200, "\(deleted)")
            try await eventually("410") { try await web.get("/l/\(code)", Self.browser).status == 410 ? true : nil }
            let missing = try await web.get("/l/nothing")
            #expect(missing.status == 404)
            // A page of links looks like all others.
            for name in [#/rel="stylesheet" href="([^"]+)"/#, #/rel="icon" href="([^"]+)"/#] {
                let file = String(try #require(missing.body.firstMatch(of: name)).1)
                #expect(try await web.get(file).status == 200, "\(file)")
            }
            #expect(try await web.get("/l/\(code)/qr.svg").fields["content-type"]?.hasPrefix("image/svg+xml") == true)
            #expect(try await web.stop().exit == 0)
            #expect(try await bus.run("verify", "--invariants").exit == 0)
        }
    }

    @Test func `clicks are exact where the process dies while links are followed, and after a replay`() async throws {
        try await onBus { bus in
            var web = try await bus.web()
            let code = try await web.ask("POST", "/links", #"{"url":"https://example.com/","owner":"ann"}"#).json[
                "code"
            ].string
            var answered = 0
            for round in 0..<3 {
                // Many on one connection, which the process leaves in the middle.
                let socket = try RawSocket(port: web.port)
                let request = "GET /l/\(code) HTTP/1.1\r\nHost: localhost\r\n\(Self.browser)\r\n\r\n"
                let following = Task.detached {
                    var count = 0
                    for _ in 0..<100_000 {
                        if !socket.write(request) { break }
                        if !socket.readAnswer().hasPrefix("HTTP/1.1 302") { break }
                        count += 1
                    }
                    return count
                }
                let before = try await total(code, web).0
                try await eventually("clicks of round \(round)") { try await total(code, web).0 > before ? true : nil }
                let shown = try await total(code, web).0
                try await web.process.crash()
                answered += await following.value
                web = try await bus.web()
                // Killed, it loses what was answered and waited for the log, and nothing else.
                let kept = try await bus.count("links.clicks")
                #expect(shown <= kept && kept <= answered + round + 1, "\(shown) \(kept) \(answered)")
                try await eventually("\(kept) clicks") { try await total(code, web).0 == kept ? true : nil }
            }
            let kept = try await bus.count("links.clicks")
            #expect(try await web.stop().exit == 0)
            #expect(try await bus.run("verify", "--invariants").exit == 0)
            #expect(try await bus.run("rebuild", "links.clicks").exit == 0)
            #expect(try await bus.query("links.total", "--code", code)["rows"][0]["clicks"].int == kept)
            #expect(try await bus.run("verify", "--invariants").exit == 0)
        }
    }

    @Test func `no link is followed once the view says that it is deleted, nor refused once it says that it is back`()
        async throws
    {
        try await onBus { bus in
            let web = try await bus.web()
            let made = try await web.ask(
                "POST", "/links", #"{"url":"https://example.com/","owner":"ann","alias":"talk"}"#)
            #expect(made.status == 201, "\(made)")
            for round in 0..<20 {
                for (command, status) in [("DeleteLink", 410), ("RestoreLink", 302)] {
                    let done = try await web.send(command, #"{"owner":"ann","code":"talk"}"#)
                    let event = done.json["events"][0]
                    let place = "\(event["topic"].string)/\(event["partition"].int)@\(event["offset"].int)"
                    let seen = try await web.get("/views/links.resolve?code=talk&after=\(place)")
                    #expect(seen.status == 200, "\(seen)")
                    #expect(try await web.get("/l/talk").status == status, "round \(round), after \(command)")
                }
            }
            #expect(try await web.stop().exit == 0)
        }
    }

    @Test func `what a link answers at once is what it answers the long way`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            for (alias, more) in [
                ("talk", ""), ("gone", ""), ("secret", #","password":"open sesame""#), ("few", #","clickLimit":5"#),
            ] {
                let made = try await web.ask(
                    "POST", "/links",
                    #"{"url":"https://example.com/a?b=\#(alias)","owner":"ann","alias":"\#(alias)"\#(more)}"#)
                #expect(made.status == 201, "\(made)")
            }
            _ = try await web.send("DeleteLink", #"{"owner":"ann","code":"gone"}"#)
            try await eventually("410") { try await web.get("/l/gone").status == 410 ? true : nil }
            let asked: [(path: String, fields: [String])] = [
                ("talk", []), ("talk", [Self.browser]), ("talk+", []), ("talk%2B", []), ("talk/", []), ("talk?x=1", []),
                ("TALK", []), ("t%61lk", []), ("talk.", []), ("none", []), ("gone", []), ("secret", []), ("few", []),
                ("%ff", []), ("talk", ["Host: example.com"]), ("talk", ["Purpose: prefetch"]),
                ("talk", ["Accept: image/png"]),
            ]
            let trace = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            for (path, fields) in asked {
                for method in ["GET", "HEAD"] {
                    var (now, long) = (
                        Web.Reply(try await web.start(method, "/l/" + path, nil, fields).end().out),
                        Web.Reply(try await web.start(method, "/l/" + path, nil, fields + [trace]).end().out)
                    )
                    (now.fields["date"], long.fields["date"]) = (nil, nil)
                    #expect(now.status == long.status && now.body == long.body, "\(method) \(path) \(fields)")
                    #expect(now.fields == long.fields, "\(method) \(path) \(fields)")
                }
            }
            #expect(try await web.stop().exit == 0)
        }
    }

    @Test func `requests that are sent together are answered in their order, at once or not`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            _ = try await web.ask("POST", "/links", #"{"url":"https://example.com/","owner":"ann","alias":"talk"}"#)
            let socket = try RawSocket(port: web.port)
            let paths = [
                "/l/talk", "/healthz", "/l/talk", "/l/none", "/views/links.resolve?code=talk", "/l/talk", "/l/talk",
            ]
            let requests = paths.enumerated().map { number, path in
                let last = number == paths.count - 1 ? "Connection: close\r\n" : ""
                return "\(number == 3 ? "HEAD" : "GET") \(path) HTTP/1.1\r\nHost: localhost\r\n\(last)\r\n"
            }
            #expect(socket.write(requests.joined()))
            let answers = socket.read()
            let statuses = answers.matches(of: #/HTTP\/1\.1 (\d+)/#).map { String($0.1) }
            #expect(statuses == ["302", "200", "302", "404", "200", "302", "302"], "\(answers)")
            #expect(
                answers.matches(of: #/(?i)\r\ndate: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT\r\n/#).count
                    == 7)
            #expect(try await web.stop().exit == 0)
        }
    }

    @Test func `of many who want an alias one gets it, and a password is in no record`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let asking = try (0..<8).map { number in
                try web.start(
                    "POST", "/links",
                    Array(
                        #"{"url":"https://example.com/","owner":"p\#(number)","alias":"talk","password":"tea-and-toast"}"#
                            .utf8))
            }
            var statuses: [Int] = []
            for one in asking { statuses.append(Web.Reply(try await one.end().out).status) }
            #expect(statuses.sorted() == [201] + Array(repeating: 409, count: 7), "\(statuses)")
            let page = try await web.get("/l/Talk", Self.browser)
            #expect(page.status == 200 && page.body.contains("type=\"password\""), "\(page)")
            let own = "Origin: \(web.base)"
            let form = "Content-Type: application/x-www-form-urlencoded"
            #expect(try await web.ask("POST", "/l/talk", "password=x", form, own).status == 403)
            let entered = try await web.ask("POST", "/l/talk", "password=tea-and-toast", form, own)
            #expect(entered.status == 303 && entered.fields["location"] == "https://example.com/", "\(entered)")
            for topic in ["links.commands", "links.events"] {
                let records = try await bus.replay(topic)
                #expect(!records.isEmpty && !"\(records)".contains("tea-and-toast"))
            }
        }
    }
}
