import EventLog
import EventModel
import Testing

@Suite("A transaction of a log", .timeLimit(.minutes(10)))
struct TransactionTests {
    @Test(arguments: Carrier.promising(.transactions))
    func `records, replies and consumed offsets appear together`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let commands = try await bench.topic("commands")
            let events = try await bench.topic("events", partitions: 2)
            let outcomes = try await bench.topic("outcomes")
            let asked = try await bench.append(["a", "b"], to: commands[0])
            let worker = try await bench.join("group", commands)
            try await drive(worker, until: "2 commands") { worker.haul.count == 2 }
            let written = try await worker.transact(
                [
                    Append(events[0], [NewRecord("a", "1"), NewRecord("b", "2")]),
                    Append(events[1], [NewRecord("c", "3")]),
                ],
                replies: { offsets in
                    [Append(outcomes[0], offsets.flatMap(\.self).map { NewRecord("reply", "\($0)") })]
                })
            #expect(written.map(\.count) == [2, 1, 3])
            let first = try await bench.contents(of: events[0])
            #expect(first.map(\.value) == ["1", "2"])
            #expect(first.map(\.offset) == written[0])
            let second = try await bench.contents(of: events[1])
            #expect(second.map(\.value) == ["3"])
            #expect(second.map(\.offset) == written[1])
            let replies = try await bench.contents(of: outcomes[0])
            #expect(replies.map(\.value.text) == (written[0] + written[1]).map(\.description))
            #expect(replies.map(\.offset) == written[2])
            let committed = try #require(try await bench.committed(commands[0]))
            #expect(committed >= asked[1] + 1)
            await worker.member.leave()
        }
    }

    @Test(arguments: Carrier.promising(.transactions))
    func `a transaction may hold only records, or only offsets`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let commands = try await bench.topic("commands")
            let events = try await bench.topic("events")
            let asked = try await bench.append(["a", "b"], to: commands[0])
            let worker = try await bench.join("group", commands)
            try await drive(worker, until: "2 commands") { worker.haul.count == 2 }
            let records = Transaction(appends: [Append(events[0], [NewRecord("a", "1")])], consumed: [:])
            try await worker.member.transact(records)
            #expect(try await bench.committed(commands[0]) == nil)
            try await worker.member.transact(Transaction(appends: [], consumed: [commands[0]: asked[1]]))
            #expect(try await bench.committed(commands[0]) == asked[1])
            #expect(try await bench.contents(of: events[0]).map(\.value) == ["1"])
            await worker.member.leave()
        }
    }

    @Test(arguments: Carrier.promising(.transactions))
    func `a transaction with a record over a limit writes nothing and moves no offset`(
        on carrier: Carrier
    ) async throws {
        try await bench(carrier) { bench in
            let commands = try await bench.topic("commands")
            let events = try await bench.topic("events", partitions: 2)
            let outcomes = try await bench.topic("outcomes")
            try await bench.append(["a"], to: commands[0])
            let worker = try await bench.join("group", commands)
            try await drive(worker, until: "a command") { worker.haul.count == 1 }
            let good = NewRecord("good", "")
            let over = NewRecord(key: "", value: Bytes(repeating: 1, count: Limits.valueBytes + 1), timestamp: noon)
            await refuses(.tooLarge) {
                try await worker.transact([Append(events[0], [good]), Append(events[1], [good, over])]) { _ in
                    [Append(outcomes[0], [good])]
                }
            }
            await refuses(.tooLarge) {
                try await worker.transact([Append(events[0], [good])]) { _ in [Append(outcomes[0], [good, over])] }
            }
            #expect(try await bench.committed(commands[0]) == nil)
            // The member goes on after that as if nothing had been.
            let written = try await worker.transact([Append(events[0], [NewRecord("better", "")])])
            #expect(try await bench.committed(commands[0]) != nil)
            let came = try await bench.contents(of: events[0])
            #expect(came.map(\.key) == ["better"])
            #expect(came.map(\.offset) == written[0])
            #expect(try await bench.contents(of: events[1]).isEmpty)
            #expect(try await bench.contents(of: outcomes[0]).isEmpty)
            await worker.member.leave()
        }
    }

    @Test(arguments: Carrier.promising(.transactions))
    func `each command is answered once, though members come and go`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let commands = try await bench.topic("commands", partitions: 2)
            let events = try await bench.topic("events", partitions: 2)
            let event = Dictionary(uniqueKeysWithValues: zip(commands, events))
            let texts = (0..<40).map(String.init)
            for partition in commands { try await bench.append(texts, to: partition) }
            var answered = 0
            while answered < 80 {
                let worker = try await bench.join("group", commands, max: 9)
                for _ in 0..<2 where answered < 80 {
                    try await drive(worker, until: "commands after \(answered)") {
                        worker.undone.contains { !$0.records.isEmpty }
                    }
                    let made = try worker.undone.map { batch in
                        Append(try #require(event[batch.source]), batch.records.map { NewRecord($0.value.text, "") })
                    }
                    answered += try await worker.transact(made).reduce(0) { $0 + $1.count }
                }
                // What it is given after this it leaves undone.
                try await worker.step()
                await worker.member.leave()
            }
            for partition in events {
                #expect(try await bench.contents(of: partition).map(\.key.text) == texts)
            }
        }
    }

    @Test(arguments: Carrier.promising([.transactions, .fencing]))
    func `a member that left is fenced and writes nothing`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let commands = try await bench.topic("commands")
            let events = try await bench.topic("events")
            let asked = try await bench.append(["a"], to: commands[0])
            let worker = try await bench.join("group", commands)
            try await drive(worker, until: "a command") { worker.haul.count == 1 }
            await worker.member.leave()
            await refuses(.fenced) { try await worker.transact([Append(events[0], [NewRecord("a", "")])]) }
            await refuses(.fenced) { try await worker.member.commit([commands[0]: asked[0] + 1]) }
            #expect(try await bench.contents(of: events[0]).isEmpty)
            #expect(try await bench.committed(commands[0]) == nil)
        }
    }

    @Test(arguments: Carrier.promising([.transactions, .fencing]))
    func `a member whose partition went to another is fenced, and only there`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let commands = try await bench.topic("commands", partitions: 2)
            let events = try await bench.topic("events")
            for partition in commands { try await bench.append(["a", "b"], to: partition) }
            let one = try await bench.join("group", commands)
            try await drive(one, until: "4 commands") { one.haul.count == 4 }
            let two = try await bench.join("group", commands)
            try await drive(one, two, until: "a partition each") { one.owned.count == 1 && two.owned.count == 1 }
            let (kept, gone) = (try #require(one.owned.first), try #require(two.owned.first))
            let before = try await bench.committed(gone)
            let stale = one.haul[gone][0].offset
            let record = [Append(events[0], [NewRecord("stale", "")])]
            await refuses(.fenced) {
                try await one.member.transact(Transaction(appends: record, consumed: [gone: stale]))
            }
            await refuses(.fenced) {
                let both = [gone: stale, kept: one.haul[kept][0].offset]
                try await one.member.transact(Transaction(appends: record, consumed: both))
            }
            await refuses(.fenced) { try await one.member.commit([gone: stale]) }
            #expect(try await bench.contents(of: events[0]).isEmpty)
            #expect(try await bench.committed(gone) == before)
            #expect(try await bench.committed(kept) == nil)
            try await one.transact([Append(events[0], [NewRecord("its own", "")])])
            try await two.transact([Append(events[0], [NewRecord("the other's", "")])])
            #expect(try await bench.contents(of: events[0]).map(\.key) == ["its own", "the other's"])
            #expect(try await bench.committed(kept) != nil)
            await one.member.leave()
            await two.member.leave()
        }
    }
}
