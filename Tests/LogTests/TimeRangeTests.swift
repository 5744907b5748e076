import EventLog
import EventModel
import Testing

@Suite("Reading a log by time", .timeLimit(.minutes(10)))
struct TimeRangeTests {
    private func seconds(_ from: Int, _ to: Int) -> ClosedRange<Timestamp> {
        noon + .seconds(from)...noon + .seconds(to)
    }

    @Test(arguments: Carrier.all)
    func `a late record is of its time, and one that is too early does not end the range`(
        on carrier: Carrier
    ) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            for second in [44, 3, 20] {
                _ = try await bench.log.append([
                    Append(events[0], [NewRecord("a", "\(second)", at: noon + .seconds(second))])
                ])
            }
            let range = try await bench.bounds(of: events[0])
            let cases: [(ClosedRange<Timestamp>?, [String])] = [
                (nil, ["44", "3", "20"]), (.always, ["44", "3", "20"]), (seconds(0, 10), ["3"]),
                (seconds(3, 20), ["3", "20"]), (seconds(4, 43), ["20"]), (seconds(44, 44), ["44"]),
                (seconds(50, 60), []), (seconds(4, 19), []), (Timestamp(.min)...noon + .seconds(20), ["3", "20"]),
            ]
            for (times, wanted) in cases {
                var (texts, next): ([String], Offset) = ([], range.lowerBound)
                try await bench.log.scan(events[0], from: range.lowerBound, to: range.upperBound, within: times) {
                    texts += $0.records.map(\.value.text)
                    #expect($0.next >= next)
                    next = $0.next
                }
                #expect(texts == wanted, "\(String(describing: times))")
                #expect(next == range.upperBound, "who counts where it stands has come to the end")
            }
        }
    }

    @Test(arguments: Carrier.all)
    func `a reader of some times waits for records of them`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            try await bench.append(["before"], to: events[0])
            let reader = try await bench.log.reader(
                from: [events[0]: try await bench.bounds(of: events[0]).lowerBound], within: seconds(10, 20))
            var haul = Haul()
            for second in [9, 15, 21, 10, 3, 20] {
                _ = try await bench.log.append([
                    Append(events[0], [NewRecord("a", "\(second)", at: noon + .seconds(second))])
                ])
                if (10...20).contains(second) {
                    haul.take(try await reader.gather("second \(second)") { $0.count == 1 })
                    #expect(haul.texts(events[0]).last == "\(second)")
                }
            }
            #expect(haul.texts(events[0]) == ["15", "10", "20"])
            await reader.close()
        }
    }

    /// In memory, in the database, or in both; in batches of any size, of which many lie outside.
    @Test(arguments: Carrier.all)
    func `a range by time is what a filter of all records gives`(on carrier: Carrier) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("a range by time, on \(carrier.testDescription): seed \(seed)")
        var random = SeededRandom(seed)
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 2)
            for round in 0..<60 {
                let records = (0..<Int.random(in: 1...40, using: &random)).map { i in
                    let late = Int.random(in: 0..<5, using: &random) == 0 ? Int.random(in: 0...500, using: &random) : 0
                    return NewRecord(
                        "k", "\(round).\(i)", at: noon + .seconds(Swift.max(0, round * 10 + i % 10 - late)))
                }
                _ = try await bench.log.append([Append(events[round % 2], records)])
            }
            let bounds = try await bench.log.bounds(of: events)
            for opened in 0..<2 {
                if opened == 1 {
                    if !carrier.promises.contains(.durable) { break }
                    try await bench.reopen()
                }
                for _ in 0..<25 {
                    let from = Int.random(in: -5...620, using: &random)
                    let times = seconds(from, from + Int.random(in: 0...200, using: &random))
                    for (place, range) in bounds {
                        let start = range.lowerBound + Int.random(in: 0...20, using: &random)
                        var (all, picked): ([Record], [Record]) = ([], [])
                        try await bench.log.scan(place, from: start, to: range.upperBound) { all += $0.records }
                        try await bench.log.scan(
                            place, from: start, to: range.upperBound, within: times,
                            batch: Int.random(in: 1...300, using: &random)
                        ) { picked += $0.records }
                        #expect(picked == all.filter { times.contains($0.timestamp) }, "\(times), seed \(seed)")
                        #expect(!all.isEmpty)
                    }
                }
            }
        }
    }

    @Test(arguments: Carrier.all)
    func `what a log says was reached before an offset is no earlier than any record there`(
        on carrier: Carrier
    ) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("reached, on \(carrier.testDescription): seed \(seed)")
        var random = SeededRandom(seed)
        try await bench(carrier) { bench in
            let events = try await bench.topic(retention: .seconds(300))
            var times: [Timestamp] = []
            var first: Offset?
            for round in 0..<30 {
                let records = (0..<Int.random(in: 1...9, using: &random)).map { _ in
                    NewRecord("k", "", at: noon + .seconds(round * 20 - Int.random(in: 0...90, using: &random)))
                }
                times += records.map(\.timestamp)
                let offsets = try await bench.log.append([Append(events[0], records)])[0]
                first = first ?? offsets[0]
            }
            let start = try #require(first)
            for maintained in [false, true] {
                if maintained {
                    guard let log = bench.log as? any Maintained else { break }
                    try await log.maintain(at: noon + .seconds(620))
                }
                let kept = try await bench.bounds(of: events[0]).lowerBound
                for count in 0...times.count {
                    let said = try await bench.log.reached(before: [events[0]: start + count])[events[0]]
                    guard carrier.promises.contains(.durable), bench.log is any Maintained else {
                        #expect(said == nil, "it would have to read them")
                        continue
                    }
                    let latest = times.prefix(count).max()
                    if count == 0 {
                        #expect(said == nil)
                    } else if start + count > kept + 9 || !maintained {
                        #expect(said == latest, "before \(count), seed \(seed)")
                    } else {
                        #expect(try #require(said) >= #require(latest), "before \(count), seed \(seed)")
                    }
                }
                #expect(try await bench.log.reached(before: [events[0]: start + times.count + 1])[events[0]] == nil)
            }
        }
    }

    @Test(arguments: Carrier.maintained)
    func `the first and the last time that there are can be written, read and asked for`(
        on carrier: Carrier
    ) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            let times = [Timestamp(.max), Timestamp(.min), noon, Timestamp(.min), Timestamp(.max)]
            _ = try await bench.log.append([Append(events[0], times.map { NewRecord("a", "", at: $0) })])
            #expect(try await bench.contents(of: events[0]).map(\.timestamp) == times)
            let end = try await bench.bounds(of: events[0]).upperBound
            for (range, count) in [
                (ClosedRange<Timestamp>.always, 6), (Timestamp(.min)...Timestamp(.min), 2), (noon...noon, 2),
                (Timestamp(.max)...Timestamp(.max), 2), (Timestamp(.min)...noon, 4), (noon...Timestamp(.max), 4),
            ] {
                var found = 0
                try await bench.log.scan(events[0], from: 0, to: end, within: range) { found += $0.records.count }
                #expect(found == count, "\(range)")
            }
            #expect(try await bench.log.offsets(of: events, at: Timestamp(.min))[events[0]] == 0)
            #expect(try await bench.log.offsets(of: events, at: Timestamp(.max))[events[0]] == 0)
        }
    }
}
