import Foundation
import TestSupport
import Testing

/// Commands whose requests come together with others, in pieces, or on a connection that ends.
@Suite("Commands on one connection", .serialized, .timeLimit(.minutes(10)))
struct HTTPCommandTests {
    /// What makes a request go the long way.
    private static let trace = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    private static func order(_ name: String) -> String { #"{"order":"\#(name)","customer":"ann"}"# }

    /// A request as it goes over a socket.
    private static func post(_ name: String, _ body: String, wait: String = "40s", _ fields: String = "") -> String {
        """
        POST /commands/PlaceOrder?wait=\(wait) HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: \(name)\r
        Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)
        """
    }
    private static func status(_ answer: String) -> String { String(answer.prefix(12).suffix(3)) }

    @Test func `answers come in the order of their requests, whatever way these go`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let socket = try RawSocket(port: web.port)
            let get = "GET /views/orders.status?order=o1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let close = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            let all = [
                Self.post("a", Self.order("o1")), get, Self.post("b", Self.order("o2")),
                Self.post("c", "{"), Self.post("d", Self.order("o1").replacing("ann", with: "ben")),
                Self.post("e", Self.order("o3"), "\(Self.trace)\r\n"),
                Self.post("f", Self.order("o4")), Self.post("g", Self.order("o5")), get, close,
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

    @Test func `what comes behind a command cannot take its answer away`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            // No request at all.
            let garbled = try RawSocket(port: web.port)
            garbled.write(Self.post("a", Self.order("o1")) + "what is this?\r\n\r\n")
            let told = garbled.read()
            #expect(told.hasPrefix("HTTP/1.1 200") && told.contains("HTTP/1.1 400"), "\(told)")
            // Nor anything that is answered, where the client has said that it asks no more.
            for version in ["1.1", "1.0"] {
                let last = try RawSocket(port: web.port)
                let asked = Self.post("e\(version)", Self.order("e\(version)"), "Connection: close\r\n")
                last.write(asked.replacing("HTTP/1.1", with: "HTTP/\(version)") + "what is this?\r\n\r\n")
                let alone = last.read()
                #expect(alone.hasPrefix("HTTP/1.1 200") && !alone.contains("HTTP/1.1 400"), "\(alone)")
            }
            // The end of what the client has to say.
            let half = try RawSocket(port: web.port)
            half.write(Self.post("b", Self.order("o2")))
            half.endWriting()
            #expect(half.read().hasPrefix("HTTP/1.1 200"))
            // A body that comes byte by byte, and one that ends in the middle.
            let slow = try RawSocket(port: web.port)
            for byte in Self.post("c", Self.order("o3")) { slow.write(String(byte)) }
            #expect(slow.readAnswer().hasPrefix("HTTP/1.1 200"))
            let cut = try RawSocket(port: web.port)
            cut.write(String(Self.post("d", Self.order("o4")).dropLast()))
            cut.endWriting()
            #expect(!cut.read().contains("HTTP/1.1 200"))
            #expect(try await bus.count("orders.events") == 5)
        }
    }

    @Test func `a gateway that stops answers what it was asked`() async throws {
        try await onBus { bus in
            let web = try await bus.web("serve")
            let sockets = try (0..<3).map { _ in try RawSocket(port: web.port) }
            for (number, socket) in sockets.enumerated() {
                socket.write(Self.post("a\(number)", Self.order("o\(number)"), wait: "2s"))
            }
            try await eventually("the commands") { try await bus.count("orders.commands") == 3 ? true : nil }
            let gone = try RawSocket(port: web.port)
            gone.write(Self.post("gone", Self.order("gone"), wait: "2s"))
            async let stopped = web.stop()
            for socket in sockets {
                let answer = socket.read()
                #expect(Self.status(answer) == "503" && answer.contains("no handler answered command"), "\(answer)")
            }
            #expect(try await stopped.exit == 0)
        }
    }
}
