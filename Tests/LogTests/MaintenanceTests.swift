import EventLog
import EventModel
import Testing

@Suite("A log that maintains itself", .timeLimit(.minutes(10)))
struct MaintenanceTests {
    private let hour = Duration.seconds(3600)

    /// Appends one record a time, each in an append of its own.
    private func append(_ hours: [Int], to partition: TopicPartition, of bench: Bench) async throws -> [Offset] {
        var offsets: [Offset] = []
        for at in hours {
            let record = NewRecord("a", "\(at)", at: noon + .seconds(3600 * at))
            offsets += try await bench.log.append([Append(partition, [record])])[0]
        }
        return offsets
    }
    private func maintain(_ bench: Bench, at hours: Double) async throws {
        let log = try #require(bench.log as? any Maintained)
        try await log.maintain(at: noon + .seconds(3600 * hours))
    }

    @Test(arguments: Carrier.maintained)
    func `retention drops what is older and moves the start`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(retention: hour * 2)
            let offsets = try await append([0, 1, 2, 3], to: events[0], of: bench)
            try await maintain(bench, at: 3.5)
            #expect(try await bench.bounds(of: events[0]) == offsets[2]..<(offsets[3] + 1))
            #expect(try await bench.contents(of: events[0]).map(\.value) == ["2", "3"])
        }
    }

    @Test(arguments: Carrier.maintained)
    func `a topic without retention keeps everything`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            let offsets = try await append([0, 1], to: events[0], of: bench)
            try await maintain(bench, at: 24 * 365)
            #expect(try await bench.contents(of: events[0]).map(\.offset) == offsets)
        }
    }

    @Test(arguments: Carrier.maintained)
    func `retention may take all, and offsets go on`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(retention: hour)
            let offsets = try await append([0, 1], to: events[0], of: bench)
            try await maintain(bench, at: 9)
            #expect(try await bench.bounds(of: events[0]) == (offsets[1] + 1)..<(offsets[1] + 1))
            #expect(try await bench.append(["c"], to: events[0]) == [offsets[1] + 1])
        }
    }

    @Test(arguments: Carrier.maintained)
    func `reading from below the start goes on at the start`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(retention: hour)
            let offsets = try await append([0, 1, 2, 3], to: events[0], of: bench)
            let under = try await bench.join("group", events)
            try await drive(under, until: "4 records") { under.haul.count == 4 }
            try await under.member.commit([events[0]: offsets[1]])
            await under.member.leave()
            try await maintain(bench, at: 3.5)
            let reader = try await bench.log.reader(from: [events[0]: offsets[0]])
            #expect(try await reader.gather(1).texts(events[0]) == ["3"])
            await reader.close()
            let worker = try await bench.join("group", events)
            try await drive(worker, until: "a record") { worker.haul.count >= 1 }
            #expect(worker.haul.texts(events[0]) == ["3"])
            await worker.member.leave()
        }
    }

    @Test(arguments: Carrier.maintained)
    func `compaction keeps the newest of each key at its offset`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let states = try await bench.topic(partitions: 2, cleanup: .compact)
            let texts = [("a", "1"), ("b", "1"), ("a", "2"), ("c", "1"), ("b", "2"), ("a", "3")]
            var offsets = try await bench.log.append([Append(states[0], texts.prefix(4).map { NewRecord($0, $1) })])[0]
            offsets += try await bench.log.append([Append(states[0], texts.suffix(2).map { NewRecord($0, $1) })])[0]
            // The same key elsewhere is another.
            _ = try await bench.log.append([Append(states[1], [NewRecord("a", "other")])])
            let bounds = try await bench.bounds(of: states[0])
            for _ in 0..<2 {
                try await maintain(bench, at: 1)
                let kept = try await bench.log.reader(from: [states[0]: bounds.lowerBound]).gather(3)[states[0]]
                #expect(kept.map { "\($0.key.text)\($0.value.text)" } == ["c1", "b2", "a3"])
                #expect(kept.map(\.offset) == [offsets[3], offsets[4], offsets[5]])
                #expect(try await bench.bounds(of: states[0]).upperBound == bounds.upperBound)
            }
            #expect(try await bench.contents(of: states[1]).map(\.value) == ["other"])
        }
    }

    @Test(arguments: Carrier.maintained)
    func `an empty value removes its key until it is written again`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let states = try await bench.topic(cleanup: .compact)
            for (key, value) in [("a", "1"), ("b", "1"), ("a", "")] {
                _ = try await bench.log.append([Append(states[0], [NewRecord(key, value)])])
            }
            // The removal itself stays for an hour, for those who read on.
            for hours in [1, 1.5, 1.999] {
                try await maintain(bench, at: hours)
                let left = try await bench.contents(of: states[0])
                #expect(left.map(\.key) == ["b", "a"] && left.last?.value.isEmpty == true, "after \(hours) h")
            }
            try await maintain(bench, at: 2)
            #expect(try await bench.contents(of: states[0]).map(\.key) == ["b"])
            _ = try await bench.log.append([Append(states[0], [NewRecord("a", "2")])])
            try await maintain(bench, at: 2)
            #expect(try await bench.contents(of: states[0]).map(\.key) == ["b", "a"])
        }
    }

    @Test(arguments: Carrier.maintained)
    func `a reader that has met a key learns of its removal, also from behind a compaction`(on carrier: Carrier)
        async throws
    {
        try await bench(carrier) { bench in
            let states = try await bench.topic(cleanup: .compact)
            for (key, value) in [("a", "1"), ("b", "1"), ("c", "1"), ("a", "")] {
                _ = try await bench.log.append([Append(states[0], [NewRecord(key, value)])])
            }
            let reader = try await bench.log.reader(from: [states[0]: 0])
            #expect(try await reader.gather(1, max: 1).texts(states[0]) == ["1"])
            for hours in [1, 1.9] { try await maintain(bench, at: hours) }
            #expect(try await reader.gather(3).texts(states[0]).last == "")
            await reader.close()
        }
    }

    @Test(arguments: Carrier.maintained)
    func `a reader passes over what compaction removed`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let states = try await bench.topic(cleanup: .compact)
            var offsets: [Offset] = []
            for value in ["1", "2", "3", ""] {
                offsets += try await bench.log.append([Append(states[0], [NewRecord("a", value)])])[0]
            }
            let reader = try await bench.log.reader(from: [states[0]: offsets[1]])
            for hours in [1.0, 2] { try await maintain(bench, at: hours) }
            try await bench.append(["b"], to: states[0])
            #expect(try await reader.gather(1).texts(states[0]) == ["b"])
            await reader.close()
        }
    }
}
