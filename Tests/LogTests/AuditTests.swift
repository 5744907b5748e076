import EventLog
import EventModel
import Testing

@Suite("A partition read through", .timeLimit(.minutes(10)))
struct AuditTests {
    private func audit(
        _ bench: Bench, _ partition: TopicPartition, isContiguous: Bool = false,
        check: (Record) -> String? = { _ in nil }
    ) async throws -> PartitionAudit {
        try await bench.log.audit(
            partition, try await bench.bounds(of: partition), isContiguous: isContiguous, check: check)
    }

    @Test(arguments: Carrier.promising(.contiguous))
    func `has a record at every offset, whatever was written how`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic("events")[0]
            let commands = try await bench.topic("commands")
            _ = try await bench.append(["a", "b", "c"], to: commands[0])
            let worker = try await bench.join("group", commands)
            try await drive(worker, until: "3 commands") { worker.haul.count == 3 }
            for i in 0..<3 {
                _ = try await bench.append(["x\(i)"], to: events)
                _ = try await worker.transact([Append(events, [NewRecord("k", "1"), NewRecord("k", "2")])])
            }
            // One that is refused takes no offsets.
            let over = NewRecord("k", String(repeating: "x", count: Limits.valueBytes + 1))
            _ = try? await worker.transact([Append(events, [over])])
            _ = try await bench.append(["last"], to: events)
            let audit = try await audit(bench, events, isContiguous: true)
            #expect(audit.records == 10 && audit.gaps == 0 && audit.problem == nil)
            await worker.member.leave()
        }
    }

    @Test(arguments: Carrier.all)
    func `has the same hash as long as it is the same, and another when a record more is there`(on carrier: Carrier)
        async throws
    {
        try await bench(carrier) { bench in
            let partition = try await bench.topic("events")[0]
            _ = try await bench.append(["a", "b"], to: partition)
            let first = try await audit(bench, partition)
            #expect(first.records == 2 && first.problem == nil)
            #expect(try await audit(bench, partition) == first)
            _ = try await bench.append(["c"], to: partition)
            let second = try await audit(bench, partition)
            #expect(second.records == 3 && second.hash != first.hash)
            let before = try await bench.log.audit(partition, first.range, isContiguous: false) { _ in nil }
            #expect(before == first)
        }
    }

    @Test(arguments: Carrier.all)
    func `names the first record that is not as it should be`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let partition = try await bench.topic("events")[0]
            let offsets = try await bench.append(["good", "bad", "worse"], to: partition)
            let audit = try await audit(bench, partition) { $0.value == "good" ? nil : "it is \($0.value.text)" }
            #expect(audit.problem == "\(partition)@\(offsets[1]): it is bad" && audit.records == 1)
        }
    }

    @Test func `misses a record that is not there`() async throws {
        try await bench(.memory) { bench in
            // Compaction leaves gaps; a topic that is not compacted should have none.
            let name = bench.name("table")
            try await bench.log.create([
                Topic(name, partitions: 1, cleanup: .compact, key: "k", schema: "s", owner: "o")
            ])
            let partition = TopicPartition(name, 0)
            for value in ["1", "2", "3"] {
                _ = try await bench.log.append([
                    Append(partition, [NewRecord("same", value), NewRecord(value, "x")])
                ])
            }
            try await (bench.log as? any Maintained)?.maintain(at: noon)
            let audit = try await audit(bench, partition, isContiguous: true)
            #expect(audit.problem == "\(partition)@0 is missing; the next record is at 1", "\(audit)")
            let allowed = try await self.audit(bench, partition)
            #expect(allowed.problem == nil && allowed.records == 4 && allowed.gaps == 2, "\(allowed)")
        }
    }
}
