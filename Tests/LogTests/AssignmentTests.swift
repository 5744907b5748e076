import EventLog
import EventModel
import Testing

@Suite("Sharing partitions among members")
struct AssignmentTests {
    private func partitions(_ count: Int, of topic: String = "events") -> [TopicPartition] {
        (0..<count).map { TopicPartition(topic, Partition($0)) }
    }

    @Test func `no members get nothing`() {
        #expect(assignment(of: partitions(3), among: [], owned: [:]).isEmpty)
    }

    @Test func `a lone member gets all, also of those who have gone`() {
        let all = partitions(3)
        #expect(assignment(of: all, among: ["a"], owned: [all[1]: "gone"]) == ["a": Set(all)])
    }

    @Test func `a newcomer gets what the others have too much of`() {
        let all = partitions(4)
        let owned = Dictionary(uniqueKeysWithValues: all.map { ($0, "b") })
        let shares = assignment(of: all, among: ["a", "b"], owned: owned)
        #expect(shares["b"] == [all[0], all[1]])
        #expect(shares["a"] == [all[2], all[3]])
    }

    @Test func `members beyond the partitions get an empty share`() {
        let shares = assignment(of: partitions(1), among: ["a", "b"], owned: [partitions(1)[0]: "b"])
        #expect(shares == ["a": [], "b": Set(partitions(1))])
    }

    @Test func `one who has one more keeps it where the count does not come out even`() {
        let all = partitions(3)
        let shares = assignment(of: all, among: ["a", "b"], owned: [all[0]: "b", all[2]: "b"])
        #expect(shares == ["a": [all[1]], "b": [all[0], all[2]]])
    }

    @Test func `who wants only some topics gets a part of those`() {
        let (one, two) = (partitions(2, of: "one"), partitions(4, of: "two"))
        let shares = assignment(
            of: one + two, wanting: ["a": ["one", "two"], "b": ["two"], "c": []], owned: [two[3]: "a"])
        #expect(shares["a"] == [one[0], one[1], two[0], two[3]])
        #expect(shares["b"] == [two[1], two[2]])
        #expect(shares["c"] == [])
    }

    @Test func `where all want the same, topics are shared as one`() {
        let all = partitions(1, of: "one") + partitions(1, of: "two") + partitions(2, of: "three")
        let shares = assignment(
            of: all, wanting: ["a": ["one", "two", "three"], "b": ["one", "two", "three"]], owned: [all[1]: "b"])
        #expect(shares == assignment(of: all, among: ["a", "b"], owned: [all[1]: "b"]))
    }

    @Test func `shares are even, disjoint and complete, and nobody loses what is within its share`() {
        let seed: UInt64 = 20_250_101
        print("assignment: seed \(seed)")
        var random = SeededRandom(seed)
        for round in 0..<3000 {
            let members = (0..<Int.random(in: 1...7, using: &random)).map { "member-\($0)" }
            let all =
                partitions(.random(in: 0...20, using: &random), of: "one")
                + partitions(.random(in: 0...9, using: &random), of: "two")
            // Some have gone, and some partitions were nobody's; a low bound makes lopsided beginnings.
            let owners = Array((members + ["gone"]).prefix(.random(in: 1...8, using: &random)))
            var owned: [TopicPartition: String] = [:]
            for partition in all where Int.random(in: 0..<4, using: &random) > 0 {
                owned[partition] = owners.randomElement(using: &random)
            }
            check(all, members, owned, "seed \(seed), round \(round)")

            let shares = assignment(of: all, among: members, owned: owned)
            let again = assignment(
                of: all.shuffled(using: &random), among: members.shuffled(using: &random), owned: owned)
            #expect(again == shares, "it depends on the order of the facts: seed \(seed), round \(round)")
            let settled = shares.reduce(into: [TopicPartition: String]()) { owned, share in
                for partition in share.value { owned[partition] = share.key }
            }
            #expect(
                assignment(of: all, among: members, owned: settled) == shares,
                "it does not come to rest: seed \(seed), round \(round)")
        }
    }

    private func check(
        _ all: [TopicPartition], _ members: [String], _ owned: [TopicPartition: String], _ place: Comment
    ) {
        let shares = assignment(of: all, among: members, owned: owned)
        let counts = shares.values.map(\.count)
        #expect(Set(shares.keys) == Set(members), place)
        #expect(counts.max()! - counts.min()! <= 1, place)
        #expect(counts.reduce(0, +) == all.count, place)
        #expect(shares.values.reduce(into: Set()) { $0.formUnion($1) } == Set(all), place)
        for (member, share) in shares {
            let had = Set(owned.filter { $0.value == member }.keys)
            let kept = had.intersection(share)
            // Who loses something was above its share, and is given nothing else.
            if kept != had { #expect(share == kept, place) }
            #expect(kept.count >= min(had.count, all.count / members.count), place)
        }
        // One more than the least goes first to those who had it.
        let least = all.count / members.count
        let lost = shares.contains { member, share in
            share.count == least && owned.values.count { $0 == member } > least
        }
        if lost {
            let undeserved = shares.contains { member, share in
                share.count > least && owned.values.count { $0 == member } <= least
            }
            #expect(!undeserved, place)
        }
    }
}
