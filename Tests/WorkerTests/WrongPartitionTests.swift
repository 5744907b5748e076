import EventLog
import EventModel
import Projecting
import Quarantining
import SwiftProtobuf
import TestSupport
import Testing

@testable import Handling
@testable import OrdersDomain
@testable import TicketsDomain

@Suite("What lies in a partition that its key does not belong into", .timeLimit(.minutes(10)))
struct WrongPartitionTests {
    private static let key = Bytes("e1:s")
    private static let right = Domain.tickets.topics[0].partition(of: key)
    private static let all = (0..<Domain.tickets.topics[0].partitions).map { Partition($0) }
    private static var wrong: Partition { all.first { $0 != right }! }

    private func commands(_ partition: Partition) -> TopicPartition { TopicPartition("tickets.commands", partition) }

    private func outcomes(_ site: Site, _ partition: Partition) async throws -> [Outcome] {
        try await (site.records("tickets.outcomes")[TopicPartition("tickets.outcomes", partition)] ?? [])
            .map { try Outcome($0.value) }
    }

    /// Waits until so many commands are answered.
    private func answered(_ site: Site, _ count: Int) async throws {
        try await eventually("\(count) outcomes") {
            try await site.records("tickets.outcomes").values.map(\.count).reduce(0, +) >= count ? true : nil
        }
    }

    /// As a client with another partitioner writes it.
    private func write(_ site: Site, _ record: NewRecord, into partitions: [Partition]) async throws {
        _ = try await site.log.append(partitions.map { Append(commands($0), [record]) })
    }

    private func check(_ site: Site) async throws {
        for partition in Self.all {
            let again = try await DecisionAudit(partition, of: .tickets, Domain.tickets.decider!, on: site.log)
            #expect(again.problem == nil, "\(again)")
        }
        for invariant in Invariant.ofHandler(of: .tickets) {
            let violation = try await invariant.violation(on: site.log, site.views, projections: [])
            #expect(violation == nil, "\(invariant.name)")
        }
    }

