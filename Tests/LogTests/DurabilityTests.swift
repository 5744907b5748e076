import EventLog
import EventModel
import Testing

@Suite("A durable log opened again", .timeLimit(.minutes(10)))
struct DurabilityTests {
    @Test(arguments: Carrier.promising(.durable))
    func `everything is found again, and goes on where it was`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 2)
            let given = NewRecord(
                key: "a", value: Bytes([0, 255]), timestamp: noon, headers: [Header("id", "1"), Header("id", "2")])
            let first = try await bench.log.append([Append(events[0], [given, NewRecord("b", "2")])])[0]
            let bounds = try await bench.log.bounds(of: events)
            try await bench.reopen()

            let topics = try await bench.log.topics()
            #expect(topics.first { $0.name == events[0].topic }?.partitions == 2)
            await refuses(.mismatch) { try await bench.topic(partitions: 3) }
            #expect(try await bench.log.bounds(of: events) == bounds)
            let second = try await bench.append(["c"], to: events[0])
            #expect(second[0] > first[1])

            try await bench.reopen()
            let came = try await bench.contents(of: events[0])
            #expect(came.map(\.offset) == first + second)
            #expect(came.map(\.key) == ["a", "b", "c"])
            #expect(came.first?.value == given.value)
            #expect(came.first?.headers == given.headers)
            #expect(came.first?.timestamp == noon)
            #expect(try await bench.contents(of: events[1]).isEmpty)
        }
    }

    @Test(arguments: Carrier.promising(.durable))
    func `a group goes on where it had committed`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 2)
            let offsets = try await bench.append(["a", "b", "c"], to: events[0])
            try await bench.append(["d"], to: events[1])
            let first = try await bench.join("group", events)
            try await drive(first, until: "4 records") { first.haul.count == 4 }
            try await first.member.commit([events[0]: offsets[1]])
            await first.member.leave()
            try await bench.reopen()
            #expect(try await bench.log.committed(bench.name("group"), events) == [events[0]: offsets[1]])
            let second = try await bench.join("group", events)
            try await drive(second, until: "3 records") { second.haul.count >= 3 }
            #expect(second.haul.texts(events[0]) == ["b", "c"])
            #expect(second.haul.texts(events[1]) == ["d"])
            await second.member.leave()
        }
    }

    @Test(arguments: Carrier.promising([.durable, .transactions]))
    func `a transaction is found again whole, and one that failed not at all`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let commands = try await bench.topic("commands")
            let events = try await bench.topic("events", partitions: 2)
            let asked = try await bench.append(["a"], to: commands[0])
            let worker = try await bench.join("group", commands)
            try await drive(worker, until: "a command") { worker.haul.count == 1 }
            let over = NewRecord(key: "", value: Bytes(repeating: 1, count: Limits.valueBytes + 1), timestamp: noon)
            await refuses(.tooLarge) {
                try await worker.transact([Append(events[0], [NewRecord("a", "1")]), Append(events[1], [over])])
            }
            let written = try await worker.transact([
                Append(events[0], [NewRecord("a", "2")]), Append(events[1], [NewRecord("a", "3")]),
            ])
            await worker.member.leave()
            try await bench.reopen()
            for (i, (partition, text)) in zip(events, ["2", "3"]).enumerated() {
                let came = try await bench.contents(of: partition)
                #expect(came.map(\.value.text) == [text])
                #expect(came.map(\.offset) == written[i])
            }
            #expect(try #require(try await bench.committed(commands[0])) > asked[0])
        }
    }

    @Test(arguments: Carrier.maintained.filter { $0.promises.contains(.durable) })
    func `what maintenance removed stays removed`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic("events", retention: .seconds(3600))
            let states = try await bench.topic("states", cleanup: .compact)
            for hour in 0..<4 {
                let record = NewRecord("a", "\(hour)", at: noon + .seconds(hour * 3600))
                _ = try await bench.log.append([Append(events[0], [record])])
                _ = try await bench.log.append([Append(states[0], [record])])
            }
            let log = try #require(bench.log as? any Maintained)
            try await log.maintain(at: noon + .seconds(3 * 3600 + 60))
            let bounds = try await bench.log.bounds(of: events + states)
            try await bench.reopen()
            #expect(try await bench.log.bounds(of: events + states) == bounds)
            #expect(try await bench.contents(of: events[0]).map(\.value) == ["3"])
            #expect(try await bench.contents(of: states[0]).map(\.value) == ["3"])
        }
    }
}
