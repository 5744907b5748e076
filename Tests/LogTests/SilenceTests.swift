import EventLog
import EventModel
import Testing

@Suite("A stretch that is read", .timeLimit(.minutes(10)))
struct SilenceTests {
    private func expectEnd(at end: Offset, wanted: Offset, _ body: () async throws -> Void) async {
        let began = ContinuousClock.now
        let error = await #expect(throws: LogError.self) { try await body() }
        #expect(
            error?.kind == .damaged && error?.message.contains("ends at \(end)") == true, "\(String(describing: error))"
        )
        #expect(error?.message.contains("up to \(wanted)") == true)
        #expect(ContinuousClock.now - began < .seconds(20))
    }

    @Test(arguments: Carrier.maintained)
    func `that goes on past the log's end is an error, and no endless wait`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            try await bench.append(["a", "b", "c"], to: events[0])
            var seen = 0
            await expectEnd(at: 3, wanted: 9) {
                try await bench.log.scan(events[0], from: 0, to: 9) { seen += $0.records.count }
            }
            #expect(seen == 3, "what there is has been read")
            await expectEnd(at: 3, wanted: 9) { try await bench.log.scan(events[0], from: 7, to: 9) { _ in } }
        }
    }

    @Test(arguments: Carrier.maintained)
    func `record by record ends with an error too where the log does`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            try await bench.append(["a", "b"], to: events[0])
            var tape = try await RecordCursor(events[0], 0..<5, of: bench.log)
            #expect(try await tape.next()?.value == "a")
            #expect(try await tape.next()?.value == "b")
            await expectEnd(at: 2, wanted: 5) { _ = try await tape.next() }
            await tape.close()
        }
    }

    @Test(arguments: Carrier.maintained)
    func `that is past its retention meanwhile is over`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(retention: .seconds(3600))
            try await bench.append(["a", "b", "c"], to: events[0])
            try await (bench.log as? any Maintained)?.maintain(at: Timestamp.calendar.upperBound)
            #expect(try await bench.bounds(of: events[0]) == 3..<3)
            var seen = 0
            try await bench.log.scan(events[0], from: 0, to: 3) { seen += $0.records.count }
            #expect(seen == 0)
        }
    }

    @Test(arguments: Carrier.maintained)
    func `says what of it is gone, by retention or by compaction`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let (kept, short) = (
                try await bench.topic("kept"), try await bench.topic("short", retention: .seconds(3600))
            )
            let compacted = try await bench.topic("compacted", cleanup: .compact)
            let topics = [kept, short, compacted].map { $0[0].topic }
            #expect(try await bench.log.gone(of: topics) == [])
            for topic in [kept, short, compacted] { try await bench.append(["a", "b"], to: topic[0]) }
            try await (bench.log as? any Maintained)?.maintain(at: Timestamp.calendar.upperBound)
            let gone = try await bench.log.gone(of: topics)
            #expect(
                Set(gone) == [Gone(short[0], before: 2), Gone(compacted[0], before: 2, isCompacted: true)], "\(gone)")
            #expect(
                [Gone(short[0], before: 2)].unchecked
                    == "cannot be checked before offset 2: \(short[0]) begins at 2: what was before is past its retention"
            )
            await #expect(throws: LogError.self) { try await bench.log.gone(of: ["nothing"]) }
        }
    }
}
