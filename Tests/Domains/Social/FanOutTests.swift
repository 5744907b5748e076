import DomainTesting
import EventModel
import Projecting
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("Fan-out at its limit")
struct FanOutTests {
    /// How an author's crossings went: "up 3" with three followers.
    private func crossings(_ feed: SocialFeed, of author: String = "star") throws -> [String] {
        try feed.audience().compactMap { event in
            switch event {
            case .authorPromoted(let e) where e.user == author: "up \(e.followers)"
            case .authorDemoted(let e) where e.user == author: "down \(e.followers)"
            default: nil
            }
        }
    }

    @Test(arguments: [1, 3, 1000], [1, 2, 3] as [UInt64])
    func `an author with a backlog of followers is promoted once, in one batch as in many`(
        batch: Int, seed: UInt64
    ) throws {
        var random = SeededRandom(seed)
        var feed = SocialFeed(limit: 3)
        feed.tell(.post("t1", by: "star"))
        for i in 0..<20 { feed.tell(.follow("star", by: "f\(i)")) }
        while try feed.react(&random, atMost: batch) {}
        try feed.project(&random, all: true)
        #expect(try crossings(feed) == ["up 3"], "seed \(seed)")
        #expect(try feed.handedOut() <= 2, "seed \(seed)")
        for i in 0..<20 { #expect(try feed.timeline(of: "f\(i)", by: 10) == ["star/t1"], "f\(i), seed \(seed)") }
        #expect(try feed.violations() == [], "seed \(seed)")
    }
    @Test(arguments: [1, 5, 1000], [1, 2] as [UInt64])
    func `entries are at most tweets times the limit, however many follow and tweet before they are read`(
        batch: Int, seed: UInt64
    ) throws {
        var random = SeededRandom(seed)
        var feed = SocialFeed(limit: 20)
        for i in 0..<30 { feed.tell(.post("t\(i)", by: "star")) }
        for i in 0..<200 { feed.tell(.follow("star", by: "f\(i)")) }
        for i in 30..<40 { feed.tell(.post("t\(i)", by: "star")) }
        while try feed.react(&random, atMost: batch) {}
        try feed.project(&random, all: true)
        #expect(try crossings(feed) == ["up 20"])
        #expect(try feed.handedOut() <= 40 * 19, "seed \(seed)")
        #expect(try feed.timeline(of: "f199", by: 100).count == 40)
        #expect(try feed.violations() == [], "seed \(seed)")
    }
    @Test(arguments: [1, 1000], [1, 2, 3] as [UInt64])
    func `an author who loses a backlog of followers is demoted once, and all who are left are handed the tweets`(
        batch: Int, seed: UInt64
    ) throws {
        var random = SeededRandom(seed)
        var feed = SocialFeed(limit: 10)
        for i in 0..<30 { feed.tell(.follow("star", by: "f\(i)")) }
        for i in 0..<5 { feed.tell(.post("t\(i)", by: "star")) }
        try feed.settle(&random)
        for i in 0..<25 { feed.tell(.unfollow("star", by: "f\(i)")) }
        feed.tell(.delete("t0", by: "star"))
        feed.tell(.post("t5", by: "star"))
        while try feed.react(&random, atMost: batch) {}
        try feed.project(&random, all: true)
        #expect(try crossings(feed) == ["up 10", "down 8"], "seed \(seed)")
        for i in 25..<30 { #expect(try feed.timeline(of: "f\(i)", by: 10).count == 5, "seed \(seed)") }
        for i in 0..<25 { #expect(try feed.timeline(of: "f\(i)", by: 10) == [], "seed \(seed)") }
        #expect(try feed.violations() == [], "seed \(seed)")
    }
    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `who starts anew knows of a crossing that is written and not yet read`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        var feed = SocialFeed(limit: 3)
        feed.tell(.post("t1", by: "star"))
        func work() throws {
            while try feed.react(&random, atMost: 3) {
                for p in 0..<SocialFeed.partitions { try feed.restart(partition: p) }
            }
        }
        for i in 0..<12 { feed.tell(.follow("star", by: "f\(i)")) }
        try work()
        for i in 0..<11 { feed.tell(.unfollow("star", by: "f\(i)")) }
        try work()
        for i in 20..<32 { feed.tell(.follow("star", by: "f\(i)")) }
        try work()
        try feed.project(&random, all: true)
        #expect(try crossings(feed) == ["up 3", "down 2", "up 3"], "seed \(seed)")
        #expect(try feed.violations() == [], "seed \(seed)")
        for i in [11] + Array(20..<32) { #expect(try feed.timeline(of: "f\(i)", by: 10) == ["star/t1"]) }
        for i in 0..<11 { #expect(try feed.timeline(of: "f\(i)", by: 10) == []) }
    }

    // MARK: What an older program wrote

    private typealias Kind = SocialAudienceEvent.Kind
    private let source = TopicPartition("social.audience", 0)
    private func record(_ event: Kind, _ offset: Int64 = 0) -> Record {
        Record(
            offset: Offset(offset), timestamp: after(offset), key: "star", value: SocialAudienceEvent.bytes(event))
    }
    private func gained(_ follower: String) -> Kind {
        .followerGained(.with { ($0.user, $0.follower) = ("star", follower) })
    }
    private func lost(_ follower: String) -> Kind {
        .followerLost(.with { ($0.user, $0.follower) = ("star", follower) })
    }
    private let up = Kind.authorPromoted(.with { $0.user = "star" })
    private let down = Kind.authorDemoted(.with { $0.user = "star" })
    private func memory(limit: Int = 3, after past: [Kind] = []) throws -> any ReactionMemory {
        let fanOut = Domain.social(fanOutLimit: limit).reactions.first { $0.name == "social.fan-out" }
        let memory = try #require(fanOut).memory()
        for event in past { try memory.evolve(with: record(event), from: source) }
        return memory
    }
    private func types(_ memory: any ReactionMemory, _ event: Kind) throws -> [String] {
        try memory.react(to: record(event), from: source).map(\.type)
    }

    @Test func `crossings without a number hold from where they stand, however often they were written`() throws {
        let memory = try memory(after: ["a", "b", "c", "d"].map(gained) + [up, up])
        #expect(try types(memory, up) == [])
        #expect(try types(memory, gained("e")) == ["AuthorMerged"])
        #expect(try types(memory, lost("e")) == ["AuthorUnmerged"])
        #expect(try types(memory, lost("d")) == ["AuthorUnmerged"])
        #expect(try types(memory, lost("c")) == ["AuthorUnmerged", "AuthorDemoted", "AuthorUnmerged"])
        // What is read late of the older ones changes nothing any more.
        #expect(try types(memory, up) == [])
        #expect(try types(memory, gained("f")) == ["AuthorPromoted", "AuthorMerged"])
    }
    @Test func `a crossing of an older program that is still to be read has its followers told then`() throws {
        let memory = try memory(limit: 100, after: ["a", "b", "c"].map(gained))
        #expect(try !memory.foresee(record(up), in: source, isLoaded: true))
        #expect(try types(memory, up) == ["AuthorMerged"])
        #expect(try types(memory, down) == ["AuthorUnmerged"])
        #expect(try types(memory, down) == [])
    }
    @Test func `a limit that was lowered promotes at the next tweet, and hands it to nobody`() throws {
        let memory = try memory(limit: 3, after: (0..<9).map { gained("f\($0)") })
        let tweet = Record(
            offset: 0, timestamp: noon, key: "star", value: SocialEvent.bytes(.posted("t1", by: "star")))
        let emitted = try memory.react(to: tweet, from: TopicPartition("social.events", 0))
        #expect(emitted.map(\.type) == ["AuthorPromoted", "AuthorMerged"])
        let again = Record(
            offset: 1, timestamp: noon, key: "star", value: SocialEvent.bytes(.posted("t2", by: "star")))
        #expect(try memory.react(to: again, from: TopicPartition("social.events", 0)).isEmpty)
    }

    @Test func `crossings that do not alternate break an invariant`() throws {
        func verdict(_ events: [Kind]) -> String? {
            let audit = SocialInvariants.crossingsAlternate.begin()
            do {
                for (i, event) in events.enumerated() {
                    try audit.apply(record(event, Int64(i)), from: source)
                }
                return nil
            } catch {
                return String(describing: error)
            }
        }
        func up(_ number: Int32) -> Kind { .authorPromoted(.with { ($0.user, $0.crossing) = ("star", number) }) }
        func down(_ number: Int32) -> Kind { .authorDemoted(.with { ($0.user, $0.crossing) = ("star", number) }) }
        #expect(verdict([up(1), down(2), up(3)]) == nil)
        #expect(verdict([self.up, self.up, self.down, down(1), up(2)]) == nil)
        #expect(
            verdict([up(1), up(2)])
                == "star crosses the limit up as number 2 after its number 1, up, at social.audience/0@1")
        #expect(verdict([up(1), down(3)]) != nil && verdict([down(1), down(2)]) != nil && verdict([up(2)]) != nil)
    }
    @Test func `entries of more followers than an author had when promoted break an invariant`() throws {
        let fold = Fold(projection: Domain.social.projection("social.timelines"))
        let entry = SocialTimelineEntry.with { ($0.tweet, $0.postedAt) = ("t1", noon.proto) }
        let added = SocialHomeEvent.Kind.timelineEntriesAdded(
            .with { ($0.author, $0.entries, $0.readers) = ("star", [entry], ["a", "b", "c", "d"]) })
        try fold.take([
            (
                TopicPartition("social.home", 0),
                Record(offset: 0, timestamp: noon, key: Bytes(), value: SocialHomeEvent.bytes(added))
            )
        ])
        func verdict(followers: Int32) throws -> String? {
            // The views call back on this thread, once.
            nonisolated(unsafe) let audit = SocialInvariants.entriesAreBounded.begin()
            let up = Kind.authorPromoted(.with { ($0.user, $0.crossing, $0.followers) = ("star", 1, followers) })
            try audit.apply(record(up), from: source)
            do {
                try fold.views.read(fold.projection) { reader, _ in try audit.finish(reader) }
                return nil
            } catch let violation as Violation {
                return violation.message
            }
        }
        #expect(try verdict(followers: 4) == nil)
        #expect(try verdict(followers: 3) == "star's tweet t1 is handed to 4 readers, not at most 3")
    }
}
