import EventLog
import EventModel
import Handling
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("A fact that a reaction writes to itself", .timeLimit(.minutes(10)))
struct CrossingTests {
    private typealias Kind = SocialAudienceEvent.Kind
    private let author = Bytes("star")
    private let source = TopicPartition("social.audience", Partitioner.partition(of: Bytes("star"), among: 4))

    private func record(_ event: Kind) -> NewRecord {
        NewRecord(key: author, value: SocialAudienceEvent.bytes(event), timestamp: noon, headers: [])
    }
    private func gained(_ follower: String) -> NewRecord {
        record(.followerGained(.with { ($0.user, $0.follower) = ("star", follower) }))
    }

    /// Has the reaction's group pass so many records of the audience.
    private func pass(_ count: Int64, on log: any EventLog, _ reaction: AnyReaction) async throws {
        let member = try await log.join(reaction.name, topics: reaction.topics, sharing: .together)
        var isOver = false
        while !isOver {
            guard case .assigned(let partitions) = try await member.next(max: 1, wait: .seconds(1)) else { continue }
            try await member.start(Dictionary(uniqueKeysWithValues: partitions.map { ($0, nil) }))
            if !partitions.contains(source) { continue }
            try await member.transact(Transaction(appends: [], consumed: [source: Offset(count)]))
            isOver = true
        }
        await member.leave()
    }

    @Test(arguments: Carrier.all)
    func `holds for who starts before it is read`(on carrier: Carrier) async throws {
        let fanOut = try #require(Domain.social(fanOutLimit: 3).reactions.first { $0.name == "social.fan-out" })
        try await site(carrier) { site in
            let tweet = SocialEvent.bytes(
                .tweetPosted(.with { ($0.user, $0.tweet, $0.text) = ("star", "t1", "hello") }))
            // The third follower had the author promoted; two more came before that was written.
            let up = Kind.authorPromoted(.with { ($0.user, $0.crossing, $0.followers) = ("star", 1, 3) })
            _ = try await site.log.append([Append(source, ["a", "b", "c", "d", "e"].map(gained) + [record(up)])])
            try await pass(3, on: site.log, fanOut)
            _ = try await site.log.append([
                Append(source, [gained("f")]),
                Append(
                    TopicPartition("social.events", source.partition),
                    [NewRecord(key: author, value: tweet, timestamp: noon, headers: [])]),
            ])
            try await running(site.reactor(of: fanOut)) {
                try await site.read("social.home", 3)
                // One more, behind the crossing.
                let last = Kind.followerGained(.with { ($0.user, $0.follower) = ("star", "g") })
                _ = try await site.log.append([Append(source, [record(last)])])
                try await site.read("social.home", 4)
            }
            let home = try await site.records("social.home").values.joined().compactMap {
                try SocialHomeEvent.kind(in: $0.value)
            }
            let merged = home.flatMap { (kind) -> [String] in
                if case .authorMerged(let e) = kind { e.readers } else { [] }
            }
            #expect(home.count == 4 && merged.sorted() == ["d", "e", "f", "g"])
            let crossings = try await site.records("social.audience").values.joined().compactMap {
                try SocialAudienceEvent.kind(in: $0.value)
            }.filter { if case .authorPromoted = $0 { true } else { false } }
            #expect(crossings == [up])
        }
    }
}
