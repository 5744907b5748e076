import EventModel
import Handling
import SwiftProtobuf

@testable import TicketsDomain

extension TicketsSection {
    static func named(_ name: String, seats: Int32) -> TicketsSection {
        .with { section in
            section.name = name
            section.rows = [.with { ($0.label, $0.seats) = ("A", seats) }]
            section.price = .with { ($0.amount, $0.currency) = (4500, "EUR") }
        }
    }
}

/// What tickets is told to do, of event `e1`.
extension TicketsCommand.OneOf_Kind {
    static func list(_ sections: TicketsSection..., event: String = "e1") -> Order {
        .listEvent(
            .with {
                ($0.event, $0.title, $0.venue, $0.startsAt) = (
                    event, "Nutcracker", "Opera", (noon + .seconds(86_400)).proto
                )
                $0.sections = sections
            })
    }
    static func open(_ section: TicketsSection, event: String = "e1") -> Order {
        .openSection(.with { ($0.event, $0.section) = (event, section) })
    }
    static func hold(_ hold: String = "", by holder: String, in section: String = "s", _ seats: String...) -> Order {
        .holdSeats(
            .with { ($0.event, $0.section, $0.hold, $0.holder, $0.seats) = ("e1", section, hold, holder, seats) })
    }
    static func confirm(_ hold: String, by holder: String, in section: String = "s") -> Order {
        .confirmPurchase(
            .with {
                ($0.event, $0.section, $0.hold, $0.holder, $0.paymentToken) = ("e1", section, hold, holder, "tok_1")
            })
    }
    static func release(_ hold: String, by holder: String, in section: String = "s") -> Order {
        .releaseHold(.with { ($0.event, $0.section, $0.hold, $0.holder) = ("e1", section, hold, holder) })
    }
}

extension CommandClient {
    func send(_ commands: EncodedCommand..., within limit: Duration = .seconds(300)) async throws -> [Outcome] {
        try await send(commands, to: .tickets, within: limit)
    }
    /// One command and its outcome.
    func ask(_ command: EncodedCommand) async throws -> Outcome {
        try await send([command], to: .tickets, within: .seconds(300))[0]
    }
}
