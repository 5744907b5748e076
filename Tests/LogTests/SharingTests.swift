import EventLog
import EventModel
import Testing

@Suite("Members of one group", .timeLimit(.minutes(10)))
struct SharingTests {
    @Test(arguments: Carrier.all)
    func `two members share, and what is committed when revoked is delivered once`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 4)
            for partition in events { try await bench.append(["a", "b"], to: partition) }
            let one = try await bench.join("group", events)
            try await drive(one, until: "8 records") { one.haul.count == 8 }
            let two = try await bench.join("group", events)
            try await drive(one, two, until: "two partitions each") { one.owned.count == 2 && two.owned.count == 2 }
            for partition in events { try await bench.append(["c", "d"], to: partition) }
            try await drive(one, two, until: "16 records") { one.haul.count + two.haul.count >= 16 }
            for partition in events {
                let came = one.haul[partition] + two.haul[partition]
                #expect(came.map(\.value) == ["a", "b", "c", "d"])
            }
            // One that the group went on without has none any more, and the other gets what it had not committed.
            if one.fenced == 0 { #expect(two.haul.count == 4) }
            await one.member.leave()
            await two.member.leave()
        }
    }

    @Test(arguments: Carrier.all)
    func `a partition goes to another only when it is released`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 2)
            let one = try await bench.join("group", events)
            try await drive(one, until: "both partitions") { one.owned.count == 2 }
            let two = try await bench.join("group", events)
            let deadline = Deadline()
            var revoked: [TopicPartition] = []
            while revoked.isEmpty {
                _ = try deadline.left(for: "a revocation")
                if case .revoked(let partitions) = try await one.member.next(max: 10, wait: .milliseconds(50)) {
                    revoked = partitions
                }
                try await two.step()
            }
            #expect(revoked.count == 1)
            for _ in 0..<3 { try await two.step() }
            #expect(two.owned.isEmpty, "it was not released yet")
            try await one.member.release(revoked)
            while two.owned.isEmpty {
                _ = try deadline.left(for: "the released partition")
                _ = try await one.member.next(max: 10, wait: .milliseconds(50))
                try await two.step()
            }
            #expect(two.owned == Set(revoked))
            await one.member.leave()
            await two.member.leave()
        }
    }

    @Test(arguments: Carrier.all)
    func `when a member leaves, the other gets its partitions and goes on where it had committed`(
        on carrier: Carrier
    ) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic(partitions: 4)
            let (one, two) = (try await bench.join("group", events), try await bench.join("group", events))
            try await drive(one, two, until: "two partitions each") { one.owned.count == 2 && two.owned.count == 2 }
            for partition in events { try await bench.append(["a", "b"], to: partition) }
            try await drive(one, two, until: "8 records") { one.haul.count + two.haul.count >= 8 }
            let gone = one.owned.sorted()
            // Of the first it commits all, of the second nothing.
            try await one.commit([gone[0]])
            await one.member.leave()
            try await drive(two, until: "all partitions") { two.owned.count == 4 }
            try await drive(two, until: "2 records once more") { two.haul.count >= 6 }
            #expect(two.haul.texts(gone[0]).isEmpty)
            #expect(two.haul.texts(gone[1]) == ["a", "b"])
            for partition in events { try await bench.append(["c"], to: partition) }
            try await drive(two, until: "4 further records") { two.haul.count >= 10 }
            #expect(two.haul.texts(gone[0]) == ["c"])
            #expect(two.haul.texts(gone[1]) == ["a", "b", "c"])
            await two.member.leave()
        }
    }

    @Test(arguments: Carrier.all)
    func `members beyond the partitions wait for their turn`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic()
            let one = try await bench.join("group", events)
            try await drive(one, until: "the partition") { one.owned.count == 1 }
            let two = try await bench.join("group", events)
            for _ in 0..<3 {
                try await one.step()
                try await two.step()
            }
            try await drive(one, two, until: "one owner") { one.owned.count + two.owned.count == 1 }
            let (holder, waiting) = one.owned.isEmpty ? (two, one) : (one, two)
            await holder.member.leave()
            try await drive(waiting, until: "the partition") { waiting.owned.count == 1 }
            await waiting.member.leave()
        }
    }

    @Test(arguments: Carrier.all)
    func `members that want different topics leave no partition to nobody`(on carrier: Carrier) async throws {
        try await bench(carrier) { bench in
            let events = try await bench.topic("events", partitions: 3)
            let others = try await bench.topic("others", partitions: 2)
            let both = try await bench.join("group", events, others)
            try await drive(both, until: "5 partitions") { both.owned.count == 5 }
            let one = try await bench.join("group", others)
            // How many each gets is the carrier's affair: Kafka's sticky assignor shares 3 + 2, ours 4 + 1.
            try await drive(both, one, until: "a share for each, and an owner for all") {
                !one.owned.isEmpty && one.owned.count + both.owned.count == 5
            }
            #expect(one.owned.isSubset(of: others))
            #expect(both.owned.isSuperset(of: events))
            await both.member.leave()
            try await drive(one, until: "all of its own topic") { one.owned == Set(others) }
            await one.member.leave()
        }
    }
}