    @Test(arguments: Carrier.logs)
    func `a command is refused with the right one, and nothing comes of it`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let open = site.command(.open(.named("s", seats: 4)), id: "open").record(now: noon)
            try await write(site, open, into: Self.all)
            try await running(site.handler()) { try await answered(site, 4) }
            for partition in Self.all {
                let outcome = try #require(try await outcomes(site, partition).first)
                if partition == Self.right {
                    #expect(outcome.accepted && outcome.events.count == 1)
                } else {
                    #expect(!outcome.accepted && outcome.reason == "wrong-partition" && outcome.events.isEmpty)
                    #expect(
                        outcome.message.contains("belongs into partition \(Self.right) of tickets.commands")
                            && outcome.message.contains("murmur2"), "\(outcome.message)")
                }
            }
            #expect(try await site.facts().count == 1)
            try await check(site)
            // Another handler says the same of it, and of what is sent again.
            try await write(site, open, into: [Self.wrong, Self.right])
            try await running(site.handler("second")) { try await answered(site, 6) }
            #expect(try await outcomes(site, Self.wrong).map(\.reason) == ["wrong-partition", "wrong-partition"])
            #expect(try await outcomes(site, Self.right).map(\.accepted) == [true, true])
            #expect(try await site.facts().count == 1)
            try await check(site)
        }
    }

    @Test(arguments: Carrier.all)
    func `a fact is refused like a command`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let opened = TicketsEvent.bytes(
                .sectionOpened(.with { ($0.event, $0.section) = ("e1", .named("s", seats: 4)) }))
            let fact = EncodedCommand(type: "SectionOpened", key: Self.key, value: opened, id: "f", time: noon)
            try await write(site, fact.record(asFact: true, now: noon), into: [Self.wrong])
            try await running(site.handler()) { try await answered(site, 1) }
            #expect(try await outcomes(site, Self.wrong).map(\.reason) == ["wrong-partition"])
            #expect(try await site.facts().isEmpty)
            try await check(site)
        }
    }

    @Test(arguments: Carrier.logs)
    func `a command without an id waits in the quarantine, and cannot be let go but by dropping it`(
        on carrier: Carrier
    ) async throws {
        try await site(carrier) { site in
            let (source, worker) = (commands(Self.wrong), "tickets.handler")
            let open = site.command(.open(.named("s", seats: 4)), id: "open")
            let nameless = NewRecord(key: open.key, value: open.value, timestamp: noon)
            try await write(site, nameless, into: [Self.wrong])
            try await running(site.handler()) {
                let parked = try await eventually("it to wait") {
                    try await site.waiting(worker, source).parked.first
                }
                #expect(parked.reason.contains("belongs into partition \(Self.right)"), "\(parked)")
                // One with an id is told so at once.
                try await write(site, open.record(now: noon), into: [Self.wrong])
                try await answered(site, 1)
                #expect(try await outcomes(site, Self.wrong).map(\.reason) == ["wrong-partition"])
                let vain = try await site.redrive(worker, source, Self.key)
                #expect((vain.redriven, vain.left) == (0, 1) && vain.reason.contains("belongs into"), "\(vain)")
                #expect(try await site.waiting(worker, source)[0]?.attempts == 2)
            }
            try await running(site.handler("second")) {
                let end = try await site.redrive(worker, source, Self.key, drop: 1)
                #expect((end.dropped, end.left) == (1, 0), "\(end)")
            }
            #expect(try await site.facts().isEmpty)
            for partition in Self.all {
                let again = try await DecisionAudit(partition, of: .tickets, Domain.tickets.decider!, on: site.log)
                #expect(again.problem == nil, "\(again)")
            }
        }
    }

    @Test(arguments: Carrier.all)
    func `a command without a key is malformed, wherever it lies`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            var open = site.command(.open(.named("s", seats: 4)), id: "open").record(now: noon)
            open.key = Bytes()
            try await write(site, open, into: Self.all)
            try await running(site.handler()) { try await answered(site, 4) }
            for partition in Self.all {
                #expect(try await outcomes(site, partition).map(\.reason) == ["malformed"])
            }
        }
    }

    @Test(arguments: Carrier.logs)
    func `a sender hears the answer of the right partition, not that of a wrong one`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await site.talk { client async throws in
                let open = site.command(.open(.named("s", seats: 4)), id: "open")
                try await write(site, open.record(now: noon), into: Self.all.filter { $0 != Self.right })
                async let answer = client.ask(open)
                try await running(site.handler()) { try await answered(site, 4) }
                let heard = try await answer
                #expect(heard.accepted)
            }
        }
    }

    /// What an earlier version accepted in a wrong partition, by rules that did not ask for it.
    @Test(arguments: Carrier.all)
    func `what an earlier version accepted stands, keeps its answer, and has no timers`(on carrier: Carrier)
        async throws
    {
        try await site(carrier) { site in
            let (wrong, rules) = (Self.wrong, Domain.tickets.decider!.rules(with: .none))
            let open = site.command(.open(.named("s", seats: 4)), id: "open")
            let hold = site.command(.hold("h1", by: "ann", "A-1"), id: "hold")
            try await site.before([open, hold], in: wrong, by: rules)
            let again = try await DecisionAudit(wrong, of: .tickets, Domain.tickets.decider!, on: site.log)
            #expect(again.problem == nil && again.assumed == 2 && again.commands == 0, "\(again)")
            // The hold's time is over.
            site.clock.move(by: .seconds(400))
            try await write(site, hold.record(now: noon), into: [wrong])
            let anew = site.command(.open(.named("s", seats: 4)), id: "anew", at: noon)
            try await write(site, anew.record(now: noon), into: [Self.right])
            try await running(site.handler()) { try await answered(site, 4) }
            #expect(try await outcomes(site, wrong).map(\.accepted) == [true, true, true])
            #expect(try await outcomes(site, Self.right).map(\.accepted) == [true])
            #expect(try await site.records("tickets.commands")[commands(wrong)]?.count == 3)
            try await check(site)
        }
    }

    @Test(arguments: Carrier.logs)
    func `an event stops its key in a reaction that remembers, and is folded by views`(on carrier: Carrier) async throws
    {
        try await site(carrier) { site in
            let notify = try #require(Domain.orders.reactions.first { $0.name == "orders.notify" })
            let tracking = try #require(Domain.orders.projections.first { $0.name == "orders.tracking" })
            let right = Partitioner.partition(of: "o1", among: 4)
            let wrong = Self.all.first { $0 != right }!
            func placed(_ order: String) -> NewRecord {
                let event = OrdersEvent.OneOf_Kind.orderStatusChanged(
                    .with { ($0.order, $0.customer, $0.status) = (order, "ann", .received) })
                return NewRecord(key: Bytes(order), value: OrdersEvent.bytes(event), timestamp: noon)
            }
            let (here, there) = (TopicPartition("orders.events", right), TopicPartition("orders.events", wrong))
            _ = try await site.log.append([Append(here, [placed("o1")]), Append(there, [placed("o1")])])
            try await running(site.reactor(of: notify), site.projector(of: tracking)) {
                let parked = try await eventually("it to wait") {
                    try await site.waiting("orders.notify", there).parked.first
                }
                #expect(parked.reason.contains("belongs into partition \(right) of orders.events"), "\(parked)")
                try await eventually("the customer to be told") {
                    try await site.records("orders.notifications").values.contains { !$0.isEmpty } ? true : nil
                }
                let vain = try await site.redrive("orders.notify", there, "o1")
                #expect((vain.redriven, vain.left) == (0, 1), "\(vain)")
                try await site.folded(tracking)
                #expect(try await site.waiting("orders.tracking", there).isEmpty)
            }
            #expect(try await site.records("orders.notifications").values.map(\.count).reduce(0, +) == 1)
        }
    }

    @Test(arguments: Carrier.all)
    func `a reaction that remembers nothing makes the same of an event anywhere`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let section = TicketsSection.named("s", seats: 4)
            let listed = TicketsEvent.bytes(
                .eventListed(.with { ($0.event, $0.title, $0.sections) = ("e1", "Nutcracker", [section]) }))
            let home = Partitioner.partition(of: "e1", among: 4)
            let wrong = Self.all.first { $0 != home }!
            let record = NewRecord(key: "e1", value: listed, timestamp: noon)
            _ = try await site.log.append([Append(TopicPartition("tickets.events", wrong), [record])])
            _ = try await running(site.reactor) {
                try await eventually("a command") {
                    try await site.records("tickets.commands")[commands(Self.right)]?.first
                }
            }
        }
    }
}
