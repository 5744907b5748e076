import EventLog
import EventModel
import Foundation
import LocalLog
import TestSupport
import Testing

@Suite("Replaying topics", .serialized, .timeLimit(.minutes(10)))
struct ReplayTests {
    /// Twenty hits of one visitor, a minute apart from 2026-11-01T00:00:00Z on; all have one key, hence one partition.
    private func produce(_ bus: Bus) async throws -> Int {
        let lines = (0..<20).map {
            #"{"site":"home","path":"/\#($0)","visitor":"v","@time":\#(1_793_491_200 + 60 * $0)}"#
        }
        try await bus.run("produce", "Hit", stdin: lines.joined(separator: "\n"))
        return try await bus.replay("hits.events", "--limit", "1")[0]["partition"].int
    }

    @Test func `what only a newer program knows is not shown, and that is told`() async throws {
        try await onBus { bus in
            _ = try await produce(bus)
            #expect(try await bus.run("replay", "hits.events").err == "")
            let hit: [UInt8] = [0x0a, 0x03, 0x0a, 0x01, 0x73]
            let values: [[UInt8]] = [[0x0a, 0x06] + hit[2...] + [0x7a, 0x01, 0x78], hit, [0x9a, 0x06, 0x00]]
            let log = try await LocalLog.open(directory: bus.log)
            _ = try await log.append([
                Append(
                    TopicPartition("hits.events", 0),
                    values.map { NewRecord(key: "s#0", value: Bytes($0), timestamp: 1_793_491_200_000) })
            ])
            await log.close()
            let ended = try await bus.run("replay", "hits.events", "--key", "s#0")
            #expect(ended.exit == 0 && ended.lines.count == 3, "\(ended)")
            #expect(
                ended.err.contains(
                    "2 of 3 records have fields or events of a newer program, the first is hits.events/0@"),
                "\(ended)")
            #expect(try await bus.run("replay", "hits.events", "--count").err == "")
        }
    }

    @Test func `every form of a position begins and stops where it says`() async throws {
        try await onBus { bus in
            _ = try await produce(bus)
            let cases: [([String], Range<Int>)] = [
                ([], 0..<20), (["--from", "start"], 0..<20), (["--from", "end"], 0..<0), (["--from", "17"], 17..<20),
                (["--from", "-3"], 17..<20), (["--from", "+4"], 4..<20), (["--to", "5"], 0..<5),
                (["--to", "-18"], 0..<2),
                (["--to", "+3"], 0..<3), (["--from", "@2026-11-01T00:10:00Z"], 10..<20),
                (["--from", "@2026-11-01T00:09:30Z", "--to", "@2026-11-01T01:12:00+01:00"], 10..<13),
                (["--from", "@2026-11-01T00:10:00Z", "--to", "@2026-11-01T00:11:59.999Z"], 10..<12),
                (["--from", "@2026-11-01T00:12:00Z", "--to", "@2026-11-01T00:12:00Z"], 12..<13),
                (["--from", "first@2026-11-01T00:09:30Z", "--to", "first@2026-11-01T00:12:00Z"], 10..<12),
                (["--from", "first@2026-11-01T00:19:30Z"], 0..<0), (["--to", "first@2026-11-01T00:00:00Z"], 0..<0),
                (["--from", "@2026-11-01T00:10:00Z", "--to", "13"], 10..<13),
                (["--from", "-15", "--to", "@2026-11-01T00:06:00Z"], 5..<7),
                (["--from", "@-9223372036854775808"], 0..<20), (["--from", "@9223372036854775807"], 0..<0),
                (["--to", "@9223372036854775807"], 0..<20), (["--to", "@-9223372036854775808"], 0..<0),
                (["--to", "first@9223372036854775807"], 0..<20), (["--to", "first@-9223372036854775808"], 0..<0),
                (["--from", "@-1m"], 0..<0), (["--from", "@-20000d"], 0..<20), (["--from", "99"], 0..<0),
                (["--from", "-99"], 0..<20), (["--from", "7", "--to", "7"], 0..<0),
                (["--from=-2", "--to=end"], 18..<20),
                (["--limit", "4"], 0..<4), (["--from", "-6", "--limit", "2"], 14..<16), (["--limit", "0"], 0..<0),
                (["--type", "Hit"], 0..<20), (["--type", "unknown-7"], 0..<0), (["--key", "nobody"], 0..<0),
            ]
            for (arguments, offsets) in cases {
                let ended = try await bus.start(["replay", "hits.events"] + arguments).end()
                #expect(ended.exit == 0, "\(arguments) \(ended)")
                #expect(try ended.lines.map { try JSON($0)["offset"].int } == Array(offsets), "\(arguments)")
            }
            for (position, exit) in [("yesterday", 64), ("@noon", 64), ("+x", 64)] {
                let ended = try await bus.run("replay", "hits.events", "--from", position)
                #expect(Int(ended.exit) == exit && ended.err.contains("is no position: start, end, 17"), "\(ended)")
            }
            for (from, to) in [
                ("7", "3"), ("+7", "+3"), ("-3", "-7"), ("end", "start"), ("@-1h", "@-2h"), ("first@-1h", "first@-2h"),
                ("@2026-11-01T00:00:01Z", "@2026-11-01T00:00:00.999Z"),
                ("@2026-11-01T00:12:00Z", "@2026-11-01T00:11:00Z"),
            ] {
                let ended = try await bus.run("replay", "hits.events", "--from", from, "--to", to)
                #expect(ended.exit == 64 && ended.err.contains("\(from) is behind to \(to)"), "\(ended)")
            }
        }
    }

    @Test func `records that came late are of their time, in the order of the log`() async throws {
        try await onBus { bus in
            // The later first; then one that is far ahead, and others after it.
            let seconds = [44, 3, 59, 10, 20]
            let hits = seconds.map { #"{"site":"home","path":"/\#($0)","visitor":"v","@time":\#(1_793_491_200 + $0)}"# }
            #expect(try await bus.run("produce", "Hit", stdin: hits.joined(separator: "\n")).exit == 0)
            func found(_ arguments: String...) async throws -> [Int] {
                let ended = try await bus.start(["replay", "hits.events"] + arguments).end()
                #expect(ended.exit == 0, "\(ended)")
                return try ended.lines.map { seconds[try JSON($0)["offset"].int] }
            }
            func at(_ second: Int) -> String { "@2026-11-01T00:00:\(second < 10 ? "0" : "")\(second)Z" }
            #expect(try await found("--from", at(0), "--to", at(9)) == [3])
            #expect(try await found("--from", at(3), "--to", at(44)) == [44, 3, 10, 20])
            #expect(try await found("--from", at(45)) == [59])
            #expect(try await found("--to", at(10)) == [3, 10])
            #expect(try await found("--from", at(5), "--to", "4") == [44, 59, 10])
            #expect(try await found("--from", "1", "--to", at(20)) == [3, 10, 20])
            #expect(try await found("--from", "first" + at(45)) == [59, 10, 20])
            #expect(try await found("--to", "first" + at(45)) == [44, 3])
            let counted = try await bus.run("replay", "hits.events", "--from", at(0), "--to", at(9), "--count")
            #expect(counted.out == "1\n", "\(counted)")

            let fresh = "sqlite:\(bus.folder)/fresh"
            let folded = try await bus.run(
                "replay", "hits.events", "--from", at(3), "--to", at(20), "--into", "hits.windows", "--views", fresh)
            #expect(folded.exit == 0 && folded.out.contains(#""folded":3"#), "\(folded)")

            let follower = try bus.start("replay", "hits.events", "--from", at(20), "--follow", "--limit", "4")
            try await eventually("the follower to show what is there") { follower.out.contains(#"/20""#) ? true : nil }
            let more = [5, 30].map { #"{"site":"home","path":"/\#($0)","visitor":"v","@time":\#(1_793_491_200 + $0)}"# }
            #expect(try await bus.run("produce", "Hit", stdin: more.joined(separator: "\n")).exit == 0)
            let ended = try await follower.end(within: .seconds(300))
            let paths = try ended.lines.map { try JSON($0)["event"]["path"].string }
            #expect(paths == ["/44", "/59", "/20", "/30"], "\(ended)")
        }
    }

    @Test func `a line has place, time, key, type and event, and other shapes have the same`() async throws {
        try await onBus { bus in
            let partition = try await produce(bus)
            let line = try await bus.run("replay", "hits.events", "--limit", "1")
            let key = try JSON(line.out)["key"].string
            #expect(key.hasPrefix("home#"))
            #expect(
                line.out == """
                    {"topic":"hits.events","partition":\(partition),"offset":0,"timestamp":"2026-11-01T00:00:00Z",\
                    "key":"\(key)","type":"Hit","event":{"site":"home","path":"/0","visitor":"v"}}

                    """)
            #expect(try await bus.replay("hits.events", "--key", key).count == 20)
            #expect(try await bus.replay("hits.events", "--partition", "\(partition)").count == 20)
            #expect(try await bus.replay("hits.events", "--partition", "\((partition + 1) % 8)").isEmpty)
            #expect(try await bus.run("replay", "hits.events", "--partition", "8").exit == 64)
            #expect(try await bus.run("replay", "hits.events", "--count", "--from", "12").out == "8\n")
            #expect(try await bus.run("replay", "hits.events", "tickets.events", "--count").out == "20\n")
            let csv = try await bus.run("replay", "hits.events", "--csv", "--limit", "1").lines
            #expect(csv[0] == "topic,partition,offset,timestamp,key,type,event")
            #expect(
                csv[1]
                    == #"hits.events,\#(partition),0,2026-11-01T00:00:00Z,\#(key),Hit,"{""site"":""home"",""path"":""/0"",""visitor"":""v""}""#
            )
            let verbs = try await bus.run(
                "replay", "hits.events", "--limit", "1", "--format", #"%t|%p|%o|%d|%k|%K|%V|%S|%h|%y|%j|%%\t\\\n"#)
            let size = 2 + 2 + 4 + 2 + 2 + 2 + 1
            #expect(
                verbs.out == """
                    hits.events|\(partition)|0|1793491200000|\(key)|\(key.utf8.count)|\(size)|\(size)||Hit|\
                    {"site":"home","path":"/0","visitor":"v"}|%\t\\

                    """)
            let wrong = try await bus.run("replay", "hits.events", "--format", "%x")
            #expect(wrong.exit == 64 && wrong.err.contains("--format has %x; there are %t"))
            let topic = try await bus.run("replay", "hats.events")
            #expect(topic.exit == 64 && topic.err.contains("there is no topic hats.events"))
        }
    }

    @Test func `commands and outcomes are readable too`() async throws {
        try await onBus { bus in
            _ = try await bus.work()
            try await bus.list()
            let command = try await bus.replay("tickets.commands", "--type", "ListEvent")[0]
            #expect(command["key"] == "e1" && command["event"]["title"] == "Tosca")
            #expect(try await bus.replay("tickets.outcomes").contains { $0["event"]["outcome"] == "accepted" })
            let caused = try await bus.run("replay", "tickets.events", "--type", "EventListed", "--format", #"%h\n"#)
            #expect(caused.out.hasPrefix("cause=") && caused.out.hasSuffix(",type=EventListed\n"))
        }
    }

    @Test func `following is woken by what another process produces`() async throws {
        try await onBus { bus in
            _ = try await produce(bus)
            let follower = try bus.start("replay", "hits.events", "--from", "-1", "--follow", "--limit", "3")
            try await eventually("the follower to show the last hit") {
                follower.out.contains(#""offset":19"#) ? true : nil
            }
            try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#)
            try await eventually("the follower to wake") { follower.out.contains(#""offset":20"#) ? true : nil }
            #expect(!follower.hasEnded)
            try await bus.run("produce", "Hit", stdin: #"{"site":"home","visitor":"v"}"#)
            let ended = try await follower.end(within: .seconds(300))
            #expect(ended.exit == 0 && ended.lines.count == 3)
        }
    }

    @Test func `a range folded into fresh tables equals the live view and leaves it alone`() async throws {
        try await onBus { bus in
            let hits = (0..<3000).map { i in
                #"{"site":"s\#(i % 4)","visitor":"v\#(i % 57)","@time":\#(1_793_491_200 + (i * 37) % 7000)}"#
            }
            try await bus.run("produce", "Hit", stdin: hits.joined(separator: "\n"))
            let worker = try await bus.work()
            try await bus.settle()
            try await worker.stop()
            let live = try Tables("\(bus.log)/views/hits.windows@1.sqlite")
            #expect(live.rows["hits_seconds"]?.isEmpty == false)
            let fresh = "\(bus.folder)/fresh"
            let into = ["replay", "hits.events", "--into", "hits.windows", "--views", "sqlite:" + fresh]
            let folded = try await bus.start(into).end()
            #expect(
                folded.out == #"{"projection":"hits.windows","folded":3000,"views":"sqlite:\#(fresh)"}"# + "\n",
                "\(folded)")
            #expect(try Tables("\(fresh)/hits.windows@1.sqlite").hash == live.hash)
            #expect(try Tables("\(bus.log)/views/hits.windows@1.sqlite").hash == live.hash)
            let again = try await bus.start(into).end()
            #expect(again.exit == 73 && again.err.contains("has hits.windows already; give --views a fresh place"))
            #expect(try Tables("\(fresh)/hits.windows@1.sqlite").hash == live.hash)

            let part = "sqlite:\(bus.folder)/part"
            try await bus.run("replay", "hits.events", "--to", "+10", "--into", "hits.windows", "--views", part)
            let rows = try Tables("\(bus.folder)/part/hits.windows@1.sqlite").rows["hits_seconds"] ?? []
            #expect(!rows.isEmpty && rows.count <= 160)
            let foreign = try await bus.run("replay", "tickets.events", "--into", "hits.windows", "--views", part)
            #expect(foreign.exit == 64)
            #expect(try await bus.run("replay", "hits.events", "--into", "hits.windows").exit == 64)
        }
    }
}
