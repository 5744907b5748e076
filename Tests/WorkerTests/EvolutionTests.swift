import EventLog
import EventModel
import Projecting
import SwiftProtobuf
import Testing

@testable import Handling
@testable import TicketsDomain

/// Events that changed, and what only a newer program knows of.
@Suite("Events that changed", .timeLimit(.minutes(10)))
struct EvolutionTests {
    /// The same arrival as three versions wrote it.
    private static let arrivals: [GuestsEvent.OneOf_Kind] = [
        .guestCame(.with { ($0.house, $0.guest) = ("inn", "Ada King Lovelace") }),
        .guestArrived(.with { ($0.house, $0.name) = ("inn", "Ada King Lovelace") }),
        .guestArrived(.with { ($0.house, $0.given, $0.family) = ("inn", "Ada King", "Lovelace") }),
    ]
    private static let place = TopicPartition("guests.events", 0)

    private func record(_ kind: GuestsEvent.OneOf_Kind) -> Record {
        Record(offset: 0, timestamp: noon, key: "inn", value: GuestsEvent.bytes(kind))
    }

    @Test(arguments: arrivals)
    func `are the same to whoever reads them`(arrival: GuestsEvent.OneOf_Kind) throws {
        let (record, decider) = (record(arrival), try #require(Domain.guests.decider))
        // A decider's state,
        let aggregates = decider.aggregates()
        try aggregates.evolve(key: "inn", event: record.value, at: noon)
        let greet = GuestsCommand.bytes(.greetGuest(.with { ($0.house, $0.family) = ("inn", "Lovelace") }))
        guard case .refused(let no) = aggregates.decide(key: "inn", command: greet, id: "1", at: noon) else {
            Issue.record("the family is not known")
            return
        }
        #expect(no.reason == "here-already")
        // a fact that comes from elsewhere,
        #expect(try decider.keyOfEvent(record.value) == "inn")
        // a projection,
        let views = MemoryViews()
        let claims = views.claim(Domain.guests.projections[0], [Self.place], owner: "test").mapValues(\.epoch)
        try views.commit(Domain.guests.projections[0], to: [Self.place: 1], under: claims) { view in
            try Domain.guests.projections[0].fold([(Self.place, [record])], into: view)
        }
        let rows = try views.read(Domain.guests.projections[0]) { reader, _ in try reader.rows(Scan(GuestList.guests)) }
        #expect(rows == [["inn", "Lovelace", "Ada King"]])
        // a reaction,
        let emitted = try Domain.guests.reactions[0].memory().react(to: record, from: Self.place)
        #expect(emitted.flatMap { $0.records(among: 1) }.map(\.value) == [greet])
        // an invariant,
        try Domain.guests.invariants[0].begin().apply(record, from: Self.place)
        // and people.
        let shown = try decider.events.decode(record.value)
        #expect(shown == ("GuestArrived", #"{"house":"inn","given":"Ada King","family":"Lovelace"}"#))
        #expect(decider.events.kindName(in: record.value) == "GuestArrived")
        #expect(decider.events.lifted(record.value) == GuestsEvent.bytes(Self.arrivals[2]))
    }

    @Test func `are lifted once, and those that did not change are not touched`() throws {
        guard let lift = GuestsEvent.lift else { return }
        for arrival in Self.arrivals { #expect(lift(lift(arrival)) == lift(arrival)) }
        #expect(TicketsEvent.lift == nil && GuestsCommand.lift == nil)
        let bytes = Bytes([0x9a, 0x06, 0x00])
        #expect(Domain.tickets.decider?.events.lifted(bytes) == bytes)
    }

    @Test(arguments: Carrier.all)
    func `are decided on and folded from the log that they stand on`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            try await site.log.create(Domain.guests.topics)
            let names = ["Ada King Lovelace", "Alan Turing", "Grace Hopper"]
            let old = names.enumerated().map { i, name -> GuestsEvent.OneOf_Kind in
                i == 0
                    ? .guestCame(.with { ($0.house, $0.guest) = ("inn", name) })
                    : .guestArrived(.with { ($0.house, $0.name) = ("inn", name) })
            }
            let partition = TopicPartition("guests.events", Partitioner.partition(of: "inn", among: 4))
            _ = try await site.log.append([
                Append(partition, old.map { NewRecord(key: "inn", value: GuestsEvent.bytes($0), timestamp: noon) })
            ])
            let list = Domain.guests.projections[0]
            try await site.views.open(list)
            let decider = try #require(Domain.guests.decider)
            let handler = Handler(
                .guests, decider, log: site.log, clock: { noon }, logger: site.journal.logger("guests"))
            try await running(handler, site.projector(of: list)) {
                let outcomes = try await CommandClient.with(site.log, domains: [.guests], clock: { noon }) { client in
                    try await client.send(
                        [("Turing", "1"), ("Noether", "2")].map { family, id in
                            EncodedCommand(
                                type: "GreetGuest", key: "inn",
                                value: GuestsCommand.bytes(
                                    .greetGuest(.with { ($0.house, $0.given, $0.family) = ("inn", "E", family) })),
                                id: id, time: noon)
                        }, to: .guests, within: .seconds(300))
                }
                #expect(outcomes.map(\.reason) == ["here-already", ""])
                try await site.folded(list)
            }
            let rows = try await site.views.read(list) { reader, _ in try reader.rows(Scan(GuestList.guests)) }
            #expect(rows.map { $0[1].text } == ["Hopper", "Lovelace", "Noether", "Turing"])
        }
    }

