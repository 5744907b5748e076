import Foundation
import TestSupport
import Testing

/// Commands whose requests come together with others, in pieces, or on a connection that ends.
@Suite("Commands on one connection", .serialized, .timeLimit(.minutes(10)))
struct HTTPCommandTests {
    /// What makes a request go the long way.
    private static let trace = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    private static func order(_ name: String) -> String { #"{"order":"\#(name)","customer":"ann"}"# }

    /// How requests go: plainly, or the long way, on which they may say how long to wait.
    enum Way: String, CustomTestStringConvertible {
        case plain = ""
        case long = "?wait=40s"
        case short = "?wait=2s"
        static let both = [Way.plain, .long]
        var testDescription: String { self == .plain ? "plain" : rawValue }
    }

    /// A request as it goes over a socket.
    private static func post(_ name: String, _ body: String, _ way: Way, _ fields: String = "") -> String {
        """
        POST /commands/PlaceOrder\(way.rawValue) HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: \(name)\r
        Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)
        """
    }
    private static func status(_ answer: String) -> String { String(answer.prefix(12).suffix(3)) }

    @Test(arguments: Way.both)
    func `answers come in the order of their requests, whatever way these go`(_ way: Way) async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let socket = try RawSocket(port: web.port)
            let get = "GET /views/orders.status?order=o1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let close = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            let all = [
                Self.post("a", Self.order("o1"), way), get, Self.post("b", Self.order("o2"), way),
                Self.post("c", "{", way), Self.post("d", Self.order("o1").replacing("ann", with: "ben"), way),
                Self.post("e", Self.order("o3"), way, "\(Self.trace)\r\n"),
                Self.post("f", Self.order("o4"), way), Self.post("g", Self.order("o5"), way), get, close,
            ]
            #expect(socket.write(all.joined()))
            let answers = socket.read().components(separatedBy: "HTTP/1.1 ").dropFirst()
            #expect(
                answers.map { String($0.prefix(3)) }
                    == "200 200 200 400 409 200 200 200 200 200".split(separator: " ").map(String.init))
            let ids = answers.compactMap {
                $0.firstMatch(of: #/idempotency-key: (\w)/#.ignoresCase()).map { String($0.1) }
            }
            #expect(ids == ["a", "b", "d", "e", "f", "g"])
            #expect(try await bus.count("orders.events") == 5)
        }
    }

    @Test func `a command is answered plainly as it is the long way`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let long = String(repeating: "x", count: 40_000)
            let asked: [(path: String, body: String, fields: [String])] = [
                ("PlaceOrder", Self.order("o1"), []), ("orders.PlaceOrder", Self.order("o2"), []),
                ("PlaceOrder", Self.order("o1"), ["Content-Type: Application/JSON"]),
                ("PlaceOrder", "\u{feff}" + Self.order("o3"), ["Content-Type: application/json; charset=utf-8"]),
                ("PlaceOrder", Self.order("o1").replacing("ann", with: "ben"), []),
                ("PlaceOrder", Self.order("o1"), ["Idempotency-Key: \"quoted\""]),
                ("PlaceOrder", Self.order("o1"), ["Idempotency-Key: a:b"]),
                ("PlaceOrder", Self.order("o1"), ["Idempotency-Key: a\u{e4}"]),
                ("PlaceOrder", Self.order("o1"), ["Content-Type: text/plain"]),
                ("PlaceOrder", Self.order("o1"), ["Host: example.com"]),
                ("PlaceOrder", Self.order("o1"), ["Content-Encoding: gzip"]),
                ("PlaceOrder", "", []), ("PlaceOrder", "{", []), ("PlaceOrder", "[]", []), ("PlaceOrder", "{}", []),
                ("PlaceOrder", #"{"order":"o1","customer":"ann","x":1}"#, []),
                ("PlaceOrder", #"{"order":"o1","order":"o2","customer":"ann"}"#, []),
                ("PlaceOrder", #"{"order":"","customer":"ann"}"#, []),
                ("PlaceOrder", #"{"order":"\#(long)","customer":"ann"}"#, []),
                ("ShipOrder", #"{"order":"none","carrier":"dhl","tracking":"1"}"#, []),
                ("Tweet", #"{"tweet":"1","user":"ann","text":"hi"}"#, []),
                ("CloseSession", #"{"user":"ann","session":"s"}"#, []),
                ("NoSuchCommand", "{}", []), ("placeorder", Self.order("o9"), []),
            ]
            for (number, (path, body, fields)) in asked.enumerated() {
                var own = ["Content-Type: application/json", "Idempotency-Key: id-\(number)"]
                own.removeAll { one in fields.contains { $0.prefix { $0 != ":" } == one.prefix { $0 != ":" } } }
                var (plain, long) = (
                    Web.Reply(
                        try await web.start("POST", "/commands/\(path)", Array(body.utf8), own + fields).end().out),
                    Web.Reply(
                        try await web.start("POST", "/commands/\(path)?wait=10s", Array(body.utf8), own + fields).end()
                            .out)
                )
                (plain.fields["date"], long.fields["date"]) = (nil, nil)
                #expect(plain.status == long.status && plain.body == long.body, "\(path) \(body.prefix(80)) \(fields)")
                #expect(plain.fields == long.fields, "\(path) \(body.prefix(80)) \(fields)")
            }
            let metrics = try await web.get("/metrics").body
            #expect(
                metrics.contains(
                    #"millrace_http_requests_total{path="/commands/{command}",method="POST",status="200"}"#))
        }
    }

    @Test(arguments: Way.both)
    func `what comes behind a command cannot take its answer away`(_ way: Way) async throws {
        try await onBus { bus in
            let web = try await bus.web()
            // No request at all.
            let garbled = try RawSocket(port: web.port)
            garbled.write(Self.post("a", Self.order("o1"), way) + "what is this?\r\n\r\n")
            let told = garbled.read()
            #expect(told.hasPrefix("HTTP/1.1 200") && told.contains("HTTP/1.1 400"), "\(told)")
            // Nor anything that is answered, where the client has said that it asks no more.
            for version in ["1.1", "1.0"] {
                let last = try RawSocket(port: web.port)
                let asked = Self.post("e\(version)", Self.order("e\(version)"), way, "Connection: close\r\n")
                last.write(asked.replacing("HTTP/1.1", with: "HTTP/\(version)") + "what is this?\r\n\r\n")
                let alone = last.read()
                #expect(alone.hasPrefix("HTTP/1.1 200") && !alone.contains("HTTP/1.1 400"), "\(alone)")
            }
            // The end of what the client has to say.
            let half = try RawSocket(port: web.port)
            half.write(Self.post("b", Self.order("o2"), way))
            half.endWriting()
            #expect(half.read().hasPrefix("HTTP/1.1 200"))
            // A body that comes byte by byte, and one that ends in the middle.
            let slow = try RawSocket(port: web.port)
            for byte in Self.post("c", Self.order("o3"), way) { slow.write(String(byte)) }
            #expect(slow.readAnswer().hasPrefix("HTTP/1.1 200"))
            let cut = try RawSocket(port: web.port)
            cut.write(String(Self.post("d", Self.order("o4"), way).dropLast()))
            cut.endWriting()
            #expect(!cut.read().contains("HTTP/1.1 200"))
            #expect(try await bus.count("orders.events") == 5)
        }
    }

    @Test(arguments: [Way.plain, .short])
    func `a gateway that stops answers what it was asked`(_ way: Way) async throws {
        try await onBus { bus in
            let web = try await bus.web("serve")
            let sockets = try (0..<3).map { _ in try RawSocket(port: web.port) }
            for (number, socket) in sockets.enumerated() {
                socket.write(Self.post("a\(number)", Self.order("o\(number)"), way))
            }
            try await eventually("the commands") { try await bus.count("orders.commands") == 3 ? true : nil }
            let gone = try RawSocket(port: web.port)
            gone.write(Self.post("gone", Self.order("gone"), way))
            async let stopped = web.stop()
            for socket in sockets {
                let answer = socket.read()
                #expect(Self.status(answer) == "503" && answer.contains("no handler answered command"), "\(answer)")
            }
            #expect(try await stopped.exit == 0)
        }
    }
}
