import EventLog
import EventModel
import Testing

@Suite("Reading a log", .timeLimit(.minutes(10)))
struct ReaderTests {
    @Test(arguments: Carrier.all)
    func `a reader waits for data and is woken by it`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            let reader = try await bench.log.reader(from: [events[0]: try await bench.bounds(of: events[0]).upperBound])
            let begun = ContinuousClock.now
            var haul = Haul()
            for round in 0..<10 {
                async let batches = reader.next(max: 10, wait: patience)
                await Task.yield()
                try await bench.append(["\(round)"], to: events[0])
                haul.take(try await batches)
            }
            // Had one waited in vain, it alone had taken this long.
            #expect(ContinuousClock.now - begun < patience)
            if haul.count < 10 { haul.take(try await reader.gather(10 - haul.count)) }
            #expect(haul.texts(events[0]) == (0..<10).map(String.init))
            await reader.close()
        }
    }

    @Test(arguments: Carrier.all)
    func `a scan goes up to its end and says so, whatever comes behind it`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            try await bench.append(["a", "b", "c", "d"], to: events[0])
            let first = try await bench.bounds(of: events[0]).lowerBound
            var (texts, next): ([String], Offset) = ([], first)
            // The records behind the end are in the same batch: who notes where it goes on must not pass them over.
            try await bench.log.scan(events[0], from: first, to: first + 2) { batch in
                texts += batch.records.map(\.value.text)
                next = batch.next
            }
            #expect(texts == ["a", "b"] && next == first + 2)
        }
    }

    @Test(arguments: Carrier.all)
    func `a reader of an empty partition gets nothing once its time is over`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            let bounds = try await bench.bounds(of: events[0])
            #expect(bounds.isEmpty)
            let reader = try await bench.log.reader(from: [events[0]: bounds.lowerBound])
            let begun = ContinuousClock.now
            #expect(try await reader.next(max: 10, wait: .milliseconds(100)).flatMap(\.records).isEmpty)
            #expect(ContinuousClock.now - begun < patience)
            try await bench.append(["a"], to: events[0])
            #expect(try await reader.gather(1).texts(events[0]) == ["a"])
            await reader.close()
        }
    }

    @Test(arguments: Carrier.all)
    func `a reader goes on across many batches of about the size asked`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 2)
            let texts = (0..<2000).map(String.init)
            for start in stride(from: 0, to: texts.count, by: 40) {
                let part = texts[start..<start + 40].map { NewRecord($0, $0) }
                _ = try await bench.log.append([Append(events[0], part), Append(events[1], part)])
            }
            let starts = try await bench.log.bounds(of: events).mapValues(\.lowerBound)
            let reader = try await bench.log.reader(from: starts)
            let deadline = Deadline()
            var haul = Haul()
            while haul.count < 4000 {
                let batches = try await reader.next(max: 100, wait: try deadline.left(for: "4000, came \(haul.count)"))
                #expect(batches.reduce(0) { $0 + $1.records.count } <= 200)
                haul.take(batches)
            }
            #expect(haul.texts(events[0]) == texts)
            #expect(haul.texts(events[1]) == texts)
            await reader.close()
        }
    }

    @Test(arguments: Carrier.all)
    func `a reader starts in each partition where it is told`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 3)
            let first = try await bench.append(["a", "b", "c", "d", "e"], to: events[0])
            let second = try await bench.append(["f", "g"], to: events[1])
            try await bench.append(["h"], to: events[2])
            let reader = try await bench.log.reader(from: [events[0]: first[2], events[1]: second[1] + 1])
            let haul = try await reader.gather(3)
            #expect(haul.texts(events[0]) == ["c", "d", "e"])
            // The third partition was not asked for, and the second not for what is there already.
            try await bench.append(["i"], to: events[1])
            let rest = try await reader.gather(1)
            #expect(rest.count == 1)
            #expect(rest.texts(events[1]) == ["i"])
            await reader.close()
        }
    }

    @Test(arguments: Carrier.all)
    func `a reader starts within what one append wrote`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            let offsets = try await bench.append((0..<500).map(String.init), to: events[0])
            for start in [0, 1, 250, 499] {
                let reader = try await bench.log.reader(from: [events[0]: offsets[start]])
                let haul = try await reader.gather(500 - start, max: 7)
                #expect(haul[events[0]].map(\.offset) == Array(offsets[start...]))
                await reader.close()
            }
        }
    }

    @Test(arguments: Carrier.all)
    func `two readers of one partition do not hinder each other`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            let offsets = try await bench.append(["a", "b", "c"], to: events[0])
            let one = try await bench.log.reader(from: [events[0]: offsets[0]])
            let two = try await bench.log.reader(from: [events[0]: offsets[0]])
            #expect(try await one.gather(3).texts(events[0]) == ["a", "b", "c"])
            await one.close()
            #expect(try await two.gather(3).texts(events[0]) == ["a", "b", "c"])
            await two.close()
        }
    }

    @Test(arguments: Carrier.promising(.timeIndex))
    func `a moment's offset is the first record's at or after it`(on carrier: Carrier) async throws {
        try await findsMoments(
            [5, 10, 20, 20, 40], on: carrier,
            wanted: [(0, 0), (5, 0), (6, 1), (10, 1), (11, 2), (20, 2), (21, 4), (40, 4), (41, 5)])
    }

    /// A broker keeps the index itself, and some search it as if times were in order.
    @Test(arguments: Carrier.maintained.filter { $0.promises.contains(.timeIndex) })
    func `a moment's offset is the first record's at or after it, in whatever order times came`(
        on carrier: Carrier
    ) async throws {
        try await findsMoments(
            [10, 5, 30, 20, 30, 40], on: carrier,
            wanted: [(0, 0), (5, 0), (10, 0), (11, 2), (20, 2), (30, 2), (31, 5), (40, 5), (41, 6)])
    }

    /// Appends records of these seconds one by one; each second wanted must give the offset of that record.
    private func findsMoments(_ times: [Int], on carrier: Carrier, wanted: [(second: Int, index: Int)]) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 2)
            var offsets: [Offset] = []
            for seconds in times {
                let record = NewRecord("a", "", at: noon + .seconds(seconds))
                offsets += try await bench.log.append([Append(events[0], [record])])[0]
            }
            offsets.append(try await bench.bounds(of: events[0]).upperBound)
            for (second, index) in wanted {
                let found = try await bench.log.offsets(of: events, at: noon + .seconds(second))
                #expect(found[events[0]] == offsets[index], "at second \(second)")
                #expect(try await found[events[1]] == bench.bounds(of: events[1]).upperBound, "it is empty")
            }
        }
    }

    @Test(arguments: Carrier.promising(.timeIndex))
    func `a moment may fall within what one append wrote`(on carrier: Carrier) async throws {
        try await findsMomentsWithin([1, 3, 5, 7, 9], on: carrier, wanted: [(1, 0), (2, 1), (3, 1), (4, 2), (8, 4)])
    }

    @Test(arguments: Carrier.maintained.filter { $0.promises.contains(.timeIndex) })
    func `a moment may fall within what one append wrote out of order`(on carrier: Carrier) async throws {
        try await findsMomentsWithin([3, 1, 7, 5, 9], on: carrier, wanted: [(1, 0), (4, 2), (8, 4)])
    }

    private func findsMomentsWithin(
        _ times: [Int], on carrier: Carrier, wanted: [(second: Int, index: Int)]
    ) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            let records = times.map { NewRecord("a", "", at: noon + .seconds($0)) }
            let offsets = try await bench.log.append([Append(events[0], records)])[0]
            for (second, index) in wanted {
                let found = try await bench.log.offsets(of: events, at: noon + .seconds(second))
                #expect(found[events[0]] == offsets[index], "at second \(second)")
            }
        }
    }
}