    @Test func `are no difference where their command is decided again`() async throws {
        let decider = try #require(Domain.guests.decider)
        let partition = Partitioner.partition(of: "inn", among: 4)
        let greet = GuestsCommand.bytes(
            .greetGuest(.with { ($0.house, $0.given, $0.family) = ("inn", "Ada King", "Lovelace") }))
        let command = EncodedCommand(type: "GreetGuest", key: "inn", value: greet, id: "1", time: noon)
        // The second is not what its command makes, lifted or not.
        for (arrival, isWhole) in [(Self.arrivals[1], true), (.guestCame(.with { $0.house = "inn" }), false)] {
            let log = MemoryLog()
            try log.create(Domain.guests.topics)
            let source = TopicPartition("guests.events", partition)
            let offset = try log.append([
                Append(TopicPartition("guests.commands", partition), [command.record(now: noon)]),
                Append(source, [NewRecord(key: "inn", value: GuestsEvent.bytes(arrival), timestamp: noon)]),
            ])
            var outcome = Outcome(
                id: "1", decision: .accepted([]), digest: digest(of: greet, isFact: false), commandOffset: offset[0][0])
            outcome.events = [.init(place: source, offset: offset[1][0], type: "GuestArrived")]
            _ = try log.append([
                Append(TopicPartition("guests.outcomes", partition), [outcome.record(key: "inn", at: noon)])
            ])
            let again = try await DecisionAudit(partition, of: .guests, decider, on: log)
            #expect(again.problem?.contains("its value is another") == (isWhole ? nil : true), "\(again)")
        }
    }

    // MARK: What only a newer program knows of

    /// Field 99 of a message, a text.
    private static let unknown: [UInt8] = [0x9a, 0x06, 0x03] + Array("new".utf8)

    @Test func `a fact goes to the log as it came`() throws {
        let decider = try #require(Domain.guests.decider)
        for arrival in Self.arrivals {
            // Inside the event, and beside it.
            let inner = Array(GuestsEvent.bytes(arrival).slice)
            let fact = Bytes(
                [inner[0], inner[1] + UInt8(Self.unknown.count)] + inner[2...] + Self.unknown + Self.unknown)
            let admitted = decider.aggregates().admit(key: "inn", fact: fact, at: noon)
            guard case .accepted(let events) = admitted else {
                Issue.record("\(admitted)")
                return
            }
            #expect(events == [EncodedEvent(type: "GuestArrived", key: "inn", value: fact)])
        }
    }

