import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import OrdersDomain

/// Every state and everything that can come to it.
@Suite("An order's stages")
struct OrdersStagesTests {
    private static let lives: [(name: String, life: [OrderFact])] = [
        ("nothing", []), ("received", [.received]), ("assigned", [.received, .assigned]),
        ("picked_up", [.received, .assigned, .pickedUp]),
        ("delivered", [.received, .assigned, .pickedUp, .delivered]),
        ("cancelled", [.received, .assigned, .cancelled]),
    ]
    private static let commands: [String: OrderCommand] = [
        "place": .place, "place-expected": .place(expected: after(2700)), "place-other": .place(by: "eve"),
        "place-later": .place(expected: after(3600)), "assign-bob": .assign(), "assign-cy": .assign("cy"),
        "pick-up": .pickUp(), "pick-up-bob": .pickUp("bob"), "pick-up-cy": .pickUp("cy"), "deliver": .deliver,
        "cancel": .cancel(), "cancel-other": .cancel("snow"), "revise-same": .revise(2700), "revise": .revise(3600),
    ]
    private static let facts: [String: OrderFact] = [
        "received": .received, "assigned-bob": .assigned, "assigned-cy": .assigned("cy"), "picked-up": .pickedUp,
        "picked-up-cy": .changed(.pickedUp, courier: "cy"), "delivered": .delivered,
        "delivered-cy": .changed(.delivered, courier: "cy"), "cancelled": .cancelled(courier: ""),
        "cancelled-bob": .cancelled, "revised": .revised(3600), "assigned-eve": .changed(.assigned, of: "eve"),
        "revised-eve": .revised(3600, of: "eve"),
        "revised-same": .revised(2700), "assigned-later": .changed(.assigned, expected: after(3600)),
    ]

    /// What each command makes of each state: an event's stage, nothing (-), or a refusal.
    private static let decided = """
        command         nothing        received       assigned         picked_up          delivered          cancelled
        place           received       -              -                -                  -                  already-cancelled
        place-expected  received       -              -                -                  -                  already-cancelled
        place-other     received       order-exists   order-exists     order-exists       order-exists       already-cancelled
        place-later     received       order-exists   order-exists     order-exists       order-exists       already-cancelled
        assign-bob      unknown-order  assigned       -                already-picked-up  already-delivered  already-cancelled
        assign-cy       unknown-order  assigned       assigned         already-picked-up  already-delivered  already-cancelled
        pick-up         unknown-order  not-assigned   picked_up        -                  already-delivered  already-cancelled
        pick-up-bob     unknown-order  not-assigned   picked_up        -                  already-delivered  already-cancelled
        pick-up-cy      unknown-order  not-assigned   other-courier    already-picked-up  already-delivered  already-cancelled
        deliver         unknown-order  not-picked-up  not-picked-up    delivered          -                  already-cancelled
        cancel          unknown-order  cancelled      cancelled        cancelled          already-delivered  -
        cancel-other    unknown-order  cancelled      cancelled        cancelled          already-delivered  already-cancelled
        revise-same     unknown-order  -              -                -                  already-delivered  already-cancelled
        revise          unknown-order  eta_revised    eta_revised      eta_revised        already-delivered  already-cancelled
        """
    /// Whether each fact recorded elsewhere is admitted (+) to each state.
    private static let admitted = """
        fact            nothing        received       assigned          picked_up          delivered          cancelled
        received        +              order-exists   order-exists      order-exists       order-exists       already-cancelled
        assigned-bob    unknown-order  +              already-assigned  already-picked-up  already-delivered  already-cancelled
        assigned-cy     unknown-order  +              +                 already-picked-up  already-delivered  already-cancelled
        assigned-eve    unknown-order  other-customer other-customer    already-picked-up  already-delivered  already-cancelled
        assigned-later  unknown-order  other-expected other-expected    already-picked-up  already-delivered  already-cancelled
        picked-up       unknown-order  not-assigned   +                 already-picked-up  already-delivered  already-cancelled
        picked-up-cy    unknown-order  not-assigned   other-courier     already-picked-up  already-delivered  already-cancelled
        delivered       unknown-order  not-picked-up  not-picked-up     +                  already-delivered  already-cancelled
        delivered-cy    unknown-order  not-picked-up  not-picked-up     other-courier      already-delivered  already-cancelled
        cancelled       unknown-order  +              other-courier     other-courier      already-delivered  already-cancelled
        cancelled-bob   unknown-order  other-courier  +                 +                  already-delivered  already-cancelled
        revised         unknown-order  +              +                 +                  already-delivered  already-cancelled
        revised-same    unknown-order  already-expected already-expected  already-expected   already-delivered  already-cancelled
        revised-eve     unknown-order  other-customer other-customer    other-customer     already-delivered  already-cancelled
        """

