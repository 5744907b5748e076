import EventLog
import EventModel
import Projecting
import SwiftProtobuf
import Testing

@testable import Handling
@testable import TicketsDomain

@Suite("The id of a command", .timeLimit(.minutes(10)))
struct KeyedIDTests {
    @Test func `and its key come back from their stored text, and no two have the same`() {
        let keys: [Bytes] = ["", "a", "a:b", "1:a", Bytes([0xff, 0x00]), Bytes([1, 0x6b]), "\u{1}k1:a", "é"]
        let ids = ["", "x", ":", "1:x", "\u{1}k1:a", "a\0b", "ex", "\u{1F3AD}"]
        var texts: Set<[UInt8]> = []
        for key in keys {
            for id in ids {
                let whole = KeyedID(key, id)
                #expect(KeyedID(storable: whole.storable) == whole, "\(whole)")
                #expect(texts.insert(Array(whole.storable.utf8)).inserted, "\(whole)")
                #expect(!KeyedID.isPlain(whole.storable))
            }
        }
        // What a checkpoint of an earlier version has of these ids is told apart, and lies outside the others' bounds.
        for id in ids {
            let plain = Bytes(id).storable
            #expect(KeyedID.isPlain(plain) && KeyedID(storable: plain) == nil)
            let before = precedes([.text(plain)], [.text(KeyedID.bounds.0)])
            #expect(before || precedes([.text(KeyedID.bounds.1)], [.text(plain)]), "\(id)")
        }
        for whole in [KeyedID("a", "x"), KeyedID("a", String(repeating: "y", count: 5000))] {
            #expect(precedes([.text(KeyedID.bounds.0)], [.text(whole.storable)]))
            #expect(precedes([.text(whole.storable)], [.text(KeyedID.bounds.1)]))
            #expect(whole.storable.utf8.count < 2000 && !KeyedID.isPlain(whole.storable))
        }
    }

    /// Two events whose sections are in one partition, and a third in another.
    private static let events: (one: String, same: String, other: String) = {
        func partition(_ event: String) -> Partition { Domain.tickets.topics[0].partition(of: Bytes("\(event):s")) }
        let names = (1...99).map { "e\($0)" }
        return (
            "e1", names.first { $0 != "e1" && partition($0) == partition("e1") }!,
            names.first { partition($0) != partition("e1") }!
        )
    }()

    @Test(arguments: Carrier.logs)
    func `is of its key: other keys' commands may have it too, in the same partition and in others`(
        on carrier: Carrier
    ) async throws {
        try await site(carrier) { site in
            let events = Self.events
            let opens = [events.one, events.same, events.other].map {
                site.command(.open(.named("s", seats: 4), event: $0), id: "open")
            }
            func another(_ event: String) -> EncodedCommand {
                site.command(.open(.named("s", seats: 5), event: event), id: "open")
            }
            let first = try await running(site.handler("first")) {
                try await site.talk { client async throws in
                    let outcomes = try await client.send(opens, to: .tickets, within: .seconds(300))
                    #expect(outcomes.map(\.accepted) == [true, true, true])
                    #expect(Set(outcomes.flatMap(\.events)).count == 3)
                    #expect(try await client.send(opens, to: .tickets, within: .seconds(300)) == outcomes)
                    let reused = try await client.send(
                        [events.one, events.same, events.other].map(another), to: .tickets, within: .seconds(300))
                    #expect(reused.map(\.reason) == ["id-reused", "id-reused", "id-reused"])
                    let told =
                        "the id open was used before for another command of the same key; give this one an id of its own"
                    #expect(reused.map(\.message) == [told, told, told])
                    return outcomes
                }
            }
            for name in ["second", "third"] {
                try await running(site.handler(name)) {
                    try await site.talk { client async throws in
                        #expect(try await client.send(opens, to: .tickets, within: .seconds(300)) == first)
                        #expect(try await client.ask(another(events.same)).reason == "id-reused")
                    }
                }
            }
            #expect(try await site.facts().count == 3)
            for invariant in Invariant.ofHandler(of: .tickets) {
                let violation = try await invariant.violation(on: site.log, site.views, projections: [])
                #expect(violation == nil, "\(invariant.name)")
            }
            for partition in 0..<4 {
                let again = try await DecisionAudit(
                    Partition(partition), of: .tickets, Domain.tickets.decider!, on: site.log)
                #expect(again.problem == nil && again.unchecked == nil, "\(again)")
            }
        }
    }

