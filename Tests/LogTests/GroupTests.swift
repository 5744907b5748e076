import EventLog
import EventModel
import Testing

@Suite("A consumer group", .timeLimit(.minutes(10)))
struct GroupTests {
    @Test(arguments: Carrier.all)
    func `a lone member gets every partition from its start`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic("events", partitions: 3)
            let others = try await bench.topic("others", partitions: 2)
            for partition in events + others { try await bench.append(["a", "b"], to: partition) }
            let worker = try await bench.join("group", events, others)
            try await drive(worker, until: "10 records") { worker.haul.count >= 10 }
            #expect(worker.owned == Set(events + others))
            for partition in events + others { #expect(worker.haul.texts(partition) == ["a", "b"]) }
            await worker.member.leave()
        }
    }

    @Test(arguments: Carrier.all)
    func `a member is woken by data and tells when there is none`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            let worker = try await bench.join("group", events)
            try await drive(worker, until: "its partition") { worker.owned.count == 1 }
            guard case .idle = try await worker.member.next(max: 10, wait: .milliseconds(100)) else {
                Issue.record("something came of an empty partition")
                return
            }
            let begun = ContinuousClock.now
            let member = worker.member
            async let delivery = member.next(max: 10, wait: patience)
            await Task.yield()
            try await bench.append(["a"], to: events[0])
            guard case .records(let batches) = try await delivery else {
                Issue.record("no record came")
                return
            }
            #expect(batches.flatMap(\.records).map(\.value) == ["a"])
            #expect(ContinuousClock.now - begun < patience)
            await worker.member.leave()
        }
    }

    @Test(arguments: Carrier.all)
    func `a partition delivers nothing before it is started`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 2)
            for partition in events { try await bench.append(["a"], to: partition) }
            let member = try await bench.log.join(bench.name("group"), topics: [events[0].topic])
            let deadline = Deadline()
            var assigned: Set<TopicPartition> = []
            while assigned.count < 2 {
                let delivery = try await member.next(max: 10, wait: try deadline.left(for: "both partitions"))
                if case .assigned(let more) = delivery { assigned.formUnion(more) }
            }
            guard case .idle = try await member.next(max: 10, wait: .milliseconds(100)) else {
                Issue.record("something came of partitions that were not started")
                return
            }
            try await member.start([events[1]: nil])
            guard case .records(let batches) = try await member.next(max: 10, wait: patience) else {
                Issue.record("no record came")
                return
            }
            #expect(batches.map(\.source) == [events[1]])
            await member.leave()
        }
    }

    @Test(arguments: Carrier.all)
    func `what was committed is told, and nothing else`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 2)
            let offsets = try await bench.append(["a", "b", "c"], to: events[0])
            #expect(try await bench.log.committed(bench.name("group"), events).isEmpty)
            let worker = try await bench.join("group", events)
            try await drive(worker, until: "3 records") { worker.haul.count == 3 }
            #expect(try await bench.log.committed(bench.name("group"), events).isEmpty)
            try await worker.member.commit([events[0]: offsets[1]])
            #expect(try await bench.log.committed(bench.name("group"), events) == [events[0]: offsets[1]])
            try await worker.member.commit([events[0]: offsets[2] + 1])
            #expect(try await bench.log.committed(bench.name("group"), events) == [events[0]: offsets[2] + 1])
            #expect(try await bench.log.committed(bench.name("group"), [events[1]]).isEmpty)
            #expect(try await bench.log.committed(bench.name("other group"), events).isEmpty)
            await worker.member.leave()
        }
    }

    @Test(arguments: Carrier.all)
    func `a group resumes where it has committed, and elsewhere at the start`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 2)
            let offsets = try await bench.append(["a", "b", "c", "d"], to: events[0])
            try await bench.append(["e", "f"], to: events[1])
            let first = try await bench.join("group", events)
            try await drive(first, until: "6 records") { first.haul.count == 6 }
            try await first.member.commit([events[0]: offsets[2]])
            await first.member.leave()
            let second = try await bench.join("group", events)
            try await drive(second, until: "4 records") { second.haul.count >= 4 }
            #expect(second.haul.texts(events[0]) == ["c", "d"])
            #expect(second.haul.texts(events[1]) == ["e", "f"])
            await second.member.leave()
        }
    }

    @Test(arguments: Carrier.all)
    func `a partition starts at the offset given, whatever was committed`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 2)
            let offsets = try await bench.append(["a", "b", "c", "d"], to: events[0])
            try await bench.append(["e"], to: events[1])
            let first = try await bench.join("group", events)
            try await drive(first, until: "5 records") { first.haul.count == 5 }
            try await first.commit()
            await first.member.leave()
            let second = try await bench.join("group", events)
            second.starts = [events[0]: offsets[1]]
            try await drive(second, until: "3 records") { second.haul.count >= 3 }
            #expect(second.haul.texts(events[0]) == ["b", "c", "d"])
            try await bench.append(["f"], to: events[1])
            try await drive(second, until: "a fourth record") { second.haul.count >= 4 }
            #expect(second.haul.texts(events[1]) == ["f"], "the other partition starts at what was committed")
            await second.member.leave()
        }
    }

    @Test(arguments: Carrier.all)
    func `two groups each get everything`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            try await bench.append(["a", "b"], to: events[0])
            let one = try await bench.join("one", events)
            try await drive(one, until: "2 records") { one.haul.count == 2 }
            try await one.commit()
            let two = try await bench.join("two", events)
            try await drive(two, until: "2 records") { two.haul.count == 2 }
            #expect(two.haul.texts(events[0]) == ["a", "b"])
            #expect(try await bench.committed(events[0], by: "two") == nil)
            await one.member.leave()
            await two.member.leave()
        }
    }
}