    private static func rows(_ table: String) -> [[String]] {
        table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }
    private static func name(_ fact: OrderFact) -> String {
        switch fact {
        case .orderStatusChanged(let e): Orders.Stage(e.status)?.rawValue ?? ""
        case .etaRevised: "eta_revised"
        }
    }

    @Test func `of every state and command come to what the table says, and the same again to nothing`() throws {
        let rows = Self.rows(Self.decided)
        #expect(rows[0].dropFirst() == Self.lives.map(\.name)[...])
        #expect(Set(rows.dropFirst().map { $0[0] }) == Set(Self.commands.keys))
        for row in rows.dropFirst() {
            let command = try #require(Self.commands[row[0]])
            for ((name, life), expected) in zip(Self.lives, row.dropFirst()) {
                switch OrderLife(life).when(command) {
                case .failure(let no): #expect(no.reason == expected, "\(row[0]) of \(name)")
                case .success(let events):
                    #expect((events.map(Self.name).first ?? "-") == expected, "\(row[0]) of \(name)")
                    #expect(events.count <= 1)
                    for event in events { try Orders.check(event) }
                    #expect(OrderLife(life + events).when(command) == .success([]), "\(row[0]) again")
                }
            }
        }
    }

    @Test func `of every state admit the facts that the table says`() throws {
        let rows = Self.rows(Self.admitted)
        #expect(rows[0].dropFirst() == Self.lives.map(\.name)[...])
        #expect(Set(rows.dropFirst().map { $0[0] }) == Set(Self.facts.keys))
        for row in rows.dropFirst() {
            let fact = try #require(Self.facts[row[0]])
            try Orders.check(fact)
            for ((name, life), expected) in zip(Self.lives, row.dropFirst()) {
                #expect(OrderLife(life).admitting(fact)?.reason ?? "+" == expected, "\(row[0]) of \(name)")
            }
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `are walked in order by any commands at random, and what is decided is admitted`(seed: UInt64) throws {
        var random = SeededRandom(seed)
        let commands = Self.commands.sorted { $0.key < $1.key }.map(\.value)
        var ends: Set<String> = []
        for _ in 0..<500 {
            var (life, told): ([OrderFact], [String]) = ([], [])
            let memory = Domain.orders.reactions[0].memory()
            for i in 0..<20 {
                let command = commands.randomElement(using: &random) ?? .place
                guard case .success(let events) = OrderLife(life).when(command) else { continue }
                for event in events {
                    #expect(OrderLife(life).admitting(event) == nil, "seed \(seed)")
                    let record = Record(
                        offset: Offset(Int64(i)), timestamp: noon, key: "o1", value: OrdersEvent.bytes(event))
                    for emission in try memory.react(to: record, from: TopicPartition("orders.events", 0)) {
                        guard case .notificationSent(let sent) = try OrdersOutbox.kind(in: emission.value) else {
                            continue
                        }
                        told.append(sent.id)
                    }
                    life.append(event)
                }
            }
            #expect(told.count == life.count && Set(told).count == told.count, "one id each, seed \(seed)")
            let stages = life.map(Self.name).filter { $0 != "eta_revised" }
            if !stages.isEmpty { #expect(Self.isLegal(stages), "\(stages), seed \(seed)") }
            ends.insert(stages.last ?? "nothing")
        }
        #expect(ends.count > 4, "\(ends), seed \(seed)")
    }

    /// Whether the stages are those of one life: in order, and not both delivered and cancelled.
    private static func isLegal(_ stages: [String]) -> Bool {
        stages.joined(separator: " ").wholeMatch(of: #/received( assigned)*( picked_up( delivered)?)?( cancelled)?/#)
            != nil
            && !(stages.contains("delivered") && stages.contains("cancelled"))
    }
}
