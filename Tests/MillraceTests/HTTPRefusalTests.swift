import EventModel
import Foundation
import MillraceBus
import TestSupport
import Testing

@testable import Domains
@testable import MillraceApp

@Suite("What HTTP refuses", .serialized, .timeLimit(.minutes(10)))
struct HTTPRefusalTests {
    /// Commands that domains ask at random, the same each time: most meet others' and many are refused.
    private static func commands(of domain: Domain, _ count: Int) -> [String] {
        guard let demonstration = domain.demonstration, let decider = domain.decider else { return [] }
        let requests = (0..<count).map {
            demonstration.request($0, in: KeySpace(), seed: 7, at: Timestamp(1_900_000_000_000))
        }
        return requests.enumerated().compactMap { number, request in
            guard decider.commands.kind(named: request.kind) != nil else { return nil }
            let rest = request.json.dropFirst().drop { $0 == " " }
            let comma = rest.hasPrefix("}") ? "" : ","
            return
                #"{"@command":"\#(domain.name).\#(request.kind)","@id":"c\#(number)","@time":"2026-11-01T20:00:00Z"\#(comma)\#(rest)"#
        }
    }

    @Test func `every refusal of every domain is the one that send has`() async throws {
        let lines = Domains.all.flatMap { domain in
            Self.commands(of: domain, 250).map { $0.replacing("\"@id\":\"c", with: "\"@id\":\"\(domain.name)-") }
        }
        #expect(lines.count > 300)
        let byHTTP = try await outcomes { bus in
            let web = try await bus.web("serve")
            // Without reactors, which would come between here and there at different moments.
            _ = try await bus.work("handler")
            return try await web.ask(
                "POST", "/commands?wait=60s&on-error=skip", lines.joined(separator: "\n"),
                "Content-Type: application/x-ndjson"
            ).lines
        }
        let bySend = try await outcomes { bus in
            _ = try await bus.work("handler")
            let file = try bus.file("commands.ndjson", lines.joined(separator: "\n"))
            let ended = try await bus.run(
                "send", "--file", file, "--on-error", "skip", "--timeout", "60s", within: .seconds(300))
            return try ended.lines.map { try JSON($0) }
        }
        func told(_ outcome: JSON) -> [JSON] { ["id", "outcome", "reason", "message"].map { outcome[$0] } }
        let decided = byHTTP.filter { $0["outcome"] != .null }
        #expect(decided.map(told) == bySend.map(told))
        let refused = decided.filter { $0["outcome"] == "refused" }
        #expect(refused.count > 50 && Set(refused.map { $0["reason"] }).count > 4, "\(refused.count)")
    }

    private func outcomes(_ body: @Sendable (Bus) async throws -> [JSON]) async throws -> [JSON] {
        nonisolated(unsafe) var all: [JSON] = []
        try await onBus { all = try await body($0) }
        return all
    }

