import EventLog
import EventModel
import Testing

@Suite("Appending to a log", .timeLimit(.minutes(10)))
struct AppendTests {
    @Test(arguments: Carrier.all)
    func `keys, values, headers and timestamps come back in order`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            let given = [
                NewRecord(
                    key: "müller", value: Bytes([0, 255, 128, 10]), timestamp: noon,
                    headers: [Header("id", "1"), Header("type", "SeatHeld"), Header("id", "2"), Header("none", "")]),
                NewRecord("", "no key"),
                NewRecord("no value", ""),
                NewRecord("earlier", "than the one before", at: noon - .seconds(3600)),
                NewRecord("a millisecond later", "", at: noon + .milliseconds(1)),
            ]
            _ = try await bench.log.append([Append(events[0], given)])
            let came = try await bench.contents(of: events[0])
            #expect(
                came.map { NewRecord(key: $0.key, value: $0.value, timestamp: $0.timestamp, headers: $0.headers) }
                    == given)
        }
    }

    @Test(arguments: Carrier.all)
    func `offsets ascend and bounds tell`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            let empty = try await bench.bounds(of: events[0])
            #expect(empty.isEmpty)
            let first = try await bench.append(["a", "b", "c"], to: events[0])
            let second = try await bench.append(["d", "e"], to: events[0])
            let offsets = first + second
            #expect(offsets.count == 5)
            #expect(zip(offsets, offsets.dropFirst()).allSatisfy { $0 < $1 })
            let bounds = try await bench.bounds(of: events[0])
            #expect(bounds.lowerBound <= offsets[0])
            #expect(bounds.upperBound == offsets[4] + 1)
            #expect(try await bench.contents(of: events[0]).map(\.offset) == offsets)
        }
    }

    @Test(arguments: Carrier.all)
    func `one append may name several topics and one partition twice`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic("events", partitions: 2)
            let others = try await bench.topic("others")
            let offsets = try await bench.log.append([
                Append(events[1], [NewRecord("a", "1"), NewRecord("b", "2")]),
                Append(others[0], [NewRecord("c", "3")]),
                Append(events[0], []),
                Append(events[1], [NewRecord("d", "4")]),
            ])
            #expect(offsets.map(\.count) == [2, 1, 0, 1])
            let twice = try await bench.contents(of: events[1])
            #expect(twice.map(\.value) == ["1", "2", "4"])
            #expect(twice.map(\.offset) == offsets[0] + offsets[3])
            #expect(try await bench.contents(of: others[0]).map(\.value) == ["3"])
            #expect(try await bench.contents(of: events[0]).isEmpty)
        }
    }

    @Test(arguments: Carrier.all)
    func `a record at every limit is accepted`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            let largest = NewRecord(
                key: Bytes(repeating: 1, count: Limits.keyBytes), value: Bytes(repeating: 2, count: Limits.valueBytes),
                timestamp: noon,
                headers: (0..<Limits.headers).map { Header("h\($0)", Bytes(repeating: 3, count: Limits.headerBytes)) })
            _ = try await bench.log.append([Append(events[0], [largest])])
            let came = try await bench.contents(of: events[0])
            #expect(came.count == 1)
            // Compared part by part: a failure should not print a megabyte.
            #expect(came.first.map { $0.key == largest.key } == true)
            #expect(came.first.map { $0.value == largest.value } == true)
            #expect(came.first.map { $0.headers == largest.headers } == true)
        }
    }

    @Test(arguments: Carrier.all)
    func `a record over any limit is too large and nothing of its append is written`(on carrier: Carrier) async throws {
        let over = [
            NewRecord(key: Bytes(repeating: 1, count: Limits.keyBytes + 1), value: "", timestamp: noon),
            NewRecord(key: "", value: Bytes(repeating: 1, count: Limits.valueBytes + 1), timestamp: noon),
            NewRecord(
                key: "", value: "", timestamp: noon,
                headers: (0...Limits.headers).map { Header("h\($0)", "") }),
            NewRecord(
                key: "", value: "", timestamp: noon,
                headers: [Header("h", Bytes(repeating: 1, count: Limits.headerBytes + 1))]),
        ]
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 2)
            for record in over {
                await refuses(.tooLarge) {
                    try await bench.log.append([
                        Append(events[0], [NewRecord("before", "")]),
                        Append(events[1], [NewRecord("before", ""), record, NewRecord("after", "")]),
                    ])
                }
            }
            #expect(try await bench.contents(of: events[0]).isEmpty)
            #expect(try await bench.contents(of: events[1]).isEmpty)
        }
    }

    @Test(arguments: Carrier.promising(.atomicAppend))
    func `an append that fails in one partition writes nothing in another`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 2)
            let others = try await bench.topic("others")
            await refuses(.unknownTopic) {
                try await bench.log.append([
                    Append(events[0], [NewRecord("a", "1")]), Append(others[0], [NewRecord("b", "2")]),
                    Append(TopicPartition(events[0].topic, 7), [NewRecord("c", "3")]),
                ])
            }
            #expect(try await bench.contents(of: events[0]).isEmpty)
            #expect(try await bench.contents(of: others[0]).isEmpty)
        }
    }

    @Test(arguments: Carrier.all)
    func `64 appenders at once each keep their order and lose nothing`(on carrier: Carrier) async throws {
        let (appenders, rounds) = (64, 20)
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 4)
            let log = bench.log
            let told = try await withThrowingTaskGroup(of: (key: Bytes, offsets: [Offset]).self) { group in
                for appender in 0..<appenders {
                    group.addTask {
                        let key = "appender-\(appender)"
                        var offsets: [Offset] = []
                        for round in 0..<rounds {
                            let pair = [NewRecord(key, "\(2 * round)"), NewRecord(key, "\(2 * round + 1)")]
                            offsets += try await log.append([Append(events[appender % 4], pair)])[0]
                        }
                        return (Bytes(key), offsets)
                    }
                }
                return try await group.reduce(into: [Bytes: [Offset]]()) { $0[$1.key] = $1.offsets }
            }
            var came: [Bytes: [Record]] = [:]
            for partition in events {
                for record in try await bench.contents(of: partition) { came[record.key, default: []].append(record) }
            }
            let expected = (0..<2 * rounds).map { Bytes("\($0)") }
            #expect(came.count == appenders)
            for (key, records) in came {
                #expect(records.map(\.value) == expected, "\(key.text)")
                #expect(records.map(\.offset) == told[key], "\(key.text)")
            }
        }
    }

    @Test(arguments: Carrier.all)
    func `a closed log takes nothing more`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            try await bench.append(["a"], to: events[0])
            await bench.close()
            await refuses(.closed) { try await bench.append(["b"], to: events[0]) }
        }
    }
}
