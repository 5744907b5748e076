import EventLog
import EventModel
import Testing

@Suite("Topics of a log", .timeLimit(.minutes(10)))
struct TopicTests {
    @Test(arguments: Carrier.all)
    func `a log declares what its carrier does`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            #expect(bench.log.promises == carrier.promises)
            #expect((bench.log is any Maintained) == carrier.maintained)
        }
    }

    @Test(arguments: Carrier.all)
    func `a topic that was created is listed with its partitions`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            _ = try await bench.topic("one", partitions: 1)
            _ = try await bench.topic("three", partitions: 3)
            let topics = try await bench.log.topics()
            #expect(topics.first { $0.name == bench.name("one") }?.partitions == 1)
            #expect(topics.first { $0.name == bench.name("three") }?.partitions == 3)
        }
    }

    @Test(arguments: Carrier.all)
    func `creating a topic twice does nothing`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 2)
            try await bench.append(["a"], to: events[1])
            _ = try await bench.topic(partitions: 2)
            #expect(try await bench.contents(of: events[1]).map(\.value) == ["a"])
        }
    }

    @Test(arguments: Carrier.all)
    func `creating a topic with another partition count is a mismatch`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            _ = try await bench.topic(partitions: 2)
            await refuses(.mismatch) { try await bench.topic(partitions: 3) }
            let topics = try await bench.log.topics()
            #expect(topics.first { $0.name == bench.name("events") }?.partitions == 2)
        }
    }

    @Test(arguments: Carrier.all)
    func `topics are made beside one that has another partition count`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            _ = try await bench.topic("two", partitions: 2)
            func topic(_ name: String, _ partitions: Int) -> Topic {
                Topic(bench.name(name), partitions: partitions, key: "key", schema: "test.Event", owner: "tests")
            }
            await refuses(.mismatch) {
                try await bench.log.create([topic("one", 1), topic("two", 3), topic("three", 3)])
            }
            let counts = try await bench.log.partitionCounts()
            #expect(["one", "two", "three"].map { counts[bench.name($0)] } == [1, 2, 3])
        }
    }

    @Test(arguments: Carrier.all)
    func `a topic that is not there is unknown to every call`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let missing = TopicPartition(bench.name("missing"), 0)
            await refuses(.unknownTopic) { try await bench.append(["a"], to: missing) }
            await refuses(.unknownTopic) { try await bench.log.bounds(of: [missing]) }
            await refuses(.unknownTopic) { try await bench.log.offsets(of: [missing], at: noon) }
            await refuses(.unknownTopic) { try await bench.log.reader(from: [missing: 0]) }
            await refuses(.unknownTopic) { try await bench.join("group", [missing]) }
            let topics = try await bench.log.topics()
            #expect(!topics.contains { $0.name == missing.topic })
        }
    }

    @Test(arguments: Carrier.all)
    func `a partition that is not there is unknown to every call`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 2)
            let missing = TopicPartition(events[0].topic, 2)
            await refuses(.unknownTopic) { try await bench.append(["a"], to: missing) }
            await refuses(.unknownTopic) { try await bench.log.bounds(of: [missing]) }
            await refuses(.unknownTopic) { try await bench.log.offsets(of: [missing], at: noon) }
            await refuses(.unknownTopic) { try await bench.log.reader(from: [missing: 0]) }
        }
    }
}
