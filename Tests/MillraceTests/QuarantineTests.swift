import EventLog
import EventModel
import Foundation
import LocalLog
import SwiftProtobuf
import TestSupport
import Testing

@testable import TicketsDomain

@Suite("The quarantine, on the command line", .serialized, .timeLimit(.minutes(10)))
struct QuarantineTests {
    /// Appends to the bus's log what no producer of ours would write.
    private func garbage(_ bus: Bus, _ key: Bytes, in target: TopicPartition) async throws -> Offset {
        let log = try await LocalLog.open(directory: bus.log)
        let record = NewRecord(key: key, value: Bytes([0xff, 0xff, 0xff]), timestamp: 1_800_000_000_000)
        let offset = try await log.append([Append(target, [record])])[0][0]
        await log.close()
        return offset
    }

    private func quarantine(_ bus: Bus, _ arguments: String...) async throws -> (Ended, [JSON]) {
        let ended = try await bus.start(["quarantine"] + arguments).end()
        return (ended, try ended.lines.map { try JSON($0) })
    }

    @Test func `garbage in a topic stops its key, is shown, and is dropped`() async throws {
        try await onBus { bus in
            let up = try bus.start("up")
            try await bus.list("e1")
            try await bus.list("e2")
            #expect(try await quarantine(bus, "list").0.out.isEmpty)
            let key = Bytes("e1:stalls")
            let target = TopicPartition("tickets.events", Domain.tickets.topics[1].partition(of: key))
            let bad = try await garbage(bus, key, in: target)
            try await bus.settle()
            let (_, listed) = try await quarantine(bus, "list")
            #expect(
                Set(listed.map { $0["worker"].string }) == [
                    "tickets.seatmap", "tickets.calendar", "tickets.open-sections",
                ])
            #expect(listed.allSatisfy { $0["first"].string == "\(target)@\(bad)" && $0["waiting"] == 1 })
            let table = try await bus.run("quarantine", "list", "tickets.seatmap", "--table")
            #expect(
                table.out.contains("e1:stalls") && table.out.contains("is not a millrace.tickets.Event"), "\(table)")

            // The handler that is restarted meets it too; commands of the key wait.
            try await up.stop()
            let again = try bus.start("up")
            try await bus.send(
                "HoldSeats", "--event", "e2", "--section", "stalls", "--hold", "h2", "--holder", "bob", "--seats", "A-1"
            )
            let unanswered = try await bus.run(
                "send", "HoldSeats", "--event", "e1", "--section", "stalls", "--hold", "h1", "--holder", "ann",
                "--seats", "A-1", "--id", "the-hold", "--timeout", "2s")
            #expect(unanswered.exit == 75, "\(unanswered)")
            let (_, waiting) = try await quarantine(bus, "show", "tickets.handler", "e1:stalls")
            #expect(waiting.count == 2 && waiting.last?["type"] == "HoldSeats", "\(waiting)")
            #expect(waiting.first?["base64"] == "////" && waiting.last?["event"]["holder"] == "ann", "\(waiting)")