    @Test func `a command that is refused one by one has the words of send`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            for found in Catalogue(domains: Domains.all).commands {
                let name = "\(found.domain.name).\(found.kind.name)"
                for json in ["{}", "{\"nothing\":1}", "[]", "{"] {
                    let sent = try await bus.run("send", name, json)
                    if sent.exit == 0 || sent.exit == 1 { continue }
                    let reply = try await web.send(name, json)
                    #expect(reply.status == 400 && sent.exit == 65, "\(name) \(json): \(reply)\n\(sent)")
                    let detail = reply.json["detail"].string
                    // Over HTTP it has a password, which is looked at first; send takes none.
                    if found.domain.signIn?.takesPassword(found.kind.name) ?? false { continue }
                    #expect(sent.err.contains("millrace: \(detail)\n"), "\(name) \(json): \(reply)\n\(sent)")
                    #expect(!reply.json["field"].string.isEmpty && detail.hasPrefix(reply.json["field"].string))
                }
            }
        }
    }

    @Test(
        arguments: [
            ("GET", "/nothing", nil, "", 404), ("GET", "/views/nothing", nil, "", 404),
            ("POST", "/commands/Nothing", "{}", "", 404), ("POST", "/events/Nothing", "{}", "", 404),
            ("GET", "/topics/nothing", nil, "", 404), ("GET", "/commands", nil, "", 405),
            ("DELETE", "/topics/hits.events", nil, "", 405),
            ("POST", "/commands/PlaceOrder", "{}", "Content-Type: text/plain", 415),
            ("POST", "/commands/PlaceOrder", "{}", "Content-Encoding: br", 415),
            ("GET", "/views/hits.window?site=a&window=1m", nil, "Accept: image/png", 406),
            ("GET", "/views/orders.status", nil, "", 400), ("GET", "/views/hits.window?site=a&nothing=1", nil, "", 400),
            ("GET", "/views/hits.window?site=a&limit=0", nil, "", 400),
            ("GET", "/views/hits.window?site=a&cursor=x", nil, "", 400),
            ("GET", "/views/hits.window?site=a&after=x", nil, "", 400),
            ("GET", "/views/hits.window?site=a&after=hits.events/0@99&wait=100ms", nil, "", 400),
            ("GET", "/views/hits.window?site=a&as-of=x", nil, "", 400),
            ("GET", "/topics/hits.events?from=x", nil, "", 400),
            ("GET", "/topics/hits.events?type=Nothing", nil, "", 400),
            ("GET", "/topics/hits.events?partition=99", nil, "", 400),
            ("GET", "/topics/hits.events?follow=true&to=3", nil, "", 400), ("GET", "/a%zz", nil, "", 400),
            ("POST", "/commands/PlaceOrder", "{}", "Idempotency-Key: a:b", 400),
            ("POST", "/commands/PlaceOrder", #"{"order":"e1","customer":"a"}"#, "Idempotency-Key: é", 400),
            ("POST", "/commands/PlaceOrder", #"{"order":"e1","customer":"a"}"#, "Idempotency-Key: \u{fffd}", 400),
            ("POST", "/commands/PlaceOrder?wait=9h", "{}", "", 400),
            ("POST", "/commands/PlaceOrder", #"{"order":"a","order":"a","customer":"a"}"#, "", 400),
            ("POST", "/api/users/ann/tweets", #"{"text":"a","text":"b"}"#, "Content-Type: application/json", 400),
            ("GET", "/healthz", nil, "Host: evil.example", 421),
            ("POST", "/quarantine/redrive", nil, "Origin: https://evil.example", 403),
            ("GET", "/quarantine/nothing", nil, "", 404),
        ] as [(String, String, String?, String, Int)])
    func `is told in one way, with its status`(
        _ method: String, _ path: String, _ body: String?, _ field: String, _ status: Int
    ) async throws {
        let reply = try await Shared.web { try await $0.ask(method, path, body, field.isEmpty ? "X-Test: 1" : field) }
        #expect(reply.status == status, "\(reply)")
        #expect(reply.fields["content-type"] == "application/problem+json")
        #expect(reply.json["status"].int == status && !reply.json["detail"].string.isEmpty, "\(reply)")
        if status == 405 { #expect(reply.fields["allow"]?.contains("OPTIONS") == true) }
    }

    @Test(arguments: [
        ("/views/hits.window?site=a&after=x", "after"), ("/views/hits.window?site=a&as-of=x", "as-of"),
        ("/views/hits.window?site=a&window=x", "window"), ("/views/hits.window?site=a&limit=x", "limit"),
        ("/topics/hits.events?from=x", "from"), ("/topics/hits.events?to=x", "to"),
        ("/topics/hits.events?type=x", "type"), ("/topics/hits.events?partition=x", "partition"),
        ("/topics/hits.events?from=7&to=3", "from"), ("/topics/hits.events?from=@-1h&to=@-2h", "from"),
    ])
    func `names the parameter that is at fault`(_ path: String, _ field: String) async throws {
        let reply = try await Shared.web { try await $0.get(path) }
        #expect(reply.status == 400 && reply.json["field"].string == field, "\(reply)")
    }

    @Test func `an origin that is none of a page is refused at the start, not waited for in vain`() async throws {
        for origin in [
            "*", "https://a.example", "http://localhost:3000", "http://[::1]:8080", "https://a.example:80",
            "https://a.example:8443", "http://localhost", "chrome-extension://ab_c",
        ] {
            #expect(HTTPOptions.isOrigin(origin), "\(origin)")
        }
        for none in [
            "", "a.example", "https://", "://a", "https://a.example/", "https://A.example", "https://a.example:443",
            "http://a.example:80", "https://a.example/x", "https://u@a.example", "https://a.example, https://b.example",
            "foo", "null",
        ] {
            #expect(!HTTPOptions.isOrigin(none), "\(none)")
        }
        try await onBus { bus in
            let refused = try await bus.run("serve", "--http", "127.0.0.1:0", "--cors-origin", "https://a.example/")
            #expect(
                refused.exit == 64 && refused.err.contains("--cors-origin https://a.example/ is none"), "\(refused)")
            _ = try await bus.web("serve", "--cors-origin", "*", "--cors-origin", "http://[::1]:8080")
        }
    }

    @Test func `what is asked is the same with HEAD, and OPTIONS says what may be`() async throws {
        try await onBus { bus in
            let web = try await bus.web("serve", "--cors-origin", "https://a.example")
            let head = try await web.ask("HEAD", "/views")
            #expect(head.status == 200 && head.body.isEmpty && head.fields["content-length"] != "0", "\(head)")
            #expect(head.fields["connection"] == nil, "\(head)")
            // Nothing comes behind an answer of which no length is told.
            let stream = try await web.ask("HEAD", "/topics/hits.events?follow=true")
            #expect(stream.status == 200 && stream.fields["connection"] == "close", "\(stream)")
            let options = try await web.ask("OPTIONS", "/commands/PlaceOrder")
            #expect(options.status == 204 && options.fields["allow"] == "POST, OPTIONS", "\(options)")
            #expect(options.fields["access-control-allow-origin"] == nil)
            let allowed = try await web.ask("OPTIONS", "/commands/PlaceOrder", nil, "Origin: https://a.example")
            #expect(allowed.fields["access-control-allow-origin"] == "https://a.example", "\(allowed)")
            let headers = allowed.fields["access-control-allow-headers"]?.split(separator: ", ").map(String.init) ?? []
            #expect(Set(["Idempotency-Key", "traceparent", "tracestate"]).isSubset(of: headers), "\(headers)")
            let other = try await web.ask("GET", "/views", nil, "Origin: https://b.example")
            #expect(other.status == 200 && other.fields["access-control-allow-origin"] == nil)
            for name in ["x-content-type-options", "content-security-policy", "referrer-policy", "x-frame-options"] {
                #expect(other.fields[name] != nil, "\(name)")
            }
        }
    }

    @Test func `a body, a header and a path over their limits are refused, and cost nobody else anything`() async throws
    {
        try await onBus { bus in
            let web = try await bus.web("serve")
            let large = try await web.ask(
                "POST", "/commands/PlaceOrder", #"{"order":"\#(String(repeating: "a", count: 7_000_000))"}"#)
            #expect(large.status == 413, "\(large)")
            #expect(try await web.get("/" + String(repeating: "a", count: 20_000)).status == 414)
            let header = try await web.get("/views", "X-Long: \(String(repeating: "a", count: 40_000))")
            #expect(header.status == 431, "\(header)")
            let nonsense = try RawSocket(port: web.port)
            nonsense.write("nonsense\r\n\r\n")
            #expect(nonsense.read().hasPrefix("HTTP/1.1 400"))
        }
    }

    @Test(arguments: ["gzip, chunked", "gzip,chunked", "GZip, Chunked", "deflate, gzip, chunked"])
    func `a body that is packed below its chunks is not read as if it were not`(_ codings: String) async throws {
        try await onBus { bus in
            let web = try await bus.web("serve")
            let socket = try RawSocket(port: web.port)
            let body = #"{"order":"o1","customer":"ann"}"#
            let chunks = "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
            func send(_ codings: String, to path: String) -> String {
                """
                POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r
                Transfer-Encoding: \(codings)\r\n\r\n\(chunks)
                """
            }
            socket.write(send(codings, to: "/commands/PlaceOrder"))
            let reply = socket.read()
            #expect(reply.hasPrefix("HTTP/1.1 501 Not Implemented\r\n"), "\(reply)")
            let coding = codings.split(separator: ",")[0]
            #expect(reply.contains("Transfer-Encoding has \(coding);") && reply.contains("application/problem+json"))
            #expect(reply.lowercased().contains("connection: close"), "\(reply)")
            try await eventually("the connection's end") { socket.isLeft ? true : nil }
            // Chunks alone are read, in whatever case they are said: there is no such command.
            let plain = try RawSocket(port: web.port)
            plain.write(send("Chunked", to: "/commands/Nothing"))
            #expect(plain.readAnswer().hasPrefix("HTTP/1.1 404"))
        }
    }

    @Test func `an address that asks too often is told when to come again`() async throws {
        try await onBus { bus in
            let web = try await bus.web("serve", "--http-rate", "1")
            var replies: [Web.Reply] = []
            for _ in 0..<4 { replies.append(try await web.get("/healthz")) }
            let refused = try #require(replies.first { $0.status == 429 }, "\(replies)")
            #expect(refused.fields["retry-after"] == "1" && replies[0].status == 200)
        }
    }

    @Test func `an address that others reach, or that is taken, is refused and named`() async throws {
        try await onBus { bus in
            let open = try await bus.run("serve", "--http", "0.0.0.0:0")
            #expect(open.exit == 64 && open.err.contains("0.0.0.0:0") && open.err.contains("--insecure"), "\(open)")
            let web = try await bus.web("serve")
            let taken = try await bus.run("serve", "--http", "127.0.0.1:\(web.port)")
            #expect(taken.exit == 69 && taken.err.contains("127.0.0.1:\(web.port) is taken"), "\(taken)")
            // Nothing else is said to be wrong.
            #expect(!taken.err.contains("closed sessions"), "\(taken)")
            let up = try await bus.run("up", "--http", "127.0.0.1:\(web.port)")
            #expect(up.exit == 69 && up.err.contains("127.0.0.1:\(web.port) is taken"), "\(up)")
        }
    }

    @Test func `up goes on without HTTP where its usual port is taken`() async throws {
        try await onBus { one in
            try await onBus { two in
                let both = try [one, two].map { try $0.start(["up"], environment: ["MILLRACE_HTTP": ""]) }
                for up in both {
                    try await eventually("\(up.err)") { up.err.contains("millrace: the log is") ? true : nil }
                }
                let told = "nothing is served over HTTP: 127.0.0.1:8080 is taken"
                try await eventually("one to be told") { both.contains { $0.err.contains(told) } ? true : nil }
                for up in both { #expect(try await up.stop().exit == 0, "\(up.err)") }
            }
        }
    }

    @Test func `what is logged of a request has neither its body nor its query`() async throws {
        try await onBus { bus in
            let web = try await bus.web("serve", "--access-log", "--log-format", "json")
            _ = try await web.get("/views/hits.window?site=secret-one&window=1m", "Authorization: Bearer secret-two")
            _ = try await web.send("PlaceOrder", #"{"order":"secret-three","customer":""}"#)
            let lines = try await eventually("two lines: \(web.process.err)") {
                let lines = web.process.err.split(separator: "\n").filter { $0.contains("\"request\"") }
                return lines.count >= 2 ? lines : nil
            }
            let first = try JSON(String(lines[0]))["fields"]
            #expect(
                first["path"] == "/views/hits.window" && first["status"] == "200" && first["method"] == "GET",
                "\(first)")
            #expect(!web.process.err.contains("secret"))
        }
    }
}

/// One gateway for tests that ask little of it.
private enum Shared {
    static func web(_ ask: @Sendable (Web) async throws -> Web.Reply) async throws -> Web.Reply {
        nonisolated(unsafe) var reply: Web.Reply?
        try await onBus { bus in reply = try await ask(try await bus.web("serve")) }
        return try #require(reply)
    }
}
