import EventLog
import EventModel
import Handling
import Projecting
import Quarantining
import ServiceLifecycle
import SwiftProtobuf
import TestSupport
import Testing

@testable import OrdersDomain
@testable import TicketsDomain

@Suite("The partitions that topics had", .timeLimit(.minutes(10)))
struct TopicBookTests {
    private static let tickets = ["tickets.commands", "tickets.events", "tickets.outcomes"]

    private func book(_ site: Site) -> TopicBook { TopicBook(site.log, clock: { noon }) }

    private func handler(_ site: Site) -> Handler {
        var handler = Handler(.tickets, log: site.log, clock: { noon }, logger: site.journal.logger("handler"))!
        (handler.quarantine, handler.book) = (site.quarantine, book(site))
        return handler
    }

    /// What a worker says when it stops by itself.
    private func failure(of worker: any Service) async -> LogError? {
        do {
            try await worker.run()
            return nil
        } catch {
            return error as? LogError
        }
    }

    @Test(arguments: Carrier.logs)
    func `are noted by the first worker, and a handler stops once they are others`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await site.log.create([TopicBook.topic])
            try await running(handler(site)) {
                try await site.talk { client async throws in
                    #expect(try await client.ask(site.command(.open(.named("s", seats: 4)), id: "open")).accepted)
                }
            }
            let noted = try await book(site).counts()
            #expect(noted == Dictionary(uniqueKeysWithValues: Self.tickets.map { ($0, 4) }))
            // As if somebody had added partitions: the log has other counts than were noted.
            try await book(site).note(["tickets.events": 2])
            let error = await failure(of: handler(site))
            #expect(error?.kind == .mismatch)
            let message = error?.message ?? ""
            #expect(
                message.contains("tickets.events had 2 partitions and has 4 now")
                    && message.contains("tickets.handler stops")
                    && message.contains("topics recount tickets.events"), "\(message)")
            try await book(site).note(["tickets.events": 4])
            try await running(handler(site)) {
                try await site.talk { client async throws in
                    #expect(try await client.ask(site.command(.hold("h", by: "ann", "A-1"), id: "hold")).accepted)
                }
            }
        }
    }

    @Test func `need not be there, and nonsense among them stops nobody`() async throws {
        try await site(.memory) { site in
            #expect(try await book(site).counts().isEmpty)
            try await running(handler(site)) {
                try await site.talk { client async throws in
                    #expect(try await client.ask(site.command(.open(.named("s", seats: 4)), id: "open")).accepted)
                }
            }
            try await site.log.create([TopicBook.topic])
            let place = TopicPartition(TopicBook.topic.name, 0)
            _ = try await site.log.append([
                Append(
                    place,
                    ["?", #"{"partitions":0}"#, #"{"partitions":"4"}"#].map {
                        NewRecord(key: "tickets.commands", value: $0, timestamp: noon)
                    })
            ])
            let reading = book(site)
            #expect(try await reading.counts().isEmpty)
            try await reading.note(["a": 1, "b": 2])
            try await reading.note(["a": 3])
            #expect(try await reading.counts() == ["a": 3, "b": 2])
            _ = try await site.log.append([Append(place, [NewRecord(key: "a", value: Bytes(), timestamp: noon)])])
            #expect(try await reading.counts() == ["b": 2])
            #expect(try await book(site).counts() == ["b": 2])
        }
    }

    @Test func `a domain's three topics must have alike`() async throws {
        try await site(.memory) { site in
            let log = MemoryLog()
            try log.create(
                Domain.tickets.topics.map { topic in
                    var topic = topic
                    if topic.name == "tickets.commands" { topic.partitions = 8 }
                    return topic
                } + [QuarantineLog.topic])
            let other = Site(log: log, views: site.views)
            let error = await failure(of: handler(other))
            #expect(
                error?.kind == .mismatch && error?.message.contains("tickets.events has 4") ?? false,
                "\(String(describing: error))")
            await #expect(throws: LogError.self) { try await other.talk { _ in } }
        }
    }

    @Test(arguments: Carrier.all)
    func `a reactor stops where a topic that it reads or writes has others`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await site.log.create([TopicBook.topic])
            let notify = try #require(Domain.orders.reactions.first { $0.name == "orders.notify" })
            func reactor() -> Reactor {
                var reactor = Reactor(notify, log: site.log, logger: site.journal.logger("reactor"))
                (reactor.quarantine, reactor.book) = (site.quarantine, book(site))
                return reactor
            }
            try await book(site).note(["orders.events": 8])
            let reading = await failure(of: reactor())
            #expect(reading?.kind == .mismatch && reading?.message.contains("orders.notify stops") ?? false)
            try await book(site).note(["orders.events": 4, "orders.notifications": 8])
            let event = OrdersEvent.OneOf_Kind.orderStatusChanged(
                .with { ($0.order, $0.customer, $0.status) = ("o1", "ann", .received) })
            let record = NewRecord(key: "o1", value: OrdersEvent.bytes(event), timestamp: noon)
            _ = try await site.log.append(Append.byKey([record], to: "orders.events", among: 4))
            let writing = await failure(of: reactor())
            #expect(
                writing?.kind == .mismatch && writing?.message.contains("orders.notifications had 8") ?? false,
                "\(String(describing: writing))")
            #expect(try await site.records("orders.notifications").values.allSatisfy(\.isEmpty))
        }
    }

    @Test func `decisions are checked by the counts that were noted`() async throws {
        try await site(.memory) { site in
            try await site.log.create([TopicBook.topic])
            try await running(handler(site)) {
                try await site.talk { client async throws in
                    #expect(try await client.ask(site.command(.open(.named("s", seats: 4)), id: "open")).accepted)
                }
            }
            let partition = Partitioner.partition(of: "e1:s", among: 4)
            func again() async throws -> DecisionAudit {
                try await DecisionAudit(partition, of: .tickets, Domain.tickets.decider!, on: site.log)
            }
            #expect(try await again().problem == nil)
            let other = try #require((1...64).first { Partitioner.partition(of: "e1:s", among: $0) != partition })
            try await book(site).note(["tickets.commands": other])
            #expect(try await again().problem?.contains("wrong-partition") == true)
        }
    }
}
