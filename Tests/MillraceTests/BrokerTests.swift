import EventModel
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite(
    "The program on a broker", .serialized, .timeLimit(.minutes(10)),
    .enabled(if: Broker.address != nil, Broker.absent))
struct BrokerTests {
    @Test func `commands are answered as on the embedded log`() async throws {
        let name = Broker.name()
        var expected: [String] = []
        try await onBus { expected = try await Story(bus: $0, name: name).told() }
        var told: [String] = []
        try await onBroker { told = try await Story(bus: $0, name: name).told() }
        #expect(told == expected)
    }

    @Test func `hits that two workers of each kind fold give the rows of the embedded log`() async throws {
        let name = Broker.name()
        let start = Int(Date.now.timeIntervalSince1970) - 1800
        let hits = (0..<3000).map { i in
            #"{"site":"\#(name)\#(i % 3)","path":"/\#(i % 7)","visitor":"v\#(i % 91)","@time":\#(start + i * 37 % 1200)}"#
        }
        let lines = (0..<2000).map { i in
            let time = Self.stamp(start + i / 2)
            return #"10.0.0.\#(i % 97) - - [\#(time) +0000] "GET /\#(i % 11) HTTP/1.1" 200 \#(i)"#
        }
        func rows(_ bus: Bus) async throws -> Tables {
            for _ in 0..<2 { for kind in ["handler", "reactor", "projector"] { _ = try await bus.work(kind) } }
            let file = try bus.file("access.log", lines.joined(separator: "\n") + "\n")
            let importing = try bus.start("import", "access-log", file, "--site", name + "log")
            let produced = try await bus.run("produce", "Hit", stdin: hits.joined(separator: "\n"))
            #expect(try JSON(produced.out)["produced"].int == hits.count, "\(produced)")
            #expect(try JSON(try await importing.end().out)["imported"].int == lines.count)
            let again = try JSON(try await bus.run("import", "access-log", file, "--site", name + "log").out)
            #expect(again["imported"] == 0 && again["alreadyImported"].int == lines.count)
            var seen = 0
            return try await eventually("all hits in the view; it has \(seen)") {
                guard let tables = try? Tables("\(bus.views)/hits.windows@1.sqlite").naming(name) else { return nil }
                seen = (tables.rows["hits_seconds"] ?? []).reduce(0) { sum, row in
                    sum + row.split(separator: "|").suffix(2).reduce(0) { $0 + (Int($1) ?? 0) }
                }
                return seen >= hits.count + lines.count ? tables : nil
            }
        }
        var expected = Tables.none
        try await onBus { expected = try await rows($0) }
        var came = Tables.none
        try await onBroker { came = try await rows($0) }
        #expect(expected.rows["hits_watermarks"]?.isEmpty == false)
        #expect(came.hash == expected.hash)
    }

    @Test func `a handler killed in the middle of holds loses none and sells no seat twice`() async throws {
        try await onBroker { bus in
            let event = Broker.name()
            let (seats, holds) = (40, 60)
            _ = try await bus.work("reactor", "projector")
            var handler = try await bus.work("handler")
            try await bus.list(event, rows: 4, seats: 10)
            // Each of the first 20 seats is wanted twice; four ask at a time.
            let outcomes = Outcomes()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for asker in 0..<4 {
                    group.addTask {
                        for i in stride(from: asker, to: holds, by: 4) {
                            let (hold, seat) = ("\(event)\(i)", i % seats)
                            let ended = try await bus.start(
                                "send", "HoldSeats", "--event", event, "--section", "stalls", "--holder", "holder-\(i)",
                                "--seats", "\(["A", "B", "C", "D"][seat / 10])-\(seat % 10 + 1)", "--hold", hold,
                                "--id",
                                hold, "--timeout", "80s"
                            ).end(within: .seconds(300))
                            try #require([0, 1].contains(ended.exit), "\(ended)")
                            let outcome = try JSON(ended.out)
                            outcomes.all.withLock { $0[hold] = outcome }
                        }
                    }
                }
                for answered in [8, 24] {
                    try await eventually("\(answered) answers", within: .seconds(300)) {
                        outcomes.all.withLock { $0.count >= answered } ? true : nil
                    }
                    try await handler.crash()
                    handler = try await bus.work("handler")
                }
                try await group.waitForAll()
            }
            let accepted = outcomes.all.withLock { $0.filter { $0.value["outcome"] == "accepted" } }
            #expect(accepted.count == seats)
            let held = try await bus.replay("tickets.events", "--type", "SeatHeld").map { ($0, $0["event"]) }
                .filter { $0.1["event"].string == event }
            #expect(held.count == accepted.count)
            #expect(Set(held.map { $0.1["hold"].string }) == Set(accepted.keys))
            #expect(Set(held.flatMap { $0.1["seats"].array }).count == held.count)
            for (record, fact) in held {
                let said = accepted[fact["hold"].string]?["events"][0]
                #expect(said?["partition"] == record["partition"] && said?["offset"] == record["offset"])
            }
            try await eventually("every seat to be held in the view") {
                try await bus.query("tickets.sections", "--event", event)["rows"][0]["held"].int == seats ? true : nil
            }
        }
    }

    private final class Outcomes: Sendable {
        let all = Mutex<[String: JSON]>([:])
    }

    @Test(.enabled(if: Broker.kcat != nil, "kcat is not installed"))
    func `kcat reads what replay shows, and keys are where Kafka's partitioner puts them`() async throws {
        try await onBroker { bus in
            let (name, kcat) = (Broker.name(), try #require(Broker.kcat))
            _ = try await bus.work()
            try await bus.list(name)
            try await bus.send(
                "HoldSeats", "--event", name, "--section", "stalls", "--holder", "ann", "--seats", "A-1")
            let hits = (0..<200).map { #"{"site":"\#(name)\#($0 % 3)","visitor":"v\#($0)"}"# }
            #expect(try await bus.run("produce", "Hit", stdin: hits.joined(separator: "\n")).exit == 0)
            for (topic, count) in [("tickets.events", 3), ("hits.events", 200)] {
                let format = #"%p %o %k %S %h\n"#
                let ours = try await bus.start("replay", topic, "--format", format).end()
                let theirs = try await bus.plain(
                    [
                        "-b", try #require(Broker.address), "-C", "-t", topic, "-e", "-q", "-X",
                        "isolation.level=read_committed", "-f", format,
                    ], program: kcat)
                #expect(ours.exit == 0 && theirs.exit == 0, "\(ours)\n\(theirs)")
                let own = ours.lines.filter { $0.contains(name) }
                #expect(own.count == count)
                #expect(own.sorted() == theirs.lines.filter { $0.contains(name) }.sorted())
                let partitions = try JSON(try await bus.run("topics", "describe", topic, "--json").out)["partitions"]
                    .int
                for line in own {
                    let fields = line.split(separator: " ")
                    let partition = Partitioner.partition(of: Bytes(String(fields[2])), among: partitions)
                    #expect(fields[0] == partition.description, "\(line)")
                }
            }
        }
    }

    private static func stamp(_ seconds: Int) -> String {
        var (time, parts) = (time_t(seconds), tm())
        gmtime_r(&time, &parts)
        return String(unsafeUninitializedCapacity: 40) { buffer in
            buffer.withMemoryRebound(to: CChar.self) { strftime($0.baseAddress!, 40, "%d/%b/%Y:%H:%M:%S", &parts) }
        }
    }
}
