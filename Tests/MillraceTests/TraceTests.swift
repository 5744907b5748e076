import Foundation
import TestSupport
import Testing

@Suite("A trace over the log", .serialized, .timeLimit(.minutes(10)))
struct TraceTests {
    private static let id = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let context = "00-\(id)-00f067aa0ba902b7-01"

    /// The steps of a trace: topic and type of each.
    private func steps(_ bus: Bus, of id: String = id) async throws -> [String] {
        let ended = try await bus.run("trace", id, "--json")
        #expect(ended.exit == 0, "\(ended)")
        return try ended.lines.map { try JSON($0) }.map { "\($0["topic"].string) \($0["type"].string)" }
    }

    private static let way = [
        "orders.commands PlaceOrder", "orders.events OrderStatusChanged", "orders.outcomes Accepted",
        "orders.notifications NotificationSent",
    ]

    @Test func `shows a command, its events, its outcome and what follows, and nothing of others`() async throws {
        try await onBus { bus in
            _ = try await bus.work("orders")
            let order = #"{"order":"o1","customer":"ann"}"#
            try await bus.run("send", "PlaceOrder", order, "--traceparent", Self.context)
            try await bus.run("send", "PlaceOrder", #"{"order":"o2","customer":"bob"}"#)
            try await bus.settle()
            #expect(try await Set(steps(bus)) == Set(Self.way))
            #expect(try await steps(bus).first == Self.way[0])
            let all = try await bus.run("replay", "orders.events", "--format", "%k %h\\n")
            #expect(all.lines.contains { $0.hasPrefix("o1 ") && $0.contains("traceparent=\(Self.context)") }, "\(all)")
            // Without a trace nothing is written of one.
            #expect(all.lines.contains { $0.hasPrefix("o2 ") && !$0.contains("traceparent") }, "\(all)")
            let some = try await bus.run("replay", "orders.events", "--trace", Self.id, "--count")
            #expect(some.out == "1\n", "\(some)")
            #expect(try await steps(bus, of: String(Self.id.reversed())).isEmpty)
        }
    }

    @Test func `comes from the environment, from a file's command line and over HTTP alike`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let environment = ["TRACEPARENT": Self.context.replacing(Self.id, with: "\(Self.id.dropLast())7")]
            let file = try bus.file(
                "orders.ndjson", #"{"@command":"PlaceOrder","order":"o1","customer":"ann"}"# + "\n")
            try await bus.run("send", "--file", file, environment: environment)
            let sent = try await web.ask(
                "POST", "/commands/PlaceOrder", #"{"order":"o2","customer":"ann"}"#, "traceparent: \(Self.context)")
            #expect(sent.status == 200, "\(sent)")
            try await bus.settle()
            #expect(try await Set(steps(bus)) == Set(Self.way))
            #expect(try await Set(steps(bus, of: "\(Self.id.dropLast())7")) == Set(Self.way))
        }
    }

    @Test func `that is malformed is none, but where somebody has typed it`() async throws {
        try await onBus { bus in
            let web = try await bus.web()
            let sent = try await web.ask(
                "POST", "/commands/PlaceOrder", #"{"order":"o1","customer":"ann"}"#, "traceparent: 00-zz-1-01")
            #expect(sent.status == 200, "\(sent)")
            let other = try await bus.run(
                "send", "PlaceOrder", #"{"order":"o2","customer":"ann"}"#, environment: ["TRACEPARENT": "nonsense"])
            #expect(other.exit == 0, "\(other)")
            try await bus.settle()
            #expect(!(try await bus.run("replay", "orders.commands", "--format", "%h\\n")).out.contains("traceparent"))
            let typed = try await bus.run(
                "send", "PlaceOrder", #"{"order":"o3","customer":"ann"}"#, "--traceparent", "nonsense")
            #expect(typed.exit == 64 && typed.err.contains("--traceparent nonsense"), "\(typed)")
            for wrong in ["1", Self.id.uppercased(), String(repeating: "0", count: 32)] {
                #expect(try await bus.run("trace", wrong).exit == 64)
                #expect(try await bus.run("replay", "orders.events", "--trace", wrong).exit == 64)
            }
        }
    }
}
