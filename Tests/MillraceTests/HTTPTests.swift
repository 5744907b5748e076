import EventModel
import Foundation
import TestSupport
import Testing

@testable import Domains

@Suite("Over HTTP", .serialized, .timeLimit(.minutes(10)))
struct HTTPTests {
    private static let order = #"{"order":"o1","customer":"ann"}"#

    @Test func `a command is decided, seen by a query after it, and read again`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let sent = try await web.send("PlaceOrder", Self.order, id: "a")
            #expect(sent.status == 200 && sent.json["outcome"] == "accepted", "\(sent)")
            #expect(sent.json["id"] == "a" && sent.fields["idempotency-key"] == "a")
            let event = sent.json["events"][0]
            let place = "\(event["topic"].string)/\(event["partition"].int)@\(event["offset"].int)"
            let asked = try await web.get("/views/orders.status?order=o1&after=\(place)")
            #expect(asked.status == 200 && asked.json["rows"].array.count == 1, "\(asked)")
            #expect(try asked.json == (await bus.query("orders.status", "--order", "o1")))
            let read = try await web.get("/topics/orders.events?type=OrderStatusChanged")
            #expect(read.lines == (try await bus.replay("orders.events", "--type", "OrderStatusChanged")), "\(read)")
            #expect(try await web.stop().exit == 0)
        }
    }

    @Test func `the same id again gives the same outcome and does nothing`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let first = try await web.send("PlaceOrder", Self.order, id: "a")
            let again = try await web.send("PlaceOrder", Self.order, id: "\"a\"")
            #expect(first.body == again.body && again.status == 200, "\(again)")
            let other = try await web.send("PlaceOrder", #"{"order":"o1","customer":"ben"}"#)
            #expect(other.status == 409 && other.fields["content-type"] == "application/problem+json", "\(other)")
            #expect(other.json["reason"] == "order-exists" && other.json["detail"] == other.json["message"])
            #expect(try await bus.count("orders.events") == 1)
        }
    }

    @Test func `without a handler it is told to come again, and the same id gives the outcome then`() async throws {
        try await onBus { bus in
            let web = try await bus.web("serve")
            let none = try await web.send("PlaceOrder", Self.order, id: "a", wait: "200ms")
            #expect(none.status == 503 && none.fields["retry-after"] != nil && none.json["id"] == "a", "\(none)")
            let detail = none.json["detail"].string
            #expect(detail.hasPrefix("no handler answered command a within 200ms"))
            #expect(detail.contains("as Idempotency-Key") && !detail.contains("--id"), "words of HTTP: \(detail)")
            _ = try await bus.work("handler")
            let then = try await web.send("PlaceOrder", Self.order, id: "a")
            #expect(then.status == 200, "\(then)")
            #expect(try await bus.count("orders.events") == 1)
        }
    }

    @Test func `a kill between a command and its outcome loses and doubles nothing`() async throws {
        try await onBus { bus in
            let web = try await bus.web("serve")
            let asking = try (0..<5).map { number in
                try web.start(
                    "POST", "/commands/PlaceOrder?wait=60s",
                    Array(#"{"order":"o\#(number)","customer":"ann"}"#.utf8), ["Idempotency-Key: k\(number)"])
            }
            try await eventually("the commands to be on the log") {
                try await bus.count("orders.commands") == 5 ? true : nil
            }
            try await web.process.crash()
            for one in asking { #expect(try await one.end().exit != 0) }
            let next = try await bus.web("up")
            for number in 0..<5 {
                let reply = try await next.send(
                    "PlaceOrder", #"{"order":"o\#(number)","customer":"ann"}"#, id: "k\(number)")
                #expect(reply.status == 200 && reply.json["events"].array.count == 1, "\(reply)")
            }
            #expect(try await bus.count("orders.events") == 5)
        }
    }

    @Test func `commands of lines have outcomes in order, and a bad line says which it is`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let lines = (0..<1200).map {
                #"{"@command":"PlaceOrder","@id":"o-\#($0)","order":"o\#($0 % 400)","customer":"ann"}"#
            }
            let all = try await web.ask(
                "POST", "/commands?wait=40s", lines.joined(separator: "\n"), "Content-Type: application/x-ndjson")
            #expect(all.lines.map { $0["id"].string } == (0..<1200).map { "o-\($0)" }, "\(all)")
            #expect(all.fields["content-type"] == "application/x-ndjson")
            let file = try bus.file("again.ndjson", lines.joined(separator: "\n"))
            let sent = try await bus.run("send", "--file", file, "--timeout", "40s")
            #expect(sent.out == all.body)
            let bad = try await web.ask(
                "POST", "/commands?command=PlaceOrder&wait=40s",
                "{\"@id\":\"x\",\"order\":\"x\",\"customer\":\"a\"}\n\n{\"order\":\"\"}\n{\"order\":\"y\",\"customer\":\"a\"}\n",
                "Content-Type: application/x-ndjson")
            #expect(bad.lines.count == 2 && bad.lines[0]["id"] == "x", "\(bad)")
            #expect(
                bad.lines[1]["line"].int == 3 && bad.lines[1]["field"] == "order" && bad.lines[1]["status"].int == 400)
            let skipped = try await web.ask(
                "POST", "/commands?command=PlaceOrder&wait=40s&on-error=skip",
                "{\n{\"order\":\"z\",\"customer\":\"a\"}\n",
                "Content-Type: application/x-ndjson")
            #expect(skipped.lines.map { $0["status"].int } == [400, -1] && skipped.lines[1]["outcome"] == "accepted")
        }
    }

    @Test func `events of lines are counted as produce counts them, also packed`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let hits = (0..<3000).map { #"{"site":"home","path":"/\#($0)"}"# }.joined(separator: "\n")
            let plain = try await web.ask("POST", "/events/Hit", hits, "Content-Type: application/x-ndjson")
            #expect(plain.status == 200 && plain.json["produced"].int == 3000 && plain.json["bad"].int == 0, "\(plain)")
            let file = try bus.file("hits.ndjson", hits)
            #expect(try await bus.sh("gzip -k \(file)").exit == 0)
            let curl = ["-H", "Content-Type: application/x-ndjson", "-H", "Content-Encoding: gzip", "--data-binary"]
            let packed = try await bus.plain(
                ["-s", "-i"] + curl + ["@\(file).gz", web.base + "/events/Hit"], program: "/usr/bin/curl")
            #expect(Web.Reply(packed.out).json["produced"].int == 3000, "\(packed)")
            #expect(try await bus.count("hits.events") == 6000)
            let bad = try await web.ask(
                "POST", "/events/Hit", "{\"site\":\"a\",\"path\":\"/\"}\n{\"site\":1}\n",
                "Content-Type: application/x-ndjson")
            #expect(bad.status == 400 && bad.json["line"].int == 2 && bad.json["field"] == "site", "\(bad)")
            #expect(bad.json["produced"].int == 1)
            let skipped = try await web.ask(
                "POST", "/events/Hit?on-error=skip", "{\"site\":1}\n{\"site\":\"a\",\"path\":\"/\"}\n",
                "Content-Type: application/x-ndjson")
            #expect(skipped.status == 200 && skipped.json["bad"].int == 1 && skipped.json["problems"].array.count == 1)
            let fact = #"{"order":"o1","customer":"ann","status":"received","expectedAt":"2027-01-01T00:00:00Z"}"#
            let first = try await web.ask(
                "POST", "/events/OrderStatusChanged?wait=40s", fact, "Content-Type: application/x-ndjson")
            #expect(first.status == 200 && first.json["produced"].int == 1, "\(first)")
            let other = try await web.ask(
                "POST", "/events/OrderStatusChanged?wait=40s", fact.replacing("ann", with: "ben"),
                "Content-Type: application/x-ndjson")
            #expect(
                other.status == 409 && !other.json["reason"].string.isEmpty && other.json["line"].int == 1, "\(other)")
        }
    }

    @Test func `a view has pages, a tag and other shapes`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            try await bus.list(seats: 5)
            let path = "/views/tickets.seats?event=e1"
            let all = try await web.get(path)
            #expect(all.status == 200 && all.json["rows"].array.count == 5, "\(all)")
            let tag = try #require(all.fields["etag"])
            let first = try await web.get(path + "&limit=2")
            let next = first.json["next"].string
            #expect(first.json["rows"].array.count == 2 && first.fields["millrace-next"] == next, "\(first)")
            let second = try await web.get(path + "&limit=2&cursor=\(next)")
            #expect(first.json["rows"].array + second.json["rows"].array == Array(all.json["rows"].array.prefix(4)))
            let same = try await web.get(path, "If-None-Match: \(tag)")
            #expect(same.status == 304 && same.body.isEmpty && same.fields["etag"] == tag, "\(same)")
            let csv = try await web.get(path, "Accept: text/csv")
            #expect(
                csv.body == (try await bus.run("query", "tickets.seats", "--event", "e1", "--csv").out))
            let lines = try await web.get(path, "Accept: application/x-ndjson")
            #expect(lines.lines == all.json["rows"].array)
        }
    }

    @Test func `what a view says at once is what it says the long way`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            var last = ""
            for number in 0..<30 {
                let sent = try await web.send("PlaceOrder", #"{"order":"o\#(number)","customer":"ann"}"#)
                let event = sent.json["events"][0]
                last = "\(event["topic"].string)/\(event["partition"].int)@\(event["offset"].int)"
            }
            let seen = try await web.get("/views/orders.status?order=o29&after=\(last)")
            let tag = try #require(seen.fields["etag"])
            #expect(seen.status == 200 && seen.json["rows"].array.count == 1, "\(seen)")
            let asked: [(path: String, fields: [String])] = [
                ("orders.status?order=o29", []), ("orders.status?order=o29", ["If-None-Match: \(tag)"]),
                ("orders.status?order=none", []), ("orders.status?order=o29", ["Accept: text/csv"]),
                ("orders.status?order=o29", ["Accept: application/x-ndjson"]),
                ("orders.status?order=o29", ["Accept: image/png"]), ("orders.status", []),
                ("orders.status?order=o29&limit=0", []), ("orders.status?order=o29&ordr=1", []),
                ("orders.status?order=o29&cursor=nonsense", []), ("orders.status?order=o29&wait=x", []),
                ("orders.status?order=o29&after=orders.events/0@0", []), ("orders.status?order=o29&as-of=@0", []),
                ("orders.stats?order=o29", []), ("orders.status?order=%ff", []),
                ("orders.status?order=o29", ["Host: example.com"]),
                ("orders.status?order=o29", ["Origin: https://example.com"]), ("orders.status/?order=o29", []),
                ("orders.status?order=o29&order=o28", []), ("orders.status?order=o%329", []),
                ("orders.status?order=", []),
                ("orders.status?ORDER=o29", []), ("orders.status?order=a+b", []), ("orders.status?order=a=b&", []),
                ("orders.status?order=o29", ["Accept: application/json;q=0.5, text/csv;q=0.4"]),
                ("orders.status?order=o29", ["If-None-Match: *"]), ("orders.status?order=o29", ["Accept:"]),
                ("orders.status?order=o29", ["Authorization: Bearer nonsense"]), ("orders.late", []),
                ("orders.none", []),
                ("tickets.seats?event=none", []), ("orders.notifications?customer=ann&limit=2", []),
                ("orders.notifications?customer=ann", []), ("orders.status?order=o29", ["Content-Length: 0"]),
            ]
            for (path, fields) in asked {
                for method in ["GET", "HEAD"] {
                    let ask = { (more: [String]) in
                        try await web.start(method, "/views/" + path, nil, fields + more).end()
                    }
                    let trace = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
                    var (now, long) = (Web.Reply(try await ask([]).out), Web.Reply(try await ask([trace]).out))
                    (now.fields["date"], long.fields["date"]) = (nil, nil)
                    #expect(now.status == long.status && now.body == long.body, "\(method) \(path) \(fields)")
                    #expect(now.fields == long.fields, "\(method) \(path) \(fields)")
                }
            }
        }
    }

    @Test func `requests that come together are answered in their order, at once or not, with the same fields`()
        async throws
    {
        try await onBus { bus in
            let web = try await bus.web()
            for order in ["o1", "o2", "o3"] {
                _ = try await web.send("PlaceOrder", #"{"order":"\#(order)","customer":"ann"}"#)
            }
            try await eventually("the orders in their view") {
                for order in ["o1", "o2", "o3"] {
                    if try await web.get("/views/orders.status?order=\(order)").json["rows"].array.isEmpty {
                        return nil as Bool?
                    }
                }
                return true
            }
            func request(_ order: String, _ more: String = "", method: String = "GET") -> String {
                "\(method) /views/orders.status?order=\(order) HTTP/1.1\r\nHost: localhost\r\n\(more)\r\n"
            }
            let trace = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
            func answer(_ request: String) throws -> [String] {
                let socket = try RawSocket(port: web.port)
                socket.write(request)
                return socket.readAnswer().split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
                    .filter { !$0.hasPrefix("Date: ") }.sorted()
            }
            #expect(try answer(request("o1")) == answer(request("o1", trace)))
            // None waits for one that comes later, and none overtakes one that came before.
            let together = try RawSocket(port: web.port)
            together.write(
                request("o1") + request("o2", method: "HEAD") + request("o2", trace) + request("o3")
                    + request("o1", trace)
                    + request("o2") + "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + request("o3")
                    + request("none", "Connection: close\r\n"))
            let all = together.read()
            let told = all.matches(of: /"orderId":"(o\d)"/).map { String($0.1) }
            #expect(told == ["o1", "o2", "o3", "o1", "o2", "o3"], "\(all)")
            #expect(all.matches(of: /HTTP\/1\.1 200 OK\r\n/).count == 9 && all.contains(#""rows":[]"#), "\(all)")
        }
    }

    @Test func `a client of HTTP 1.0 is told by the connection's end that its answer is over`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            for path in ["/healthz", "/views/orders.status?order=o1", "/l/none"] {
                for field in ["", "Connection: Keep-Alive\r\n"] {
                    let socket = try RawSocket(port: web.port)
                    socket.write("GET \(path) HTTP/1.0\r\nHost: localhost\r\n\(field)\r\n")
                    let answer = socket.read()
                    #expect(answer.hasPrefix("HTTP/1.1 ") && !answer.hasSuffix("\r\n\r\n"), "\(path): \(answer)")
                    #expect(socket.isLeft, "\(path): \(answer)")
                }
            }
            // Nor does what has no length beforehand come in chunks.
            _ = try await web.send("PlaceOrder", #"{"order":"o1","customer":"ann"}"#)
            let socket = try RawSocket(port: web.port)
            socket.write("GET /topics/orders.events HTTP/1.0\r\nHost: localhost\r\n\r\n")
            let parts = socket.read().components(separatedBy: "\r\n\r\n")
            #expect(parts.count == 2 && !parts[0].lowercased().contains("transfer-encoding"), "\(parts)")
            #expect(parts.last?.hasPrefix("{\"topic\"") == true && parts.last?.hasSuffix("}\n") == true, "\(parts)")
        }
    }

    @Test func `a connection ends where its client says so, in capitals or among other words`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            for path in ["/healthz", "/views/orders.status?order=o1", "/l/none", "/topics/orders.events"] {
                for said in ["close", "Close", "TE, close", "keep-alive, close", "keep-alive\r\nConnection: close"] {
                    let socket = try RawSocket(port: web.port)
                    socket.write("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: \(said)\r\n\r\n")
                    let answer = socket.read()
                    #expect(answer.hasPrefix("HTTP/1.1 ") && socket.isLeft, "\(path) \(said): \(answer)")
                }
            }
        }
    }

    @Test func `a request says its host once, whatever way it would go, and but of HTTP/1.0`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let order = #"{"order":"o1","customer":"ann"}"#
            let body = "Content-Type: application/json\r\nContent-Length: \(order.utf8.count)\r\n"
            for path in ["/healthz", "/views/orders.status?order=o1", "/l/none", "/commands/PlaceOrder"] {
                let isCommand = path.hasPrefix("/commands")
                let (method, fields) = isCommand ? ("POST", body) : ("GET", "")
                for (version, hosts) in [("1.1", 0), ("1.1", 2), ("1.1", 3), ("1.0", 2)] {
                    let socket = try RawSocket(port: web.port)
                    let host = String(repeating: "Host: localhost\r\n", count: hosts)
                    // One that is sound before it is answered, and one behind it is not.
                    let sound = version == "1.0" ? "" : "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    let last = version == "1.0" ? "" : "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    socket.write(
                        "\(sound)\(method) \(path) HTTP/\(version)\r\n\(host)\(fields)\r\n\(isCommand ? order : "")\(last)"
                    )
                    let answer = socket.read()
                    let statuses = answer.matches(of: #/HTTP/1\.1 (\d+)/#).map { String($0.1) }
                    #expect(statuses == (sound.isEmpty ? ["400"] : ["200", "400"]), "\(version) \(hosts) \(answer)")
                    #expect(answer.contains(#""field":"Host""#), "\(answer)")
                }
                let socket = try RawSocket(port: web.port)
                socket.write("GET /healthz HTTP/1.0\r\n\r\n")
                #expect(socket.read().hasPrefix("HTTP/1.1 200"))
            }
            #expect(try await bus.count("orders.events") == 0)
        }
    }

    @Test func `a byte order mark is passed over, and a member that is there twice refused`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let put = try await web.send("kv.Put", "\u{feff}" + #"{"key":"k","text":"v"}"#)
            #expect(put.status == 200, "\(put)")
            let (lines, hit) = ("Content-Type: application/x-ndjson", #"{"site":"home","path":"/"}"#)
            let produced = try await web.ask("POST", "/events/Hit", "\u{feff}\(hit)\n\(hit)\n", lines)
            #expect(produced.status == 200 && produced.json["produced"].int == 2, "\(produced)")
            let marked = try await web.ask(
                "POST", "/commands", "\u{feff}" + #"{"@command":"kv.Put","key":"l","text":"v"}"#, lines)
            #expect(marked.json["outcome"] == "accepted", "\(marked)")
            for (path, body) in [
                ("/commands/kv.Put", #"{"key":"a","key":"b","text":"v"}"#),
                ("/commands?command=kv.Put", #"{"key":"a","text":"v","key":"b"}"#),
                ("/events/kv.KeyDeleted", #"{"key":"a","revision":1,"key":"b"}"#),
            ] {
                let isLines = path != "/commands/kv.Put"
                let refused = try await web.ask(
                    "POST", path, body, isLines ? lines : "Content-Type: application/json")
                #expect(refused.json["status"].int == 400 && refused.json["field"] == "key", "\(path) \(refused)")
                #expect(refused.body.contains("is there twice"), "\(path) \(refused)")
            }
        }
    }

    @Test func `an event stream goes on exactly where its reader was`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            func produce(_ range: Range<Int>) async throws {
                let hits = range.map { #"{"site":"s\#($0)","path":"/\#($0)"}"# }.joined(separator: "\n")
                _ = try await web.ask("POST", "/events/Hit", hits, "Content-Type: application/x-ndjson")
            }
            func paths(_ text: String) -> [String] {
                // The last may not have come wholly.
                text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.compactMap {
                    (try? JSON(String($0.dropFirst(6))))?["event"]["path"].string
                }
            }
            try await produce(0..<200)
            let limited = try await web.get("/topics/hits.events?limit=77", "Accept: text/event-stream")
            let id = try #require(limited.body.split(separator: "\n").last { $0.hasPrefix("id: ") }?.dropFirst(4))
            #expect(paths(limited.body).count == 77)
            let following = try web.start(
                "GET", "/topics/hits.events?follow=true", nil,
                ["Accept: text/event-stream", "Last-Event-ID: \(id)"])
            try await eventually("the rest") { paths(following.out).count == 123 ? true : nil }
            try await produce(200..<300)
            try await eventually("what came") { paths(following.out).count == 223 ? true : nil }
            let seen = paths(limited.body) + paths(following.out)
            #expect(seen.count == 300 && Set(seen).count == 300)
            // The gateway ends its streams when it is told to stop.
            #expect(try await web.stop().exit == 0)
            #expect(try await following.end(within: .seconds(300)).exit == 0)
            let again = try await bus.web("serve")
            for (id, why) in [
                ("here", "is none that an event"), ("0@999999", "hits.events/0, which ends at"),
                ("99@0", "has partitions 0 to 7"), ("0@0,0@1", "has partition 0 twice"),
            ] {
                let wrong = try await again.get(
                    "/topics/hits.events", "Accept: text/event-stream", "Last-Event-ID: \(id)")
                #expect(wrong.status == 400 && wrong.json["field"] == "Last-Event-ID", "\(wrong)")
                #expect(wrong.json["detail"].string.contains(why), "\(wrong)")
            }
        }
    }

    @Test func `workers, topics, what waits, health and metrics are there for operators`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            _ = try await web.send("PlaceOrder", Self.order)
            try await bus.settle()
            let workers = try await web.get("/workers")
            let handler = workers.json["workers"].array.first { $0["worker"] == "orders.handler" }
            #expect(handler?["lag"].int == 0 && handler?["problem"] == .null, "\(workers)")
            let topics = try await web.get("/topics")
            #expect(topics.json["topics"].array.contains { $0["topic"] == "orders.events" }, "\(topics)")
            #expect(try await web.get("/quarantine").json["waiting"] == .list([]))
            #expect(try await web.get("/events").json["events"].array.contains { $0["name"] == "PlaceOrder" })
            #expect(try await web.get("/healthz").status == 200)
            #expect(try await web.get("/readyz").json["status"] == "ready")
            let metrics = try await web.get("/metrics")
            for line in [
                #"millrace_http_requests_total{path="/commands/{command}",method="POST",status="200"} 1"#,
                #"millrace_http_commands_total{command="PlaceOrder",outcome="accepted",reason=""} 1"#,
                #"millrace_worker_lag_records{worker="orders.handler",kind="handler"} 0"#,
            ] { #expect(metrics.body.contains(line), "\(line)\n\(metrics.body)") }
            let none = try await web.ask("POST", "/quarantine/orders.handler/drop?key=o1")
            #expect(none.status == 400 && none.json["detail"].string.contains("nothing of o1 waits"), "\(none)")
            #expect(try await web.ask("POST", "/quarantine/redrive").json["answers"] == .list([]))
        }
    }
}
