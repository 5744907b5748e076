import EventModel
import Testing

@testable import faults

/// What is held against the log, one by one.
@Suite("Accounting")
struct AccountingTests {
    private static let place = TopicPartition("orders.events", 0)
    private static let event = Spot(place: place, offset: 3, type: "OrderStatusChanged")
    private static let accepted = Answer(isAccepted: true, reason: "", message: "", events: [event])
    private static let refused = Answer(isAccepted: false, reason: "unknown-order", message: "no", events: [])

    private func found(
        _ contents: (inout Contents) -> Void, _ ask: (inout Ledger) -> Void
    ) -> [Discrepancy] {
        var ledger = Ledger()
        ask(&ledger)
        var log = Contents()
        contents(&log)
        return Accounting(ledger: ledger, contents: log).discrepancies
    }

    private func ask(_ ledger: inout Ledger) {
        ledger.send(commands: ["a"])
        ledger.hear(Self.accepted, of: "a")
    }

    @Test func `a command that was answered, with its outcome and events, is all right`() {
        let found = found(
            {
                $0.outcomes["a"] = [Self.accepted]
                $0.events["a"] = [Self.event]
            }, ask)
        #expect(found.isEmpty)
    }

    @Test func `an outcome or an event that is gone is lost`() {
        #expect(found({ _ in }, ask).map(\.kind) == [.lost, .lost])
        #expect(found({ $0.outcomes["a"] = [Self.accepted] }, ask).map(\.kind) == [.lost])
    }

    @Test func `another outcome, more outcomes than were asked for, or more events are too many`() {
        for (outcomes, events) in [
            ([Self.accepted, Self.refused], [Self.event]), ([Self.refused], [Self.event]),
            ([Self.accepted, Self.accepted], [Self.event]),
            ([Self.accepted], [Self.event, Spot(place: Self.place, offset: 4, type: "OrderStatusChanged")]),
        ] {
            let found = found(
                {
                    $0.outcomes["a"] = outcomes
                    $0.events["a"] = events
                }, ask)
            #expect(found.contains { $0.kind == .twice }, "\(outcomes) \(events)")
        }
    }

    @Test func `an id that was answered twice in two ways is found before the log is read`() {
        let found = found(
            { $0.outcomes["a"] = [Self.refused] },
            {
                $0.send(commands: ["a"])
                $0.send(commands: ["a"])
                $0.hear(Self.refused, of: "a")
                $0.hear(Self.accepted, of: "a")
            })
        #expect(found.map(\.kind) == [.twice])
    }

    @Test func `events without an outcome are wrong, also of a command that nobody answered`() {
        #expect(found({ $0.events["a"] = [Self.event] }, { $0.send(commands: ["a"]) }).map(\.kind) == [.broken])
        #expect(found({ _ in }, { $0.send(commands: ["a"]) }).isEmpty)
    }

    @Test(arguments: [
        (0, 1, false, true, Discrepancy.Kind.lost), (0, 1, false, false, nil), (1, 1, false, true, nil),
        (2, 1, false, true, .twice), (2, 2, false, true, nil), (3, 2, false, true, .twice), (2, 2, true, true, .twice),
        (2, 1, false, false, .twice),
    ])
    func `a fact is there once, or at most as often as it was sent`(
        count: Int, tries: Int, isOnce: Bool, isAcknowledged: Bool, expected: Discrepancy.Kind?
    ) {
        let found = found(
            { $0.facts["f"] = count },
            { ledger in
                for _ in 0..<tries { ledger.send(facts: ["f"], isOnce: isOnce) }
                if isAcknowledged { ledger.acknowledge(facts: ["f"]) }
            })
        #expect(found.map(\.kind) == (expected.map { [$0] } ?? []))
    }
}
