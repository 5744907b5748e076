import EventLog
import EventModel
import SwiftProtobuf
import TestSupport
import Testing

@testable import Handling
@testable import TicketsDomain

/// Unicode has é as one character (NFC), and as e with an accent after it.
private let (composed, apart) = ("caf\u{e9}", "cafe\u{301}")

@Suite("Names that another program writes straight to the log", .timeLimit(.minutes(10)))
struct SpellingTests {
    private static let topic = Domain.tickets.topics[0]

    /// The outcomes of a partition, by command.
    private func outcomes(_ site: Site, _ key: Bytes) async throws -> [String: Outcome] {
        let place = TopicPartition("tickets.outcomes", Self.topic.partition(of: key))
        let all = try await (site.records("tickets.outcomes")[place] ?? []).map { try Outcome($0.value) }
        return Dictionary(all.map { ($0.id, $0) }) { $1 }
    }

    private func write(_ site: Site, _ commands: [EncodedCommand], asFact: Bool = false) async throws {
        let records = commands.map { $0.record(asFact: asFact, now: site.clock.now) }
        _ = try await site.log.append(Append.byKey(records, to: "tickets.commands", among: Self.topic.partitions))
    }

    private func answered(_ site: Site, _ count: Int) async throws {
        try await eventually("\(count) outcomes") {
            try await site.records("tickets.outcomes").values.map(\.count).reduce(0, +) >= count ? true : nil
        }
    }

    private func check(_ site: Site) async throws {
        for partition in (0..<Self.topic.partitions).map({ Partition($0) }) {
            let again = try await DecisionAudit(partition, of: .tickets, Domain.tickets.decider!, on: site.log)
            #expect(again.problem == nil && again.assumed == 0, "\(again)")
        }
    }

    @Test(arguments: Carrier.logs)
    func `are refused where they are new, with what to write`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            let holder = site.command(.hold("h1", by: apart, "A-1"), id: "holder")
            let commands = [
                site.command(.open(.named("s", seats: 4)), id: "open"), holder,
                site.command(.hold(apart, by: "ann", "A-1"), id: "hold"),
                site.command(.hold("a\u{200d}b", by: "ann", "A-1"), id: "joiner"),
                site.command(.hold(by: "ann", "A-1"), id: "id-\(apart)"),
                site.command(.hold("h2", by: composed, "A-2"), id: "right"),
                site.command(.open(.named(apart, seats: 4)), id: "section"),
                site.command(.list(.named(composed, seats: 4), event: apart), id: "event"),
            ]
            try await write(site, commands)
            try await running(site.handler()) { try await answered(site, commands.count) }
            let here = try await outcomes(site, "e1:s")
            #expect(here["open"]?.accepted == true && here["right"]?.accepted == true)
            for id in ["holder", "hold", "joiner"] { #expect(here[id]?.reason == "malformed", "\(id)") }
            #expect(
                here["holder"]?.message
                    == #"holder: is "cafe\u{301}", which is not Unicode's composed form (NFC); write "caf\u{e9}""#)
            #expect(here["joiner"]?.message.contains(#"has \u{200d}, which shows nothing"#) == true)
            #expect(here["id-\(apart)"]?.accepted == false, "an id that would name a hold")
            #expect(try await outcomes(site, Bytes("e1:\(apart)"))["section"]?.reason == "malformed")
            #expect(try await outcomes(site, Bytes(apart))["event"]?.reason == "malformed")
            #expect(try await site.facts().count == 2)
            try await check(site)
            // Another handler, which folds it all, says the same again.
            try await write(site, [holder])
            try await running(site.handler("second")) { try await answered(site, commands.count + 1) }
            #expect(try await outcomes(site, "e1:s")["holder"]?.reason == "malformed")
            try await check(site)
        }
    }

    @Test(arguments: Carrier.logs)
    func `are refused in facts too`(on carrier: Carrier) async throws {
        try await site(carrier) { site in
            func opened(_ section: String) -> EncodedCommand {
                let value = TicketsEvent.bytes(
                    .sectionOpened(.with { ($0.event, $0.section) = ("e1", .named(section, seats: 4)) }))
                return EncodedCommand(
                    type: "SectionOpened", key: Bytes("e1:\(section)"), value: value, id: "f-\(section)", time: noon)
            }
            try await write(site, [opened(apart), opened(composed)], asFact: true)
            try await running(site.handler()) { try await answered(site, 2) }
            #expect(try await outcomes(site, Bytes("e1:\(apart)"))["f-\(apart)"]?.reason == "malformed")
            #expect(try await outcomes(site, Bytes("e1:\(composed)"))["f-\(composed)"]?.accepted == true)
            try await check(site)
        }
    }

    /// A section, a hold and a holder of a time at which no spelling was asked for.
    @Test(arguments: Carrier.logs, [AnyDecider.CommonRules.none, .partitions])
    func `that were admitted before go on, with their timers`(
        on carrier: Carrier, _ rules: AnyDecider.CommonRules
    ) async throws {
        try await site(carrier) { site in
            let key = Bytes("e1:\(apart)")
            let former = [
                site.command(.open(.named(apart, seats: 4)), id: "open"),
                site.command(.hold(apart, by: apart, in: apart, "A-1"), id: "hold"),
                site.command(.hold("b\u{200d}", by: "bob", in: apart, "A-2"), id: "late"),
            ]
            try await site.before(
                former, in: Self.topic.partition(of: key), by: Domain.tickets.decider!.rules(with: rules))
            try await check(site)
            let commands = [
                site.command(.confirm(composed, by: apart, in: apart), id: "other"),
                site.command(.confirm(apart, by: apart, in: apart), id: "sale"),
                site.command(.hold("h3", by: composed, in: apart, "A-3"), id: "later"),
                site.command(.hold("h4", by: "zoe\u{308}", in: apart, "A-4"), id: "holder"),
                site.command(.hold("zoe\u{308}", by: "ann", in: apart, "A-4"), id: "name"),
                site.command(.release("h3", by: composed, in: apart), id: "release"),
            ]
            try await write(site, commands)
            try await running(site.handler()) {
                try await answered(site, former.count + commands.count)
                site.clock.move(by: .seconds(400))
                try await eventually("the hold to expire") {
                    try await site.facts().contains {
                        if case .holdExpired(let e) = $0 { e.hold == "b\u{200d}" } else { false }
                    } ? true : nil
                }
                try await write(site, [site.command(.hold("h5", by: "cy", in: apart, "A-2"), id: "free")])
                try await answered(site, former.count + commands.count + 2)
            }
            let outcomes = try await outcomes(site, key)
            for id in ["sale", "later", "release", "free"] {
                #expect(outcomes[id]?.accepted == true, "\(id): \(outcomes[id]?.message ?? "")")
            }
            for id in ["other", "holder", "name"] { #expect(outcomes[id]?.reason == "malformed", "\(id)") }
            #expect(
                outcomes["other"]?.message.contains(
                    #"is "caf\u{e9}", which has been "cafe\u{301}" here since before names were composed"#) == true,
                "\(outcomes["other"]?.message ?? "")")
            try await check(site)
        }
    }
}
