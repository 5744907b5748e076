import EventLog
import EventModel
import Testing

@Suite("A log opened by several at once", .timeLimit(.minutes(10)))
struct SharedTests {
    @Test(arguments: Carrier.promising(.shared))
    func `what one writes wakes a reader of another`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            let other = try await bench.another()
            let reader = try await other.reader(from: [events[0]: try await bench.bounds(of: events[0]).lowerBound])
            let begun = ContinuousClock.now
            var haul = Haul()
            for round in 0..<10 {
                async let batches = reader.next(max: 10, wait: patience)
                await Task.yield()
                try await bench.append(["\(round)"], to: events[0])
                haul.take(try await batches)
            }
            if haul.count < 10 { haul.take(try await reader.gather(10 - haul.count)) }
            #expect(haul.texts(events[0]) == (0..<10).map(String.init))
            #expect(ContinuousClock.now - begun < patience)
            await reader.close()
        }
    }

    @Test(arguments: Carrier.promising(.shared))
    func `a topic that one makes is there for another`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let other = try await bench.another()
            let events = try await bench.topic(partitions: 2)
            let topics = try await other.topics()
            #expect(topics.first { $0.name == events[0].topic }?.partitions == 2)
            let offsets = try await other.append([Append(events[1], [NewRecord("a", "1")])])[0]
            #expect(try await bench.contents(of: events[1]).map(\.offset) == offsets)
        }
    }

    @Test(arguments: Carrier.promising(.shared))
    func `appenders of both keep their order and lose nothing`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            let logs = [bench.log, try await bench.another()]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for appender in 0..<16 {
                    group.addTask {
                        for round in 0..<20 {
                            let record = NewRecord("appender-\(appender)", "\(round)")
                            _ = try await logs[appender % 2].append([Append(events[0], [record])])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let came = Dictionary(grouping: try await bench.contents(of: events[0]), by: \.key)
            #expect(came.count == 16)
            for (key, records) in came {
                #expect(records.map(\.value.text) == (0..<20).map(String.init), "\(key.text)")
            }
        }
    }

    @Test(arguments: Carrier.promising(.shared))
    func `members of both share a group`(on carrier: Carrier) async throws {
        try await bench(carrier, share)
    }

    private func share(_ bench: Bench) async throws {
        let events = try await bench.topic(partitions: 4)
        for partition in events { try await bench.append(["a"], to: partition) }
        let one = try await bench.join("group", events)
        try await drive(one, until: "4 records") { one.haul.count == 4 }
        let other = try await bench.another()
        let group = bench.name("group")
        let two = try await Worker { try await other.join(group, topics: [events[0].topic]) }
        try await drive(one, two, until: "two partitions each") { one.owned.count == 2 && two.owned.count == 2 }
        for partition in events { try await bench.append(["b"], to: partition) }
        try await drive(one, two, until: "8 records") { one.haul.count + two.haul.count >= 8 }
        for partition in events {
            #expect(one.haul.texts(partition) + two.haul.texts(partition) == ["a", "b"])
        }
        await one.member.leave()
        try await drive(two, until: "all partitions") { two.owned.count == 4 }
        await two.member.leave()
    }
}
