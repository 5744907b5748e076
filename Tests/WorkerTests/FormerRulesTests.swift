import EventLog
import EventModel
import SwiftProtobuf
import Testing

@testable import Handling
@testable import OrdersDomain
@testable import SocialDomain

@Suite("What an earlier version decided by other rules")
struct FormerRulesTests {
    /// A log on which a command was accepted with an event, or refused.
    private func again(
        _ domain: Domain, key: Bytes, _ command: Bytes, _ event: Bytes?, refused reason: String = "",
        byToday: Bool = false, by rules: Int? = nil
    ) async throws -> DecisionAudit {
        let decider = try #require(domain.decider)
        let partition = Partitioner.partition(of: key, among: domain.topics[0].partitions)
        let type = decider.commands.kindName(in: command)
        let log = MemoryLog()
        try log.create(domain.topics)
        let source = TopicPartition(domain.eventsTopic, partition)
        let encoded = EncodedCommand(type: type, key: key, value: command, id: "1", time: noon)
        let events = event.map { [NewRecord(key: key, value: $0, timestamp: noon)] } ?? []
        let offset = try log.append([
            Append(TopicPartition(domain.commandsTopic, partition), [encoded.record(now: noon)]),
            Append(source, events),
        ])
        var outcome = Outcome(
            id: "1",
            decision: event == nil ? .refused(Refused(reason: reason, message: "as it was")) : .accepted([]),
            digest: digest(of: command, isFact: false), commandOffset: offset[0][0],
            rules: rules ?? (byToday ? decider.rules : 0))
        if let event {
            outcome.events = [.init(place: source, offset: offset[1][0], type: decider.events.kindName(in: event))]
        }
        _ = try log.append([
            Append(TopicPartition(domain.outcomesTopic, partition), [outcome.record(key: key, at: noon)])
        ])
        return try await DecisionAudit(partition, of: domain, decider, on: log)
    }

    private func post(_ text: String, hashtags: [String] = [], mentions: [String] = []) -> (
        command: Bytes, event: Bytes
    ) {
        let command = SocialCommand.bytes(.postTweet(.with { ($0.user, $0.tweet, $0.text) = ("ann", "t1", text) }))
        let event = SocialEvent.bytes(
            .tweetPosted(
                .with {
                    ($0.user, $0.tweet, $0.text, $0.hashtags, $0.mentions) = ("ann", "t1", text, hashtags, mentions)
                }))
        return (command, event)
    }

