import Foundation
import TestSupport
import Testing

@Suite("Clients that hold a gateway up", .serialized, .timeLimit(.minutes(10)))
struct HTTPLoadTests {
    private func resident(_ pid: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        return status.firstMatch(of: #/VmRSS:\s+(\d+) kB/#).flatMap { Int($0.1) } ?? 0
    }

    /// Produces some 13 MB of hits, in parts, for a debug build takes milliseconds for each.
    private func fill(_ web: Web) async throws {
        for part in 0..<6 {
            let hits = (0..<1000).map { hit in
                #"{"site":"home","path":"/\#(part * 1000 + hit)/\#(String(repeating: "p", count: 1900))"}"#
            }
            let produced = try await web.ask(
                "POST", "/events/Hit", hits.joined(separator: "\n"), "Content-Type: application/x-ndjson")
            try #require(produced.json["produced"].int == hits.count, "\(produced)")
        }
    }

    @Test func `slow readers, half requests and bodies without an end hurt no others`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            try await fill(web)
            let before = try resident(web.process.pid)
            // Each of these would be given some 13 MB if anybody waited for it to read.
            let slow = try (0..<20).map { _ in try RawSocket(port: web.port, window: 16_384) }
            for one in slow { one.write("GET /topics/hits.events HTTP/1.1\r\nHost: localhost\r\n\r\n") }
            let half = try (0..<200).map { _ in try RawSocket(port: web.port) }
            for one in half { one.write("GET /views HTTP/1.1\r\nHost: loc") }
            let endless = try RawSocket(port: web.port)
            endless.write(
                """
                POST /commands/PlaceOrder HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r
                Transfer-Encoding: chunked\r\n\r\n
                """)
            let chunk = "10000\r\n" + String(repeating: "a", count: 65_536) + "\r\n"
            var sent = 0
            while sent < 100_000, endless.write(chunk) { sent += 1 }
            #expect(sent < 100_000)
            #expect(endless.read().hasPrefix("HTTP/1.1 413"))
            // What the readers are sent before they stand still is work, and in a debug build much of it.
            for number in 0..<10 {
                let began = ContinuousClock.now
                let reply = try await web.send("PlaceOrder", #"{"order":"o\#(number)","customer":"ann"}"#)
                #expect(reply.status == 200 && .now - began < .seconds(20), "\(reply)")
            }
            let grown = try resident(web.process.pid) - before
            #expect(grown < 100_000, "\(grown) kB more")
            withExtendedLifetime((slow, half)) {}
        }
    }

    /// The limits are waited out: each is over a test's usual time, so all wait at once.
    @Test
    func `who says nothing, sends no end or reads no more is left at the limit, not before, and others are served`()
        async throws
    {
        try await onBus { bus in
            let web = try await bus.web()
            try await fill(web)
            let begin = ContinuousClock.now
            let silent = try RawSocket(port: web.port)
            let kept = try RawSocket(port: web.port)
            kept.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            #expect(kept.readAnswer().hasPrefix("HTTP/1.1 200"))
            let half = try RawSocket(port: web.port)
            half.write("GET /healthz HTTP/1.1\r\nHost: loc")
            let stuck = try RawSocket(port: web.port)
            stuck.write(
                """
                POST /commands/PlaceOrder HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r
                Content-Length: 100\r\n\r\n{"order":
                """)
            let slow = try RawSocket(port: web.port, window: 16_384)
            slow.write("GET /topics/hits.events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            func streams() async throws -> Int? {
                try await web.get("/metrics").body.firstMatch(of: /millrace_http_streams (\d+)/).flatMap { Int($0.1) }
            }
            try await eventually("the slow reader's stream") { try await streams() == 1 ? true : nil }
            var left: [String: Duration] = [:]
            try await eventually("all to be left", within: .seconds(300)) {
                let took = ContinuousClock.now - begin
                for (name, socket) in [("silent", silent), ("kept", kept), ("half", half), ("stuck", stuck)]
                where left[name] == nil && socket.isLeft { left[name] = took }
                if left["slow"] == nil, try await streams() == 0 { left["slow"] = took }
                try await Task.sleep(for: .milliseconds(200))
                return left.count == 5 ? true : nil
            }
            for name in ["stuck", "slow"] { #expect(left[name] ?? .zero >= .seconds(29), "\(left)") }
            for name in ["silent", "kept", "half"] { #expect(left[name] ?? .zero >= .seconds(59), "\(left)") }
            let reply = try await web.send("PlaceOrder", #"{"order":"o1","customer":"ann"}"#)
            #expect(reply.status == 200, "\(reply)")
            #expect(try await bus.count("orders.commands") == 1)
        }
    }

    @Test func `a reader of lines that goes away in the middle leaves the others their outcomes`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let gone = try RawSocket(port: web.port)
            gone.write(
                """
                POST /commands?command=PlaceOrder HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r
                Transfer-Encoding: chunked\r\n\r\n2e\r\n{"@id":"a","order":"o1","customer":"ann"}\n    \r\n
                """)
            try await eventually("the command") { try await bus.count("orders.commands") == 1 ? true : nil }
            let reply = try await web.send("PlaceOrder", #"{"order":"o1","customer":"ann"}"#, id: "a")
            #expect(reply.status == 200, "\(reply)")
            #expect(try await bus.count("orders.events") == 1)
        }
    }
}
