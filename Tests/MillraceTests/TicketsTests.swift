import Foundation
import TestSupport
import Testing

@Suite("Seats, sold through processes of their own", .serialized, .timeLimit(.minutes(10)))
struct TicketsTests {
    @Test func `held seats are confirmed, and refused to anyone else`() async throws {
        try await onBus { bus in
            _ = try await bus.work()
            try await bus.list()
            let id = UUID().uuidString.lowercased()
            let hold = try await bus.run(
                "send", "HoldSeats", "--event", "e1", "--section", "stalls", "--holder", "ann", "--seats", "A-1,A-2",
                "--id", id)
            let place = try JSON(hold.out)["events"][0]
            let (partition, offset) = (place["partition"].int, place["offset"].int)
            #expect(hold.exit == 0 && hold.err.isEmpty)
            #expect(
                hold.out == """
                    {"id":"\(id)","outcome":"accepted","reason":null,"message":null,"events":[{"topic":"tickets.events",\
                    "partition":\(partition),"offset":\(offset),"type":"SeatHeld"}]}

                    """)

            let taken = try await bus.send(
                "HoldSeats", "--event", "e1", "--section", "stalls", "--holder", "bob", "--seats", "A-2,A-3",
                refused: true)
            #expect(taken.names == ["id", "outcome", "reason", "message", "events"])
            #expect(taken["reason"] == "seat-not-free" && taken["events"] == [])
            #expect(taken["message"].string.hasPrefix("seat A-2 is held until "))

            let seen = try await bus.query(
                "tickets.hold", "--id", id, "--after", "tickets.events/\(partition)@\(offset)")
            #expect(seen.names == ["rows", "next", "asOf"] && seen["next"] == nil)
            #expect(seen["rows"][0]["status"] == "held" && seen["rows"][0]["seats"] == "A-1,A-2")
            #expect(seen["asOf"]["tickets.events/\(partition)"].int > offset)

            let other = try await bus.send(
                "ConfirmPurchase", "--event", "e1", "--section", "stalls", "--hold", id, "--holder", "bob",
                "--payment-token", "tok_1", refused: true)
            #expect(other["reason"] == "holder-mismatch")
            let sold = try await bus.send(
                "ConfirmPurchase", "--event", "e1", "--section", "stalls", "--hold", id, "--holder", "ann",
                "--payment-token", "tok_1")
            #expect(sold["events"][0]["type"] == "SeatSold")
            let again = try await bus.send(
                "HoldSeats", "--event", "e1", "--section", "stalls", "--holder", "bob", "--seats", "A-1", refused: true)
            #expect(again["message"] == "seat A-1 is sold")

            let after = "tickets.events/\(partition)@\(sold["events"][0]["offset"].int)"
            let seats = try await bus.query("tickets.seats", "--event", "e1", "--after", after)
            #expect(seats["rows"].array.map { $0["status"].string } == ["sold", "sold", "free", "free", "free"])
            let left = try await bus.query("tickets.sections", "--event", "e1")["rows"][0]
            #expect([left["seats"], left["free"], left["held"], left["sold"]] == [5, 3, 0, 2])
        }
    }

    @Test func `a hold whose time is over expires by itself, and its seat is free again`() async throws {
        try await onBus { bus in
            _ = try await bus.work()
            try await bus.list()
            let past = Date.now.addingTimeInterval(-360).formatted(.iso8601)
            try await bus.send(
                "HoldSeats", "--event", "e1", "--section", "stalls", "--holder", "ann", "--seats", "A-1", "--hold",
                "h1",
                "--at", past)
            try await eventually("the hold to expire") {
                try await bus.query("tickets.hold", "--id", "h1")["rows"][0]["status"] == "expired" ? true : nil
            }
            let free = try await bus.query("tickets.seats", "--event", "e1", "--status", "free")
            #expect(free["rows"].array.count == 5)
            let late = try await bus.send(
                "ConfirmPurchase", "--event", "e1", "--section", "stalls", "--hold", "h1", "--holder", "ann",
                "--payment-token", "tok_1", refused: true)
            #expect(late["reason"] == "unknown-hold")
            try await bus.send("HoldSeats", "--event", "e1", "--section", "stalls", "--holder", "bob", "--seats", "A-1")
        }
    }

    @Test func `the same id again gives the same outcome and does nothing`() async throws {
        try await onBus { bus in
            _ = try await bus.work()
            try await bus.list()
            let hold = ["--event", "e1", "--section", "stalls", "--holder", "ann", "--seats", "A-1", "--id", "one"]
            let first = try await bus.start(["send", "HoldSeats"] + hold).end()
            let events = try await bus.count("tickets.events")
            let second = try await bus.start(["send", "HoldSeats"] + hold).end()
            #expect(first.exit == 0 && second.exit == 0 && first.out == second.out)
            let other = try await bus.send(
                "HoldSeats", "--event", "e1", "--section", "stalls", "--holder", "ann", "--seats", "A-2", "--id", "one",
                refused: true)
            #expect(other["reason"] == "id-reused")
            let no = try await bus.send(
                "HoldSeats", "--event", "e1", "--section", "stalls", "--holder", "bob", "--seats", "A-1", "--id", "two",
                refused: true)
            let noAgain = try await bus.send(
                "HoldSeats", "--event", "e1", "--section", "stalls", "--holder", "bob", "--seats", "A-1", "--id", "two",
                refused: true)
            #expect(no == noAgain)
            #expect(try await bus.count("tickets.events") == events)
        }
    }

    @Test func `holds are released, and many fields are given as one JSON object`() async throws {
        try await onBus { bus in
            _ = try await bus.work()
            try await bus.list()
            try await bus.send(
                "tickets.HoldSeats",
                #"{"event":"e1","section":"stalls","holder":"ann","seats":["A-4","A-5"],"hold":"h1"}"#)
            let released = try await bus.send(
                "ReleaseHold", "--event=e1", "--section=stalls", "--hold=h1", "--holder=ann")
            #expect(released["events"][0]["type"] == "SeatReleased")
            let place = released["events"][0]
            let hold = try await bus.query(
                "tickets.hold", "--id", "h1", "--after",
                "tickets.events/\(place["partition"].int)@\(place["offset"].int)")
            #expect(hold["rows"][0]["status"] == "released")
        }
    }

    @Test func `the calendar shows what begins in a range, page by page`() async throws {
        try await onBus { bus in
            _ = try await bus.work()
            for (event, day) in [("a", 3), ("b", 1), ("c", 2)] {
                try await bus.send(
                    "ListEvent", "--event", event, "--title", event, "--venue", "Opera", "--starts-at",
                    "2027-01-0\(day)T19:30:00Z", "--sections",
                    #"[{"name":"stalls","rows":[{"label":"A","seats":2}],"price":{"amount":1,"currency":"EUR"}}]"#)
            }
            try await bus.settle()
            let all = ["--from", "2027-01-01T00:00:00Z", "--to", "2027-01-03T00:00:00Z"]
            let both = try JSON(try await bus.start(["query", "tickets.calendar"] + all).end().out)
            #expect(both["rows"].array.map { $0["event"].string } == ["b", "c"])
            #expect(
                both["rows"][0]["startsAt"] == "2027-01-01T19:30:00.000Z"
                    || both["rows"][0]["startsAt"] == "2027-01-01T19:30:00Z")
            let first = try JSON(try await bus.start(["query", "tickets.calendar", "--limit", "1"] + all).end().out)
            #expect(first["rows"].array.map { $0["event"].string } == ["b"])
            let second = try JSON(
                try await bus.start(
                    ["query", "tickets.calendar", "--limit", "1", "--cursor", first["next"].string] + all
                )
                .end().out)
            #expect(second["rows"].array.map { $0["event"].string } == ["c"] && second["next"] == nil)
        }
    }

    @Test func `without a worker a command waits on the log, and its id tells the outcome later`() async throws {
        try await onBus { bus in
            let list = [
                "send", "ListEvent", "--event", "e1", "--title", "Tosca", "--venue", "Opera", "--starts-at",
                "2027-01-01T19:30:00Z", "--id", "first", "--sections",
                #"[{"name":"stalls","rows":[{"label":"A","seats":2}],"price":{"amount":1,"currency":"EUR"}}]"#,
            ]
            let alone = try await bus.start(list + ["--timeout", "300ms"]).end()
            #expect(alone.exit == 75 && alone.out.isEmpty)
            #expect(alone.err.contains("no handler answered command first within 300ms"))
            #expect(alone.err.contains("start one with millrace work, and ask again with --id first"))
            _ = try await bus.work("handler")
            let later = try await bus.start(list + ["--timeout", "40s"]).end()
            #expect(later.exit == 0)
            #expect(try JSON(later.out)["events"][0]["offset"] == 0)
            #expect(try await bus.count("tickets.events") == 1)
        }
    }
}