    @Test func `stands where the rules have changed since, and what today's rules gave is decided again`() async throws
    {
        let former = [
            post("see example.com/#frag", hashtags: ["frag"]), post("#multipl…", hashtags: ["multipl"]),
            post("#caf\u{65}\u{301}", hashtags: ["caf\u{65}\u{301}"]), post("x.org/@bob", mentions: ["bob"]),
            post("\u{feff}x"), post(String(repeating: "a.co ", count: 40)),
        ]
        for (command, event) in former {
            let again = try await again(.social, key: "ann", command, event)
            #expect(again.problem == nil && again.assumed == 1 && again.events == 0, "\(again)")
        }
        // A link no more, it was accepted then.
        let (link, posted) = post("http://a_b.com/" + String(repeating: "x", count: 300))
        #expect(try await again(.social, key: "ann", link, posted).problem == nil)
        let long = post(String(repeating: "x", count: 300)).command
        let refused = try await again(.social, key: "ann", long, nil, refused: "over-length", byToday: true)
        #expect(refused.problem?.contains("as it was") == true, "\(refused)")
        let counted = post("http://x.com/" + String(repeating: "x", count: 4000)).command
        #expect(try await again(.social, key: "ann", counted, nil, refused: "malformed").problem == nil)

        let wrong = post("#a", hashtags: ["b"])
        #expect(
            try await again(.social, key: "ann", wrong.command, wrong.event, byToday: true).problem?
                .contains("its value is another") == true)
        let right = post("#a", hashtags: ["a"])
        let same = try await again(.social, key: "ann", right.command, right.event, byToday: true)
        #expect(same.problem == nil && same.events == 1 && same.assumed == 0)
    }

    @Test func `stands where names were let in that are not any more`() async throws {
        let order = "caf\u{65}\u{301}"
        let command = OrdersCommand.bytes(.placeOrder(.with { ($0.order, $0.customer) = (order, "ann") }))
        let decider = try #require(Domain.orders.decider)
        let decided = Check.$asBefore.withValue(true) {
            decider.aggregates().decide(key: Bytes(order), command: command, id: "1", at: noon)
        }
        guard case .accepted(let made) = decided, made.count == 1 else {
            Issue.record("\(decided)")
            return
        }
        for rules in [AnyDecider.CommonRules.none, .partitions] {
            let again = try await again(
                .orders, key: Bytes(order), command, made[0].value, by: decider.rules(with: rules))
            #expect(again.problem == nil && again.events == 1 && again.assumed == 0, "\(again)")
        }
        let today = try await again(.orders, key: Bytes(order), command, made[0].value, by: decider.rules)
        #expect(today.problem?.contains("but is refused as malformed when decided again") == true, "\(today)")
        // Of rules that only a newer program knows, nothing is said.
        let newer = try await again(
            .orders, key: Bytes(order), command, made[0].value, by: decider.rules + AnyDecider.ownRulesLimit)
        #expect(newer.problem == nil && newer.assumed == 1, "\(newer)")
        #expect(throws: Malformed.self) { try decider.keyOfCommand(command) }
    }

    /// What was decided when no spelling was asked for, and today's answers after it.
    private func goesOn<C: Envelope>(
        _ domain: Domain, _ key: Bytes, _ type: C.Type, before: [C.Kind], taken: [C.Kind], refused: [C.Kind]
    ) throws {
        let aggregates = try #require(domain.decider).aggregates()
        func answer(_ kind: C.Kind) -> Decision {
            aggregates.decide(key: key, command: C.bytes(kind), id: "1", at: noon)
        }
        for command in before {
            guard case .refused(let no) = answer(command) else {
                Issue.record("\(command) is taken as new")
                continue
            }
            #expect(no.reason == "malformed")
            guard case .accepted = Check.$asBefore.withValue(true, operation: { answer(command) }) else {
                Issue.record("\(command) was not taken before")
                return
            }
        }
        for command in taken {
            guard case .accepted = answer(command) else {
                Issue.record("\(command): \(answer(command))")
                continue
            }
        }
        for command in refused {
            guard case .refused(let no) = answer(command), no.reason == "malformed" else {
                Issue.record("\(command): \(answer(command))")
                continue
            }
        }
    }

    @Test func `has names that go on in orders and in tweets, and no others`() throws {
        let (old, other) = ("caf\u{65}\u{301}", "zo\u{65}\u{308}")
        try goesOn(
            .orders, Bytes(old), OrdersCommand.self,
            before: [.placeOrder(.with { ($0.order, $0.customer) = (old, old) })],
            taken: [
                .placeOrder(.with { ($0.order, $0.customer) = (old, old) }),
                .assignCourier(.with { ($0.order, $0.courier) = (old, "cy") }),
                .markPickedUp(.with { ($0.order, $0.courier) = (old, "cy") }),
            ],
            refused: [.assignCourier(.with { ($0.order, $0.courier) = (old, other) })])
        try goesOn(
            .social, "ann", SocialCommand.self,
            before: [
                .postTweet(.with { ($0.user, $0.tweet, $0.text) = ("ann", old, "a") }),
                .retweet(.with { ($0.user, $0.tweet, $0.owner, $0.original) = ("ann", "r\u{200d}", "bob", old) }),
            ],
            taken: [
                .retweet(.with { ($0.user, $0.tweet, $0.owner, $0.original) = ("ann", "r\u{200d}", "bob", old) }),
                .retweet(.with { ($0.user, $0.tweet, $0.owner, $0.original) = ("ann", "r2", "ann", old) }),
                .deleteTweet(.with { ($0.user, $0.tweet) = ("ann", old) }),
                .postTweet(.with { ($0.user, $0.tweet, $0.text) = ("ann", Check.composed(other), "a") }),
            ],
            refused: [
                .deleteTweet(.with { ($0.user, $0.tweet) = ("ann", Check.composed(old)) }),
                .postTweet(.with { ($0.user, $0.tweet, $0.text) = ("ann", other, "a") }),
                .retweet(.with { ($0.user, $0.tweet, $0.owner, $0.original) = ("ann", "r3", "bob", other) }),
            ])
    }

    @Test func `facts of it are taken with the names it found`() throws {
        let decider = try #require(Domain.social.decider)
        for event in [
            post("see example.com/#frag", hashtags: ["frag"]).event, post("see example.com/#frag").event,
        ] {
            #expect(try decider.keyOfEvent(event) == "ann")
        }
        #expect(throws: Malformed.self) { try decider.keyOfEvent(post("see #frag", hashtags: []).event) }
        #expect(throws: Malformed.self) {
            try decider.keyOfEvent(post("#caf\u{e9}", hashtags: ["caf\u{65}\u{301}"]).event)
        }
    }
}
