import Foundation
import TestSupport
import Testing

@Suite("Orders, on their way through processes of their own", .serialized, .timeLimit(.minutes(10)))
struct OrdersTests {
    /// Orders in every state, as facts recorded elsewhere: `o-received` to `o-cancelled`, of Ann, with Bob.
    private static let facts = ["received", "assigned", "picked_up", "delivered", "cancelled"].enumerated()
        .flatMap { i, end in
            (i == 4 ? [0, 1, 4] : Array(0...i)).map { fact($0, of: "o-\(end)") }
        }.joined(separator: "\n")

    private static func fact(
        _ stage: Int, of order: String, customer: String = "ann", courier: String = "bob",
        expected: String = "2026-01-01T13:00:00Z"
    ) -> String {
        let status = ["received", "assigned", "picked_up", "delivered", "cancelled"][stage]
        var fields = [("order", order), ("customer", customer), ("status", status)]
        if stage > 0 { fields.append(("courier", courier)) }
        fields.append(stage == 4 ? ("reason", "rain") : ("expectedAt", expected))
        fields.append(("@time", "2026-01-01T12:0\(stage):00Z"))
        return "{" + fields.map { #""\#($0)":"\#($1)""# }.joined(separator: ",") + "}"
    }

    @Test func `an order is followed from its placing to its delivery, and its customer is told of each stage`()
        async throws
    {
        try await onBus { bus in
            _ = try await bus.work("orders")
            let life: [[String]] = [
                ["PlaceOrder", "--customer", "ann", "--expected-at", "2026-01-01T13:00:00Z"],
                ["AssignCourier", "--courier", "bob"], ["AssignCourier", "--courier", "cy"],
                ["ReviseEta", "--expected-at", "2026-01-01T13:30:00Z"], ["MarkPickedUp", "--courier", "cy"],
                ["MarkDelivered"],
            ]
            var last = JSON.null
            for (i, command) in life.enumerated() {
                let arguments = ["send"] + command + ["--order", "o1", "--at", "2026-01-01T12:\(10 + i):00Z"]
                // The same again, under another id, makes no event.
                for again in [false, true] {
                    let ended = try await bus.start(arguments + ["--timeout", "40s"]).end()
                    try #require(ended.exit == 0, "\(ended)")
                    let events = try JSON(ended.out)["events"]
                    #expect(events.array.count == (again ? 0 : 1), "\(command)")
                    if !again { last = events[0] }
                }
            }
            let seen = try await bus.query(
                "orders.status", "--order", "o1", "--after",
                "orders.events/\(last["partition"].int)@\(last["offset"].int)")
            #expect(
                seen["rows"].array.map { $0["stage"] } == [
                    "received", "assigned", "assigned", "eta_revised", "picked_up", "delivered",
                ])
            #expect(seen["rows"][5]["place"].string == "orders.events/\(last["partition"].int)@\(last["offset"].int)")
            #expect(seen["rows"][5]["expectedAt"] == "2026-01-01T13:30:00Z" && seen["rows"][4]["courier"] == "cy")
            #expect(try await bus.query("orders.status", "--order", "o9")["rows"] == [])
            try await bus.settle()
            var (ids, cursor): ([String], [String]) = ([], [])
            repeat {
                let ended = try await bus.start(
                    ["query", "orders.notifications", "--customer", "ann", "--limit", "4"] + cursor
                ).end()
                let page = try JSON(ended.out)
                ids += page["rows"].array.map { $0["id"].string }
                cursor = page["next"] == nil ? [] : ["--cursor", page["next"].string]
            } while !cursor.isEmpty
            #expect(
                ids == [
                    "o1:delivered", "o1:picked_up", "o1:eta_revised", "o1:assigned:2", "o1:assigned", "o1:received",
                ])
            #expect(try await bus.count("orders.notifications") == 6)
        }
    }

    /// A command that is refused, with the reason and the message, of orders in every state.
    private static let refused: [([String], String, String)] = [
        (
            ["AssignCourier", "--order", "o9", "--courier", "bob"], "unknown-order",
            "there is no order o9; place it first with PlaceOrder"
        ),
        (
            ["PlaceOrder", "--order", "o-picked_up", "--customer", "eve"], "order-exists",
            "order o-picked_up is picked up already, with other details; give yours an identifier of its own"
        ),
        (
            ["MarkPickedUp", "--order", "o-received"], "not-assigned",
            "order o-received is received and has no courier; give it to one first with AssignCourier"
        ),
        (
            ["MarkDelivered", "--order", "o-assigned"], "not-picked-up",
            "order o-assigned is only assigned; mark it as picked up first with MarkPickedUp"
        ),
        (
            ["MarkPickedUp", "--order", "o-assigned", "--courier", "cy"], "other-courier",
            "order o-assigned is with courier bob; name that one, or assign it anew before it is picked up"
        ),
        (
            ["AssignCourier", "--order", "o-picked_up", "--courier", "cy"], "already-picked-up",
            "order o-picked_up is picked up by bob already; mark it as delivered, or cancel it"
        ),
        (
            ["CancelOrder", "--order", "o-delivered", "--reason", "late"], "already-delivered",
            "order o-delivered is delivered already; nothing about it changes any more"
        ),
        (
            ["MarkDelivered", "--order", "o-cancelled"], "already-cancelled",
            "order o-cancelled is cancelled already (rain); place another one under an identifier of its own"
        ),
        (
            [
                "ReviseEta", "--order", "o-received", "--expected-at", "2026-01-01T11:00:00Z", "--at",
                "2026-01-01T12:00:00Z",
            ],
            "expected-out-of-range",
            "the expected time 2026-01-01T11:00:00Z must be after 2026-01-01T12:00:00Z, the time of the command, and at most 366 days after it"
        ),
    ]
    /// A fact that is refused.
    private static let notAdmitted: [(String, String)] = [
        (fact(1, of: "o-assigned"), "already-assigned: order o-assigned is assigned to bob already"),
        (fact(2, of: "o-assigned", customer: "eve"), "other-customer: order o-assigned is of another customer"),
        (
            fact(2, of: "o-assigned", expected: "2026-01-01T14:00:00Z"),
            "other-expected: order o-assigned is expected at 2026-01-01T13:00:00Z; an EtaRevised comes before another time"
        ),
        (fact(0, of: "o-received"), "order-exists: order o-received is received already"),
    ]
    private static let malformed: [([String], String)] = [
        (["PlaceOrder", "--order", "o 1", "--customer", "ann"], "order: has a space, ':' or '#'"),
        (["PlaceOrder", "--order", "o1"], "customer: is missing"),
        (["CancelOrder", "--order", "o1"], "reason: is missing"),
        (["ReviseEta", "--order", "o1", "--expected-at", "soon"], "expectedAt: must be timestamp"),
        (["ReviseEta", "--order", "o1"], "expectedAt: is missing"),
    ]

    @Test func `what an order's state does not allow is refused with its reason, and changes nothing`() async throws {
        try await onBus { bus in
            _ = try await bus.work("orders.handler")
            let placed = try await bus.run(
                "produce", "OrderStatusChanged", "--on-error", "skip", "--timeout", "40s", stdin: Self.facts)
            #expect(try JSON(placed.out)["produced"] == 13, "\(placed)")
            for (command, reason, message) in Self.refused {
                let ended = try await bus.start(["send"] + command + ["--timeout", "40s"]).end()
                let outcome = try JSON(ended.out)
                #expect(ended.exit == 1 && outcome["reason"].string == reason, "\(ended)")
                #expect(outcome["message"].string == message)
            }
            let facts = try await bus.run(
                "produce", "OrderStatusChanged", "--on-error", "skip", "--timeout", "40s",
                stdin: Self.notAdmitted.map(\.0).joined(separator: "\n"))
            #expect(facts.exit == 1 && facts.err.split(separator: "\n").count == Self.notAdmitted.count, "\(facts)")
            for (i, (_, message)) in Self.notAdmitted.enumerated() {
                #expect(facts.err.contains("line \(i + 1): refused: \(message)"), "\(facts)")
            }
            for (command, message) in Self.malformed {
                let ended = try await bus.start(["send"] + command + ["--timeout", "40s"]).end()
                #expect(ended.exit == 65 && ended.err.contains(message), "\(ended)")
            }
            let derived = try await bus.run("produce", "NotificationSent", stdin: "{}")
            #expect(derived.exit == 64 && derived.err.contains("only workers write orders.notifications"), "\(derived)")
            #expect(try await bus.count("orders.events") == 13)
        }
    }
}
