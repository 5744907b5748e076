import EventLog
import EventModel
import Quarantining
import Testing

@Suite("Redriving the waiting records of a key")
struct RedriveTests {
    private let first = TopicPartition("first", 0)
    private let second = TopicPartition("second", 0)

    /// A log of two topics with five records of one key in each.
    private func log(keeping: Int = 5) async throws -> MemoryLog {
        let log = MemoryLog()
        let topics = ["first", "second"].map { name in
            Topic(name, partitions: 1, retention: .seconds(1), key: "k", schema: "none", owner: "test")
        }
        try log.create(topics)
        for source in [first, second] {
            let records = (0..<5).map { number in
                NewRecord(
                    key: "k", value: Bytes("\(number)"),
                    timestamp: number < 5 - keeping ? noon - .seconds(60) : noon)
            }
            _ = try log.append([Append(source, records)])
        }
        log.maintain(at: noon)
        return log
    }

    private func quarantine(_ offsets: [Offset]) -> Quarantine {
        offsets.reduce(into: Quarantine()) { quarantine, offset in
            quarantine.park(Quarantine.Parked(offset: offset, key: "k", reason: "", attempts: 0, timestamp: noon))
        }
    }

    private func redrive(_ offsets: [Offset], then others: [Offset] = [], drop: Int = 0) -> Redrive {
        Redrive(
            RedriveRequest(id: "r", worker: "w", source: first, key: "k", drop: drop),
            [(first, quarantine(offsets)), (second, quarantine(others))])
    }

    @Test func `the first are dropped, and the others handled in order, one partition after the other`() async throws {
        let log = try await log()
        var redrive = redrive([1, 3, 4], then: [0, 2], drop: 2)
        #expect(redrive.dropped.map(\.source) == [first, first] && redrive.dropped.map(\.record.offset) == [1, 3])
        var handled: [String] = []
        try await redrive.run(on: log) { record, waiting, source in
            #expect(waiting.offset == record.offset)
            handled.append("\(source.topic)@\(record.offset)")
            return nil
        }
        #expect(handled == ["first@4", "second@0", "second@2"])
        #expect(redrive.result == RedriveResult(id: "r", redriven: 3, dropped: 2, left: 0))
    }

    @Test func `it stops at the first that fails, and those behind it wait on`() async throws {
        let log = try await log()
        var redrive = redrive([0, 2, 3], then: [1])
        var handled: [Offset] = []
        try await redrive.run(on: log) { record, _, source in
            #expect(source == first)
            if record.offset == 2 { return "no good" }
            handled.append(record.offset)
            return nil
        }
        #expect(handled == [0])
        #expect(redrive.result == RedriveResult(id: "r", redriven: 1, left: 3, reason: "no good"))
    }

    @Test func `one that the log has no more is not passed over`() async throws {
        let log = try await log(keeping: 3)
        var redrive = redrive([1, 3], then: [4])
        try await redrive.run(on: log) { record, _, source in
            Issue.record("\(source)@\(record.offset) is out of its order")
            return nil
        }
        #expect(redrive.result.redriven == 0 && redrive.result.left == 3)
        #expect(redrive.result.reason.contains("first/0@1 is past its topic's retention"))
    }

    @Test func `all may be dropped, and a key of which nothing waits is done at once`() async throws {
        let log = try await log()
        for drop in [0, .max] {
            let all: [Offset] = drop == 0 ? [] : [0, 1]
            var redrive = redrive(all, drop: drop)
            try await redrive.run(on: log) { _, _, _ in "nothing was to be handled" }
            #expect(redrive.result == RedriveResult(id: "r", dropped: all.count))
        }
    }
}