            let vain = try await bus.run("quarantine", "redrive", "tickets.handler", "e1:stalls", "--json")
            #expect(vain.exit == 65 && vain.err.contains("waits still"), "\(vain)")
            let verified = try await bus.run("verify", "tickets.seatmap", "tickets.calendar")
            #expect(verified.exit == 0, "what waits is left out, and said so: \(verified)")
            for worker in ["tickets.handler", "tickets.seatmap", "tickets.calendar", "tickets.open-sections"] {
                let (dropped, lines) = try await quarantine(bus, "drop", worker, "e1:stalls")
                #expect(dropped.exit == 0 && lines.first?["dropped"] == 1 && lines.first?["waiting"] == 0, "\(dropped)")
            }
            let outcome = try await bus.send(
                "HoldSeats", "--event", "e1", "--section", "stalls", "--hold", "h1", "--holder", "ann", "--seats",
                "A-1", "--id", "the-hold")
            #expect(outcome["id"] == "the-hold")
            try await bus.settle()
            let seats = try await bus.query("tickets.seats", "--event", "e1", "--status", "held")["rows"].array
            #expect(seats.count == 1)
            #expect(try await quarantine(bus, "list").0.out.isEmpty)
            #expect(try await bus.run("verify", "tickets.seatmap", "tickets.calendar").exit == 0)
            let story = try await bus.replay("millrace.quarantine").map { $0["type"].string }
            #expect(Set(story) == ["RecordParked", "ReleaseAsked", "ReleaseBegun", "ReleaseEnded", "RecordReleased"])
            try await again.stop()
        }
    }

    @Test func `what is asked of nobody, or of nothing, is said so`() async throws {
        try await onBus { bus in
            let unknown = try await bus.run("quarantine", "drop", "tickets.seats", "k")
            #expect(unknown.exit == 64 && unknown.err.contains("there is no worker tickets.seats"), "\(unknown)")
            let nothing = try await bus.run("quarantine", "drop", "tickets.seatmap", "k")
            #expect(nothing.exit == 64 && nothing.err.contains("nothing of k waits for tickets.seatmap"), "\(nothing)")
            #expect(try await bus.run("quarantine", "redrive").exit == 0, "nothing waits")
            let time = try await bus.run("quarantine", "redrive", "--wait", "soon")
            #expect(time.exit == 64 && time.err.contains("is no time such as 30s"), "\(time)")
            _ = try await garbage(bus, "s#0", in: TopicPartition("hits.events", 0))
            let worker = try await bus.work("hits.windows")
            try await eventually("it to wait") {
                try await bus.run("quarantine").out.contains("hits.windows") ? true : nil
            }
            try await worker.stop()
            let silent = try await bus.run("quarantine", "drop", "hits.windows", "s#0", "--wait", "200ms")
            #expect(silent.exit == 75 && silent.err.contains("millrace work hits.windows"), "\(silent)")
            let next = try await bus.work("hits.windows")
            try await eventually("it to be carried out all the same") {
                try await bus.run("quarantine").out.isEmpty ? true : nil
            }
            try await next.stop()
        }
    }

    /// Starts a worker that dies of some records, again and again, until it lives.
    private func survive(_ kind: String, _ bus: Bus, until isDone: () async throws -> Bool) async throws -> Int {
        let program = URL(fileURLWithPath: Bus.program).deletingLastPathComponent().appendingPathComponent("Mortal")
            .path
        for deaths in 0..<20 {
            let worker = try bus.start(program: program, [kind, bus.folder])
            let lived: Bool = try await eventually("\(kind) to live or die") {
                if worker.hasEnded { return false }
                return try await isDone() ? true : nil
            }
            if lived {
                try await worker.stop()
                return deaths
            }
        }
        return 20
    }

    @Test func `a record that workers die of is given up, and the others flow`() async throws {
        try await onBus { bus in
            // A handler: three holds of one section, and of others; the second is deadly.
            let up = try bus.start("up")
            for event in ["e1", "e2", "e3"] { try await bus.list(event) }
            try await up.stop()
            func hold(_ event: String, _ hold: String, _ holder: String, _ seat: String) async throws {
                _ = try await bus.run(
                    "send", "HoldSeats", "--event", event, "--section", "stalls", "--hold", hold, "--holder", holder,
                    "--seats", seat, "--id", hold, "--timeout", "1ms")
            }
            for event in ["e1", "e2", "e3"] {
                try await hold(event, "\(event)-1", "ann", "A-1")
                if event == "e1" { try await hold(event, "deadly", "deadly", "A-2") }
                try await hold(event, "\(event)-2", "bob", "A-3")
            }
            let deaths = try await survive("handler", bus) {
                let held = try await bus.replay("tickets.outcomes").map { $0["event"]["id"].string }
                return Set(held).isSuperset(of: ["e1-1", "e2-1", "e2-2", "e3-1", "e3-2"])
            }
            #expect((1..<10).contains(deaths), "it died \(deaths) times")
            let (_, waiting) = try await quarantine(bus, "list", "tickets.handler")
            #expect(waiting.count == 1 && waiting[0]["waiting"] == 2 && waiting[0]["key"] == "e1:stalls")
            #expect(waiting.first?["reason"].string.contains("died") ?? false, "\(waiting)")
            // The program's own handler does not die of it.
            let healthy = try await bus.work("tickets.handler")
            let (redriven, _) = try await quarantine(bus, "redrive", "tickets.handler")
            #expect(redriven.exit == 0, "\(redriven)")
            try await healthy.stop()
            #expect(try await bus.run("verify", "--decisions").exit == 0)

            // A projector.
            let hits = (0..<500).map { #"{"site":"s\#($0 % 7)","visitor":"\#($0 == 250 ? "deadly" : "v")"}"# }
            #expect(try await bus.run("produce", "Hit", stdin: hits.joined(separator: "\n")).exit == 0)
            let folds = try await survive("projector", bus) {
                try await bus.run("lag", "--sum", "--json").lines.contains {
                    $0.contains("\"hits.windows\"") && $0.contains("\"lag\":0")
                }
            }
            #expect((1..<10).contains(folds), "it died \(folds) times")
            let (_, parked) = try await quarantine(bus, "list", "hits.windows")
            #expect(parked.count == 1 && parked[0]["reason"].string.contains("died"), "\(parked)")
            #expect(try await bus.run("verify", "hits.windows").exit == 0)

            // A reactor.
            let listing = try await bus.run(
                "send", "ListEvent", "--event", "e9", "--title", "deadly", "--venue", "Opera", "--starts-at",
                "2027-01-01T19:30:00Z", "--sections",
                #"[{"name":"s","rows":[{"label":"A","seats":2}],"price":{"amount":1,"currency":"EUR"}}]"#,
                "--timeout", "1ms")
            #expect(listing.exit == 75)
            let handler = try await bus.work("tickets.handler")
            try await eventually("the event to be listed") {
                try await bus.replay("tickets.events", "--type", "EventListed").count == 4 ? true : nil
            }
            try await handler.stop()
            let reactions = try await survive("reactor", bus) {
                try await quarantine(bus, "list", "tickets.open-sections").1.count == 1
            }
            #expect((1..<10).contains(reactions), "it died \(reactions) times")
        }
    }
}