    @Test(arguments: Carrier.keepingLogs)
    func `that a checkpoint of an earlier version remembers without its key is known by the outcome's`(
        on carrier: Carrier
    ) async throws {
        try await site(carrier) { site in
            let events = Self.events
            let open = site.command(.open(.named("s", seats: 4), event: events.one), id: "open")
            let others = (0..<20).map { site.command(.open(.named("s", seats: 2), event: "x\($0)"), id: "o\($0)") }
            let told = try await running(site.handler("first")) {
                try await site.talk { client async throws in
                    try await client.send([open] + others, to: .tickets, within: .seconds(300))
                }
            }
            try await Self.forgetKeys(site)
            try await running(site.handler("second")) {
                try await site.talk { client async throws in
                    #expect(try await client.send([open] + others, to: .tickets, within: .seconds(300)) == told)
                    let same = try await client.ask(
                        site.command(.open(.named("s", seats: 4), event: events.same), id: "open"))
                    #expect(same.accepted, "the id is that of another key's command: \(same.message)")
                    let reused = try await client.ask(
                        site.command(.open(.named("s", seats: 9), event: events.one), id: "open"))
                    #expect(reused.reason == "id-reused")
                }
            }
            #expect(site.journal.folded(by: "second") == 0, "the checkpoint still counts")
            try await running(site.handler("third")) {
                try await site.talk { client async throws in
                    #expect(try await client.send([open] + others, to: .tickets, within: .seconds(300)) == told)
                }
            }
        }
    }

    /// Makes the rows of a checkpoint what the version before wrote: ids without keys, states without checksums.
    private static func forgetKeys(_ site: Site) async throws {
        let rows = CheckpointTests.rows
        let (ids, states) = try await site.views.read(rows.kept) { reader, _ in
            (try reader.rows(Scan(rows.ids, limit: .max)), try reader.rows(Scan(rows.states, limit: .max)))
        }
        #expect(ids.count == 21 && states.count == 21)
        try await site.views.commit(rows.kept, to: [:], under: [:]) { batch in
            for row in ids {
                batch.delete(rows.ids, Array(row.prefix(2)))
                let id = try #require(row[1].text.flatMap { KeyedID(storable: $0) }).id
                batch.put(rows.ids, [row[0], .text(Bytes(id).storable)] + row.dropFirst(2))
            }
            for row in states {
                let json = try #require(StateEncoding.json(of: row[3].text ?? "", key: row[1].text ?? ""))
                #expect(json.hasPrefix("{") && json != row[3].text)
                batch.put(rows.states, Array(row.prefix(3)) + [.text(json)])
            }
        }
    }

    @Test func `a state is not taken for right when a byte of it, or its key, is another`() {
        let kept = StateEncoding.text(of: #"{"a":1}"#, key: "k")
        #expect(StateEncoding.json(of: kept, key: "k") == #"{"a":1}"#)
        #expect(StateEncoding.json(of: #"{"a":1}"#, key: "k") == #"{"a":1}"#, "as earlier versions wrote it")
        #expect(StateEncoding.json(of: kept, key: "l") == nil)
        for at in kept.utf8.indices.dropFirst() {
            var bytes = Array(kept.utf8)
            bytes[kept.utf8.distance(from: kept.utf8.startIndex, to: at)] ^= 1
            #expect(StateEncoding.json(of: String(decoding: bytes, as: UTF8.self), key: "k") == nil)
        }
    }
}
