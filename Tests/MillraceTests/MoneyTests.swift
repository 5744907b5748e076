import TestSupport
import Testing

@Suite("Money, as people are shown it", .serialized, .timeLimit(.minutes(10)))
struct MoneyTests {
    @Test func `an amount has the decimals of its currency in tables, and is whole in JSON`() async throws {
        try await onBus { bus in
            _ = try await bus.work()
            for (event, currency) in [("e1", "EUR"), ("e2", "JPY"), ("e3", "BHD")] {
                let made = try await bus.send(
                    "ListEvent", "--event", event, "--title", "t", "--venue", "v", "--starts-at",
                    "2030-01-01T19:30:00Z", "--sections",
                    #"[{"name":"s","rows":[{"label":"A","seats":2}],"price":{"amount":4500,"currency":"\#(currency)"}}]"#
                )
                #expect(made["outcome"] == "accepted")
            }
            try await bus.settle()
            for (event, price) in [("e1", "45.00  EUR"), ("e2", "4500  JPY"), ("e3", "4.500  BHD")] {
                for query in ["tickets.seats", "tickets.sections"] {
                    let table = try await bus.run("query", query, "--event", event, "--table")
                    #expect(table.exit == 0 && table.out.contains(" \(price)\n"), "\(table)")
                }
            }
            let range = ["--from", "2030-01-01T00:00:00Z", "--to", "2030-02-01T00:00:00Z"]
            let calendar = try await bus.start(["query", "tickets.calendar", "--table"] + range).end()
            #expect(calendar.out.contains(" 4.500  BHD\n"), "\(calendar)")
            let seats = try await bus.query("tickets.seats", "--event", "e3")
            #expect(seats["rows"][0]["price"] == 4500)
        }
    }

    @Test func `an event is not listed in two currencies, nor in one that there is not`() async throws {
        try await onBus { bus in
            func list(_ currencies: String...) async throws -> Ended {
                let sections = currencies.enumerated().map { i, currency in
                    #"{"name":"s\#(i)","rows":[{"label":"A","seats":2}],"price":{"amount":4500,"currency":"\#(currency)"}}"#
                }
                let list = "[\(sections.joined(separator: ","))]"
                return try await bus.run(
                    "send", "ListEvent", "--event", "e1", "--title", "t", "--venue", "v", "--starts-at",
                    "2030-01-01T19:30:00Z", "--sections", list)
            }
            let two = try await list("EUR", "JPY")
            #expect(two.exit == 65 && two.err.contains("an event has one: s0 in EUR; s1 in JPY"), "\(two)")
            let none = try await list("ABC")
            #expect(none.exit == 65 && none.err.contains("the currency of s0: must be a code of ISO 4217"), "\(none)")
        }
    }
}
