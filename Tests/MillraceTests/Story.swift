import Foundation
import TestSupport
import Testing

/// One house's evening, told through processes of their own: what each command and query answers, without offsets and
/// times. Its names are given, so that two logs can be told the same.
struct Story {
    let bus: Bus
    let name: String

    func told() async throws -> [String] {
        _ = try await bus.work()
        let list = [
            "send", "ListEvent", "--event", name, "--title", "Tosca", "--venue", "Opera", "--starts-at",
            "2027-01-01T19:30:00Z", "--id", name + "list", "--sections",
            #"[{"name":"stalls","rows":[{"label":"A","seats":5}],"price":{"amount":4500,"currency":"EUR"}}]"#,
        ]
        var answers = [try await answer(list), try await answer(list)]
        try await eventually("the section to open") {
            try await bus.query("tickets.sections", "--event", name)["rows"].array.isEmpty ? nil : true
        }
        // A hold whose time is over; it expires while others are made.
        let past = Date.now.addingTimeInterval(-360).formatted(.iso8601)
        answers.append(try await hold("A-3", by: "bob", as: "late", more: ["--at", past]))
        let first = try await hold("A-1,A-2", by: "ann", as: "one")
        answers += [first, try await hold("A-2,A-4", by: "bob", as: "two")]
        answers.append(try await confirm("one", by: "bob", "tok_1", id: "wrong"))
        answers.append(try await confirm("one", by: "ann", "4111 1111 1111 1111", id: "card"))
        answers.append(try await confirm("one", by: "ann", "tok_1", id: "sold"))
        answers.append(try await hold("A-4", by: "cy", as: "three"))
        answers.append(
            try await answer(
                [
                    "send", "ReleaseHold", "--event", name, "--section", "stalls", "--hold", name + "three", "--holder",
                    "cy",
                ]
                    + ["--id", name + "released"]))
        let again = try await hold("A-1,A-2", by: "ann", as: "one")
        #expect(again == first)
        answers += [again, try await hold("A-5", by: "ann", as: "one")]
        try await eventually("the hold to expire, and the other to be released") {
            let late = try await bus.query("tickets.hold", "--id", name + "late")["rows"][0]["status"]
            let three = try await bus.query("tickets.hold", "--id", name + "three")["rows"][0]["status"]
            return late == "expired" && three == "released" ? true : nil
        }
        answers.append(try await confirm("late", by: "bob", "tok_1", id: "too-late"))
        for query in ["tickets.seats", "tickets.sections"] {
            answers.append(try await answer(["query", query, "--event", name]))
        }
        for hold in ["late", "one", "two", "three"] {
            answers.append(try await answer(["query", "tickets.hold", "--id", name + hold]))
        }
        return answers
    }

    private func hold(_ seats: String, by holder: String, as hold: String, more: [String] = []) async throws -> String {
        try await answer(
            ["send", "HoldSeats", "--event", name, "--section", "stalls", "--holder", holder, "--seats", seats]
                + ["--hold", name + hold, "--id", name + hold] + more)
    }

    private func confirm(_ hold: String, by holder: String, _ token: String, id: String) async throws -> String {
        try await answer(
            [
                "send", "ConfirmPurchase", "--event", name, "--section", "stalls", "--hold", name + hold, "--holder",
                holder,
            ]
                + ["--payment-token", token, "--id", name + id])
    }

    private func answer(_ arguments: [String]) async throws -> String {
        let ended = try await bus.start(arguments + (arguments[0] == "send" ? ["--timeout", "40s"] : [])).end()
        return "\(arguments.joined(separator: " ")): \(ended.exit)\n\(ended.out)\(ended.err)"
            .replacing(#/"offset":\d+/#, with: #""offset":-"#)
            .replacing(#/"asOf":\{[^}]*\}/#, with: #""asOf":-"#)
            .replacing(#/\d{4}-\d\d-\d\dT[0-9:.]+Z/#, with: "TIME")
    }
}