    @Test func `a section keeps it from a listing through the command to the event and the state`() throws {
        var section = TicketsSection.with {
            ($0.name, $0.price) = ("s", .with { ($0.amount, $0.currency) = (100, "EUR") })
            $0.rows = [.with { ($0.label, $0.seats) = ("A", 3) }]
        }
        try section.merge(serializedBytes: Self.unknown)
        let listed = TicketsEvent.OneOf_Kind.eventListed(
            .with { ($0.event, $0.title, $0.venue, $0.startsAt, $0.sections) = ("e", "t", "v", noon.proto, [section]) })
        let record = Record(offset: 0, timestamp: noon, key: "e", value: TicketsEvent.bytes(listed))
        let source = TopicPartition("tickets.events", 0)
        let opened = try Domain.tickets.reactions[0].memory().react(to: record, from: source)[0].records(among: 1)[0]
        guard case .openSection(let command)? = try TicketsCommand.kind(in: opened.value) else {
            Issue.record("no section is opened")
            return
        }
        #expect(command.section == section)
        let aggregates = try #require(Domain.tickets.decider).aggregates()
        guard case .accepted(let events) = aggregates.decide(key: opened.key, command: opened.value, id: "1", at: noon),
            case .sectionOpened(let event)? = try TicketsEvent.kind(in: events[0].value)
        else {
            Issue.record("the section is not opened")
            return
        }
        #expect(event.section == section)
    }

    @Test(arguments: Carrier.all)
    func `compaction and retention leave values as they are`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            guard let log = site.log as? any Maintained else { return }
            let topic = Topic(
                "kept", partitions: 1, cleanup: .compact, key: "key", schema: "any", owner: "producers")
            try await log.create([topic])
            let values = (0..<20).map { Bytes(Self.unknown + [0xff, UInt8($0)]) }
            let place = TopicPartition("kept", 0)
            _ = try await log.append([
                Append(
                    place, values.enumerated().map { NewRecord(key: Bytes("k\($0 % 10)"), value: $1, timestamp: noon) })
            ])
            try await log.maintain(at: noon)
            #expect(try await site.records("kept")[place]?.map(\.value) == Array(values[10...]))
        }
    }

    @Test func `is told apart from what JSON shows`() throws {
        let events = try #require(Domain.guests.decider).events
        for arrival in Self.arrivals {
            let bytes = GuestsEvent.bytes(arrival)
            #expect(!events.hides(bytes))
            #expect(events.hides(Bytes(Array(bytes.slice) + Self.unknown)))
        }
        #expect(events.hides(Bytes(Self.unknown)) && !events.hides("garbage") && !events.hides(""))
        // The same in another order than we write it hides nothing.
        #expect(!events.hides(Bytes([0x12, 0x06, 0x1a, 0x01, 0x61, 0x0a, 0x01, 0x62])))
    }

    /// The bytes were made by `protoc --encode` from the same values as text.
    @Test func `an outcome's bytes stay as they are`() throws {
        var outcome = Outcome(
            id: "c1", decision: .accepted([]), digest: 0x0102_0304_0506_0708, commandOffset: 300)
        outcome.events = [.init(place: TopicPartition("tickets.events", 2), offset: 17, type: "SeatHeld")]
        let refused = Outcome(
            id: "c2", decision: .refused(Refused(reason: "seat-not-free", message: "no")), digest: 1, commandOffset: 0)
        let ruled = Outcome(
            id: "c2", decision: .refused(Refused(reason: "seat-not-free", message: "no")), digest: 1, commandOffset: 0,
            rules: 2)
        for (outcome, golden) in [
            (outcome, Self.accepted), (refused, Self.refused), (ruled, Self.refused + "4002"),
        ] {
            let bytes = outcome.record(key: "k", at: noon).value
            #expect(bytes.slice.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == golden)
            #expect(try Outcome(bytes) == outcome)
        }
    }
    private static let accepted =
        "0a02633110012a1e0a0e7469636b6574732e6576656e74731002181122085365617448656c6431080706050403020138ac02"
    private static let refused = "0a0263321a0d736561742d6e6f742d6672656522026e6f310100000000000000"
}
