import EventModel
import Foundation
import TestSupport
import Testing

@testable import Domains

/// A gateway with keys, and tokens of them.
private struct Guarded: Sendable {
    let bus: Bus
    let web: Web
    let keys: String

    static func start(_ bus: Bus, _ command: String = "up", _ more: String...) async throws -> Guarded {
        let keys = "\(bus.folder)/keys.json"
        let made = try await bus.plain(["token", "keys", keys])
        #expect(made.exit == 0, "\(made)")
        let process = try bus.start([command, "--http", "127.0.0.1:0", "--token-keys", keys] + more)
        let port = try await eventually("\(process.name) to serve: \(process.err)") {
            process.err.firstMatch(of: #/serving http://127\.0\.0\.1:(\d+)/#).flatMap { Int($0.1) }
        }
        return Guarded(bus: bus, web: Web(bus: bus, process: process, port: port), keys: keys)
    }

    func token(_ subject: String, _ scopes: String..., life: String = "1h") async throws -> String {
        let scopes = scopes.flatMap { ["--scope", $0] }
        let made = try await bus.plain(
            ["token", "--token-keys", keys, "--subject", subject, "--ttl", life] + scopes)
        #expect(made.exit == 0, "\(made)")
        return made.out.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func field(_ subject: String, _ scopes: String) async throws -> String {
        "Authorization: Bearer \(try await token(subject, scopes))"
    }
}

@Suite("Who may do what over HTTP", .serialized, .timeLimit(.minutes(10)))
struct HTTPTokenTests {
    @Test func `nobody is let in without a token, and everybody sees that the process is there`() async throws {
        try await onBus { bus in
            let guarded = try await Guarded.start(bus, "serve")
            let web = guarded.web
            for path in ["/", "/events", "/views", "/topics", "/workers", "/quarantine", "/metrics", "/session"] {
                let none = try await web.get(path)
                #expect(
                    none.status == 401 && none.fields["www-authenticate"] == #"Bearer realm="millrace""#,
                    "\(path) \(none)")
                #expect(none.fields["content-type"] == "application/problem+json")
            }
            for path in ["/healthz", "/readyz", "/openapi.json", "/asyncapi.json"] {
                #expect(try await web.get(path, "Authorization: Bearer nonsense").status == 200, "\(path)")
            }
            let token = try await guarded.token("ann", "tickets:query")
            for wrong in ["nonsense", token.replacing(".", with: ","), token + "x", "\(token.dropLast(8))AAAAAAAA"] {
                let refused = try await web.get("/views", "Authorization: Bearer \(wrong)")
                #expect(refused.status == 401, "\(refused)")
                #expect(refused.fields["www-authenticate"]?.contains(#"error="invalid_token""#) == true, "\(refused)")
            }
            let twice = try await web.get("/views", "Authorization: Bearer \(token)", "Authorization: Bearer \(token)")
            #expect(twice.status == 400 && twice.fields["www-authenticate"]?.contains("invalid_request") == true)
            #expect(try await web.get("/views", "Authorization: Basic YTpi").status == 401)
            // A token is never a part of an address.
            #expect(try await web.get("/views?access_token=\(token)").status == 401)
        }
    }

    @Test func `only who acts for others says when a command was meant`() async throws {
        try await onBus { bus in
            let guarded = try await Guarded.start(bus)
            let line = #"{"@time":"2026-11-01T00:00:00Z","@id":"t1","order":"o1"}"#
            let path = "/commands?command=PlaceOrder"
            let lines = "Content-Type: application/x-ndjson"
            let ann = try await guarded.field("ann", "orders:send")
            let refused = try await guarded.web.ask("POST", path, line, lines, ann)
            #expect(refused.json["status"].int == 403 && refused.json["field"].string == "@time", "\(refused)")
            let shop = try await guarded.field("ann", "orders:send orders:act-for-others")
            let accepted = try await guarded.web.ask("POST", path, line, lines, shop)
            #expect(accepted.json["outcome"].string == "accepted", "\(accepted)")
        }
    }

    @Test func `a scope in a domain is none in another, and what lacks is named`() async throws {
        try await onBus { bus in
            let guarded = try await Guarded.start(bus)
            let web = guarded.web
            let ann = try await guarded.field("ann", "tickets:query orders:send")
            #expect(try await web.get("/views/tickets.calendar", ann).status == 200)
            for (method, path, body, scope) in [
                ("GET", "/views/orders.status?order=o1", nil, "orders:query"),
                ("POST", "/commands/PostTweet", #"{"text":"x"}"#, "social:send"),
                ("POST", "/events/Hit", "{}", "hits:produce"), ("GET", "/topics/orders.events", nil, "orders:replay"),
                ("GET", "/topics/millrace.quarantine", nil, "*:replay"), ("GET", "/workers", nil, "*:operate"),
                ("GET", "/quarantine", nil, "*:operate"), ("POST", "/quarantine/redrive", nil, "*:operate"),
                ("POST", "/quarantine/orders.handler/drop?key=a", nil, "*:operate"),
                ("GET", "/metrics", nil, "*:operate"),
            ] as [(String, String, String?, String)] {
                let refused = try await web.ask(method, path, body, ann)
                #expect(refused.status == 403, "\(path) \(refused)")
                let challenge = refused.fields["www-authenticate"] ?? ""
                #expect(challenge.contains(#"error="insufficient_scope", scope="\#(scope)""#), "\(path) \(challenge)")
                #expect(refused.json["detail"].string.hasPrefix("ann may not"))
            }
            // What is listed is what may be asked.
            let views = try await web.get("/views", ann).json["queries"].array.map { $0["query"].string }
            #expect(!views.isEmpty && views.allSatisfy { $0.hasPrefix("tickets.") }, "\(views)")
            #expect(try await web.get("/topics", ann).json["topics"].array.isEmpty)
            let lines = try await web.ask(
                "POST", "/commands?on-error=skip&wait=40s",
                #"{"@command":"PlaceOrder","order":"o1"}"# + "\n" + #"{"@command":"PostTweet","text":"x"}"#,
                "Content-Type: application/x-ndjson", ann)
            #expect(lines.lines.map { $0["status"].int } == [-1, 403], "\(lines)")
            let all = try await guarded.field("ann", "*:query,*:operate")
            #expect(try await web.get("/views/orders.status?order=o1", all).status == 200)
            #expect(try await web.get("/workers", all).status == 200)
        }
    }

    @Test func `who acts is the token's subject, and nobody acts for another`() async throws {
        try await onBus { bus in
            let guarded = try await Guarded.start(bus)
            let web = guarded.web
            let ann = try await guarded.field("ann", "*:send *:produce *:query")
            let filled = try await web.ask("POST", "/commands/PlaceOrder?wait=40s", #"{"order":"o1"}"#, ann)
            #expect(filled.status == 200, "\(filled)")
            let place = "orders.events/\(filled.json["events"][0]["partition"].int)@0"
            let row = try await web.get("/views/orders.status?order=o1&after=\(place)", ann).json["rows"][0]
            #expect(row["customer"] == "ann", "\(row)")
            let same = try await web.ask(
                "POST", "/commands/PlaceOrder?wait=40s", #"{"order":"o2","customer":"ann"}"#, ann)
            #expect(same.status == 200, "\(same)")
            for body in [
                #"{"order":"o3","customer":"ben"}"#, #"{"order":"o3","customer":"Ann"}"#,
                #"{"order":"o3","customer":"ann "}"#, #"{"order":"o3","customer":"a\u006en\u0301"}"#,
            ] {
                let other = try await web.ask("POST", "/commands/PlaceOrder", body, ann)
                #expect(other.status == 403 && other.json["field"] == "customer", "\(other)")
                #expect(other.fields["www-authenticate"]?.contains(#"scope="orders:act-for-others""#) == true)
            }
            // However JSON may say it twice, the command that is sent is the one that was looked at.
            for body in [
                #"{"user":"ann","user":"ben","text":"x"}"#, #"{"us\u0065r":"ben","text":"x"}"#,
                #"{"user":null,"user":"ben","text":"x"}"#,
            ] {
                #expect(
                    [400, 403].contains(try await web.ask("POST", "/commands/PostTweet", body, ann).status), "\(body)")
            }
            let events = try await web.ask(
                "POST", "/events/TweetPosted?on-error=skip&wait=40s",
                #"{"tweet":"t1","text":"x"}"# + "\n" + #"{"user":"ben","tweet":"t2","text":"x"}"#,
                "Content-Type: application/x-ndjson", ann)
            #expect(events.json["produced"].int == 1 && events.json["bad"].int == 1, "\(events)")
            #expect(events.json["problems"][0]["status"].int == 403 && events.json["problems"][0]["line"].int == 2)
            let driver = try await web.ask(
                "POST", "/events/DriverLocation", #"{"driver":"ben","lat":1,"lng":1}"#,
                "Content-Type: application/x-ndjson", ann)
            #expect(driver.status == 403 && driver.json["line"].int == 1, "\(driver)")
            // A program that sends for many.
            let shop = try await guarded.field("shop", "orders:send orders:act-for-others")
            let forOthers = try await web.ask(
                "POST", "/commands/PlaceOrder?wait=40s", #"{"order":"o4","customer":"ben"}"#, shop)
            #expect(forOthers.status == 200, "\(forOthers)")
            #expect(try await bus.count("social.commands") == 1)
        }
    }

    @Test func `a browser keeps a token in a cookie, and no other page can use it`() async throws {
        try await onBus { bus in
            let guarded = try await Guarded.start(bus, "serve", "--cors-origin", "https://a.example")
            let web = guarded.web
            let own = "Origin: \(web.base)"
            let token = try await guarded.token("ann", "*:query", "*:replay", "*:operate")
            let wrong = try await web.ask("POST", "/session", #"{"token":"x"}"#, own)
            #expect(wrong.status == 401 && wrong.fields["set-cookie"] == nil, "\(wrong)")
            for origin in ["https://a.example", "https://evil.example", "null"] {
                let other = try await web.ask("POST", "/session", #"{"token":"\#(token)"}"#, "Origin: \(origin)")
                #expect(other.status == 403 && other.fields["set-cookie"] == nil, "\(other)")
                #expect(try await web.ask("DELETE", "/session", nil, "Origin: \(origin)").status == 403)
            }
            let set = try await web.ask("POST", "/session", #"{"token":"\#(token)"}"#, own)
            let kept = try #require(set.fields["set-cookie"], "\(set)")
            #expect(set.status == 204 && kept.hasPrefix("millrace-token=\(token); Path=/; Max-Age="), "\(kept)")
            #expect(kept.hasSuffix("; HttpOnly; SameSite=Strict"), "\(kept)")
            let cookie = "Cookie: millrace-token=\(token)"
            let who = try await web.get("/session", cookie).json
            #expect(who["subject"] == "ann" && who["scopes"] == .list(["*:operate", "*:query", "*:replay"]), "\(who)")
            let stream = try await web.get("/topics/hits.events?limit=0", cookie, "Accept: text/event-stream")
            #expect(stream.status == 200, "\(stream)")
            for origin in ["X-None: 1", "Origin: https://a.example", "Origin: null", "Sec-Fetch-Site: cross-site"] {
                let other = try await web.ask("POST", "/quarantine/redrive", nil, cookie, origin)
                #expect(other.status == 403 && other.json["field"] == "Origin", "\(origin) \(other)")
            }
            for origin in [own, "Sec-Fetch-Site: same-origin"] {
                #expect(
                    try await web.ask("POST", "/quarantine/redrive", nil, cookie, origin).status == 200, "\(origin)")
            }
            let two = try await web.get("/views", "\(cookie); millrace-token=x")
            #expect(two.status == 400, "\(two)")
            let gone = try await web.ask("DELETE", "/session", nil, own)
            #expect(gone.status == 204 && gone.fields["set-cookie"]?.contains("Max-Age=0") == true, "\(gone)")
        }
    }

    @Test func `one signs in and out by forms, without a script, and goes on where one was`() async throws {
        try await onBus { bus in
            let guarded = try await Guarded.start(bus, "serve")
            let web = guarded.web
            let (own, form) = ("Origin: \(web.base)", "Content-Type: application/x-www-form-urlencoded")
            let token = try await guarded.token("ann", "*:query", "*:replay", "*:operate")
            let asked = try await web.get("/ui/topics/hits.events?limit=5", "Accept: text/html")
            #expect(asked.status == 401 && asked.body.contains(#"action="/ui/sign-in""#), "\(asked)")
            #expect(asked.body.contains(#"value="/ui/topics/hits.events?limit=5""#), "\(asked)")
            #expect(!asked.body.contains("<noscript"))
            let set = try await web.ask(
                "POST", "/ui/sign-in", "token=\(token)&to=%2Fui%2Ftopics%2Fhits.events%3Flimit%3D5", own, form)
            #expect(set.status == 303 && set.fields["location"] == "/ui/topics/hits.events?limit=5", "\(set)")
            #expect(set.fields["set-cookie"]?.hasPrefix("millrace-token=\(token); Path=/; Max-Age=") == true, "\(set)")
            let wrong = try await web.ask("POST", "/ui/sign-in", "token=x&to=%2Fui", own, form, "Accept: text/html")
            #expect(wrong.status == 401 && wrong.fields["set-cookie"] == nil, "\(wrong)")
            #expect(wrong.body.contains(#"action="/ui/sign-in""#), "\(wrong)")
            // Wherever a form says to go on, it is a page of this gateway.
            for place in [
                "https://evil.example", "//evil.example/ui", "/topics", "/ui/nowhere", "%5C%5Cevil", "", "/ui/sign-out",
            ] {
                let sent = try await web.ask("POST", "/ui/sign-in", "token=\(token)&to=\(place)", own, form)
                #expect(sent.status == 303 && sent.fields["location"] == "/ui", "\(place) \(sent)")
            }
            for origin in ["Origin: https://evil.example", "Origin: null", "X-None: 1"] {
                for path in ["/ui/sign-in", "/ui/sign-out"] {
                    let other = try await web.ask("POST", path, "token=\(token)", origin, form)
                    #expect(other.status == 403 && other.fields["set-cookie"] == nil, "\(origin) \(other)")
                }
            }
            let cookie = "Cookie: millrace-token=\(token)"
            let page = try await web.get("/ui", cookie, "Accept: text/html")
            #expect(page.status == 200 && page.body.contains(#"action="/ui/sign-out""#), "\(page)")
            let gone = try await web.ask("POST", "/ui/sign-out", "", own, form, cookie)
            #expect(gone.status == 303 && gone.fields["location"] == "/ui", "\(gone)")
            #expect(gone.fields["set-cookie"]?.contains("Max-Age=0") == true, "\(gone)")
        }
    }

    @Test func `keys are read again on SIGHUP: one that has gone, and who is denied, are let in no more`() async throws
    {
        try await onBus { bus in
            let guarded = try await Guarded.start(bus, "serve")
            let web = guarded.web
            let first = try await guarded.field("ann", "*:query")
            #expect(try await web.get("/views", first).status == 200)
            let original = try String(contentsOfFile: guarded.keys, encoding: .utf8)
            func reload(_ text: String, until word: String) async throws {
                try text.write(toFile: guarded.keys, atomically: false, encoding: .utf8)
                let said = web.process.err.components(separatedBy: word).count
                kill(web.process.pid, SIGHUP)
                try await eventually("\(word): \(web.process.err)") {
                    web.process.err.components(separatedBy: word).count > said ? true : nil
                }
            }
            try await reload("{", until: "are not taken")
            #expect(try await web.get("/views", first).status == 200)
            try await reload(original, until: "read again")
            let added = try await bus.plain([
                "token", "keys", guarded.keys, "--add", "--kid", "next", "--algorithm", "HS256",
            ])
            #expect(added.exit == 0, "\(added)")
            try await reload(try String(contentsOfFile: guarded.keys, encoding: .utf8), until: "read again")
            let second = try await guarded.field("ben", "*:query")
            #expect(try await web.get("/views", first).status == 200)
            #expect(try await web.get("/views", second).status == 200)
            let following = try web.start(
                "GET", "/topics/hits.events?follow=true", nil,
                [try await guarded.field("ben", "*:replay"), "Accept: text/event-stream"])
            try await eventually("the stream: \(following.out)") {
                following.out.contains("retry:") ? true : nil
            }
            let both = try String(contentsOfFile: guarded.keys, encoding: .utf8)
            try await reload(
                both.replacing("\n]}", with: "\n],\"denied\":{\"subjects\":[\"ben\"]}}"), until: "read again")
            #expect(try await web.get("/views", first).status == 200)
            // What was let in before ends too.
            #expect(try await following.end(within: .seconds(300)).exit == 0)
            let denied = try await web.get("/views", second)
            #expect(denied.status == 401 && denied.json["detail"] == "the token is not taken any more", "\(denied)")
            let ended = try await web.stop()
            #expect(ended.exit == 0)
        }
    }

    @Test func `nothing of a token, a body or a query is in what the gateway logs, whatever goes wrong`() async throws {
        try await onBus { bus in
            let guarded = try await Guarded.start(bus, "serve", "--access-log", "--verbose", "--log-format", "json")
            let web = guarded.web
            let token = try await guarded.token("ann", "*:query", "*:send", "*:produce", "*:replay")
            let field = "Authorization: Bearer \(token)"
            let signature = try #require(token.split(separator: ".").last.map(String.init))
            _ = try await web.get("/views/hits.window?site=secret-one&window=1m", field)
            _ = try await web.get("/views/hits.window?secret-two=1", field)
            _ = try await web.get("/topics/hits.events?key=secret-three", "Cookie: millrace-token=\(token)")
            _ = try await web.get("/topics/hits.events?key=secret-three", "Cookie: millrace-token=secret-four")
            _ = try await web.ask("POST", "/session", #"{"token":"\#(token)"}"#)
            _ = try await web.ask("POST", "/session", #"{"token":"secret-five"}"#)
            _ = try await web.ask("POST", "/commands/PlaceOrder?wait=100ms", #"{"order":"secret-six"}"#, field)
            _ = try await web.ask(
                "POST", "/commands/PlaceOrder", #"{"order":"secret-seven","customer":"secret"}"#, field)
            _ = try await web.ask("POST", "/events/Hit", "secret-eight\n", "Content-Type: application/x-ndjson", field)
            _ = try await web.get("/views", "Authorization: Bearer secret-nine")
            _ = try await web.get("/views", "Authorization: Basic secret-ten", "X-Secret: secret-eleven")
            let lines = try await eventually("eleven lines: \(web.process.err)") {
                let lines = web.process.err.split(separator: "\n").filter { $0.contains("\"request\"") }
                return lines.count >= 11 ? lines : nil
            }
            #expect(try JSON(String(lines[0]))["fields"]["subject"] == "ann", "\(lines[0])")
            #expect(!web.process.err.contains("secret") && !web.process.err.contains(signature), "\(web.process.err)")
            #expect(!web.process.out.contains("secret") && !web.process.out.contains(signature))
        }
    }

    @Test func `a subject that asks too often is told when to come again, and others are not`() async throws {
        try await onBus { bus in
            let guarded = try await Guarded.start(bus, "serve", "--token-rate", "1")
            let (ann, ben) = (try await guarded.field("ann", "*:query"), try await guarded.field("ben", "*:query"))
            let again = try await guarded.field("ann", "*:query")
            var replies: [Web.Reply] = []
            for i in 0..<4 { replies.append(try await guarded.web.get("/views", i % 2 == 0 ? ann : again)) }
            let refused = try #require(replies.first { $0.status == 429 }, "\(replies)")
            #expect(refused.fields["retry-after"] == "1" && refused.json["detail"].string.hasPrefix("ann has made"))
            #expect(try await guarded.web.get("/views", ben).status == 200)
        }
    }

    @Test func `an address that others reach is served where tokens are asked for`() async throws {
        try await onBus { bus in
            let keys = "\(bus.folder)/keys.json"
            #expect(try await bus.plain(["token", "keys", keys]).exit == 0)
            let open = try await bus.run("serve", "--http", "0.0.0.0:0")
            #expect(open.exit == 64 && open.err.contains("--token-keys FILE"), "\(open)")
            let process = try bus.start(["serve", "--http", "0.0.0.0:0", "--token-keys", keys])
            let port = try await eventually("\(process.err)") {
                process.err.firstMatch(of: #/serving http://0\.0\.0\.0:(\d+)/#).flatMap { Int($0.1) }
            }
            let web = Web(bus: bus, process: process, port: port)
            #expect(try await web.get("/views").status == 401)
            #expect(try await web.get("/healthz").status == 200)
            chmod(keys, 0o644)
            let exposed = try await bus.run("serve", "--http", "0.0.0.0:0", "--token-keys", keys)
            #expect(exposed.exit == 78 && exposed.err.contains("chmod 600 \(keys)"), "\(exposed)")
        }
    }
}

@Suite("millrace token", .timeLimit(.minutes(10)))
struct TokenCommandTests {
    @Test func `makes keys for its owner alone, and tokens that others' eyes can check`() async throws {
        try await onBus { bus in
            let keys = "\(bus.folder)/keys.json"
            #expect(try await bus.plain(["token", "keys", keys, "--kid", "a"]).exit == 0)
            #expect(try FileManager.default.attributesOfItem(atPath: keys)[.posixPermissions] as? Int == 0o600)
            let again = try await bus.plain(["token", "keys", keys])
            #expect(again.exit == 73 && again.err.contains("--add"), "\(again)")
            let same = try await bus.plain(["token", "keys", keys, "--add", "--kid", "a"])
            #expect(same.exit == 64 && same.err.contains("named a"), "\(same)")
            let added = try await bus.plain(["token", "keys", keys, "--add", "--kid", "b", "--algorithm", "HS256"])
            #expect(added.exit == 0, "\(added)")
            let shown = try await bus.plain(["token", "keys", keys, "--public"])
            let open = try JSON(shown.out)["keys"]
            #expect(open.array.count == 1 && open[0]["kid"] == "a" && open[0]["d"] == .null && open[0]["k"] == .null)
            for (kid, expected) in [("a", "a"), ("b", "b"), (nil, "b")] {
                let made = try await bus.plain(
                    ["token", "--token-keys", keys, "--subject", "ann", "--scope", "tickets:send"]
                        + (kid.map { ["--kid", $0] } ?? []))
                let token = made.out.trimmingCharacters(in: .whitespacesAndNewlines)
                let file = try bus.file("token", token)
                let header = try #require(token.split(separator: ".").first)
                let padded = header + String(repeating: "=", count: (4 - header.count % 4) % 4)
                let decoded = try #require(
                    Data(base64Encoded: String(padded)).map { String(decoding: $0, as: UTF8.self) })
                #expect(try JSON(decoded)["kid"].string == expected, "\(decoded)")
                let checked = try await bus.sh("\(Bus.program) token check --token-keys \(keys) < \(file)")
                #expect(try JSON(checked.out)["subject"] == "ann", "\(checked)")
                let wrong = try await bus.sh("echo x | \(Bus.program) token check --token-keys \(keys)")
                #expect(wrong.exit == 1 && wrong.err.contains("no token of three parts"), "\(wrong)")
            }
        }
    }

    @Test(arguments: [
        (["--scope", "tickets:sned"], "did you mean send"), (["--scope", "tickts:send"], "did you mean tickets"),
        (["--scope", "links:operate"], "write *:operate"), (["--scope", "send"], "is not DOMAIN:WORD"),
        (["--ttl", "0s"], "--ttl 0s"), (["--ttl", "400d"], "--ttl 400d"),
        (["--ttl", "soon"], "--ttl soon"), (["--kid", "none"], "there is no key none"),
        (["--subject", ""], "subject: is missing"),
    ])
    func `says what is wrong with what it is asked`(_ arguments: [String], _ words: String) async throws {
        try await onBus { bus in
            let keys = "\(bus.folder)/keys.json"
            #expect(try await bus.plain(["token", "keys", keys]).exit == 0)
            let subject = arguments.contains("--subject") ? [] : ["--subject", "ann"]
            let refused = try await bus.plain(["token", "--token-keys", keys] + subject + arguments)
            #expect(refused.exit == 64 && refused.err.contains(words) && refused.out.isEmpty, "\(refused)")
        }
    }
}
