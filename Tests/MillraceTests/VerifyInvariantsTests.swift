import EventLog
import EventModel
import LocalLog
import TestSupport
import Testing

@Suite("Verifying invariants", .serialized, .timeLimit(.minutes(10)))
struct VerifyInvariantsTests {
    private func verify(_ bus: Bus, _ arguments: String...) async throws -> (Ended, [JSON]) {
        let ended = try await bus.start(["verify", "--invariants"] + arguments).end()
        return (ended, try ended.lines.map { try JSON($0) })
    }

    @Test func `each has a row, and those that hold at rest are checked when it is said`() async throws {
        try await onBus { bus in
            #expect(try await bus.run("demo", "--seconds", "1", "--fans", "8").exit == 0)
            // What the demo's workers had begun when it ended. Holds that expire while the workers stop are left to the next.
            try await eventually("nothing to be left to do") {
                let worker = try await bus.work()
                try await bus.settle()
                try await worker.stop()
                return try await bus.run("lag", "--wait", "0s").exit == 0 ? true : nil
            }
            let (always, findings) = try await verify(bus)
            #expect(always.exit == 0 && always.err.isEmpty, "\(always)")
            #expect(Set(findings.map { $0["check"].string }) == ["invariant"])
            #expect(findings.allSatisfy { $0["problem"] == nil && $0["holds"] == "always" })
            let names = findings.map { $0["what"].string }
            #expect(names.contains("tickets: no seat has two owners at once"), "\(names)")
            #expect(names.contains("orders: an id has one outcome, whose events are on the log once"))
            #expect(findings.first { $0["what"] == "tickets: no seat has two owners at once" }?["count"].int ?? 0 > 10)

            let (rest, all) = try await verify(bus, "--at-rest")
            #expect(rest.exit == 0, "\(rest)")
            #expect(all.count > findings.count && Set(all.map { $0["holds"].string }) == ["always", "at rest"])
            let table = try await bus.run("verify", "--at-rest", "--table")
            #expect(table.exit == 0 && table.out.contains("INVARIANT"), "\(table)")
            #expect(table.out.contains("social: a timeline is what pulling from all and merging gives"))
        }
    }

    @Test func `what holds at rest is not held against a log where something is left to do`() async throws {
        try await onBus { bus in
            let order = #"{"order":"o1","customer":"ann"}"#
            #expect(try await bus.run("send", "PlaceOrder", order, "--timeout", "0s").exit == 75)
            let (busy, none) = try await verify(bus, "--at-rest")
            #expect(busy.exit == 75 && none.isEmpty)
            #expect(busy.err.contains("orders.handler is behind by 1"), "\(busy)")
            #expect(try await verify(bus).0.exit == 0)
        }
    }

    /// A log with one seat held, and nothing left to do.
    private func held(_ bus: Bus) async throws -> JSON {
        let worker = try await bus.work("handler", "reactor", "projector")
        try await bus.list()
        let outcome = try await bus.send(
            "HoldSeats", "--event", "e1", "--section", "stalls", "--hold", "h1", "--holder", "ann", "--seats", "A-1")
        try await bus.settle()
        try await worker.stop()
        #expect(try await verify(bus, "--at-rest").0.exit == 0)
        return outcome["events"][0]
    }

    @Test func `an event that is there again is named, by what it breaks`() async throws {
        try await onBus { bus in
            let event = try await held(bus)
            let place = TopicPartition("tickets.events", Partition(event["partition"].int))
            let offset = Offset(Int64(event["offset"].int))
            let log = try await LocalLog.open(directory: bus.log)
            try await log.scan(place, from: offset, to: offset + 1) { batch in
                let copies = batch.records.map {
                    NewRecord(key: $0.key, value: $0.value, timestamp: $0.timestamp, headers: $0.headers)
                }
                _ = try await log.append([Append(place, copies)])
            }
            await log.close()
            let (broken, findings) = try await verify(bus)
            #expect(broken.exit == 65, "\(broken)")
            let said = "seat A-1 of e1:stalls is h1's and is held by h1 at \(place)"
            #expect(broken.err.hasPrefix("millrace: tickets: no seat has two owners at once: \(said)"), "\(broken)")
            #expect(findings.filter { $0["problem"] != nil }.map { $0["what"].string } == [Self.seats])
            // Workers take it as it is; then no outcome is found that tells of it.
            let worker = try await bus.work("reactor", "projector")
            try await bus.settle()
            try await worker.stop()
            let rest = try await verify(bus, "--at-rest")
            let problems = rest.1.map { $0["problem"].string }
            #expect(rest.0.exit == 65 && problems.contains { $0.contains("SeatHeld at \(place)") }, "\(rest.0)")
            #expect(problems.contains { $0.contains("is told of by no outcome") }, "\(problems)")
            let table = try await bus.run("verify", "--invariants", "--table")
            #expect(table.out.contains(#/no seat has two owners at once .* WRONG/#), "\(table)")
        }
    }
    private static let seats = "tickets: no seat has two owners at once"

    @Test func `an outcome that is gone is named, unless it is past its retention`() async throws {
        try await onBus { bus in
            let event = try await held(bus)
            let partition = event["partition"].int
            try Tables.change(
                bus.log + "/log.sqlite",
                """
                DELETE FROM batches WHERE id = (SELECT b.id FROM batches b JOIN partitions p ON b.id >> 40 = p.id
                WHERE p.topic = 'tickets.outcomes' AND p.partition = \(partition) ORDER BY b.id LIMIT 1)
                """)
            let (broken, _) = try await verify(bus)
            #expect(broken.exit == 65 && broken.err.contains("is told of by no outcome"), "\(broken)")
            try Tables.change(
                bus.log + "/log.sqlite",
                "UPDATE partitions SET first = 1 WHERE topic = 'tickets.outcomes' AND partition = \(partition)")
            let (shorter, findings) = try await verify(bus)
            #expect(shorter.exit == 0, "\(shorter)")
            let unchecked = findings.filter { $0["unchecked"] != nil }
            #expect(
                unchecked.map { $0["what"].string } == [
                    "tickets: an id has one outcome, whose events are on the log once"
                ])
            #expect(unchecked[0]["unchecked"].string.contains("tickets.outcomes/\(partition) begins at 1"))
            let table = try await bus.run("verify", "--invariants", "--table")
            #expect(table.exit == 0 && table.out.contains("not checked"), "\(table)")
        }
    }
}
