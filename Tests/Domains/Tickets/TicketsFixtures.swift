import DomainTesting
import EventModel
import SwiftProtobuf

@testable import TicketsDomain

typealias Fact = TicketsEvent.OneOf_Kind
typealias Order = TicketsCommand.OneOf_Kind

extension TicketsMoney {
    static func euros(_ cents: Int64) -> TicketsMoney { .with { ($0.amount, $0.currency) = (cents, "EUR") } }
}

extension TicketsSection {
    static func named(_ name: String, rows: [(String, Int32)], price: Int64 = 4500) -> TicketsSection {
        .with { section in
            section.name = name
            section.rows = rows.map { row in .with { ($0.label, $0.seats) = row } }
            section.price = .euros(price)
        }
    }
    static let stalls = named("stalls", rows: [("A", 4), ("B", 4)])
    static let balcony = named("balcony", rows: [("A", 2)], price: 2500)
}

/// What tickets reports, of event `e1` and its stalls.
extension TicketsEvent.OneOf_Kind {
    static let listed = listed(sections: [.stalls, .balcony])
    static func listed(
        _ event: String = "e1", title: String = "Nutcracker", at start: Timestamp = after(86_400),
        sections: [TicketsSection] = [.stalls, .balcony]
    ) -> Fact {
        .eventListed(
            .with {
                ($0.event, $0.title, $0.venue, $0.startsAt) = (event, title, "Opera", start.proto)
                $0.sections = sections
            })
    }
    static let opened = opened(.stalls)
    static func opened(_ section: TicketsSection, of event: String = "e1") -> Fact {
        .sectionOpened(.with { ($0.event, $0.section) = (event, section) })
    }
    static func held(_ hold: String, by holder: String, _ seats: String..., at seconds: Int64 = 0) -> Fact {
        .seatHeld(
            .with {
                ($0.event, $0.section, $0.hold, $0.holder, $0.seats) = ("e1", "stalls", hold, holder, seats)
                $0.expiresAt = after(seconds + 300).proto
                $0.total = .euros(4500 * Int64(seats.count))
            })
    }
    static func sold(_ hold: String, to holder: String, token: String = "tok_1", _ seats: String...) -> Fact {
        .seatSold(
            .with {
                ($0.event, $0.section, $0.hold, $0.holder, $0.seats) = ("e1", "stalls", hold, holder, seats)
                $0.paymentToken = token
                $0.total = .euros(4500 * Int64(seats.count))
            })
    }
    static func expired(_ hold: String, _ seats: String...) -> Fact {
        .holdExpired(.with { ($0.event, $0.section, $0.hold, $0.seats) = ("e1", "stalls", hold, seats) })
    }
    static func released(_ hold: String, _ seats: String...) -> Fact {
        .seatReleased(.with { ($0.event, $0.section, $0.hold, $0.seats) = ("e1", "stalls", hold, seats) })
    }
}

/// What tickets is told to do, with event `e1` and its stalls.
extension TicketsCommand.OneOf_Kind {
    static let list = list("Nutcracker")
    static func list(_ title: String, sections: [TicketsSection] = [.stalls, .balcony]) -> Order {
        .listEvent(
            .with {
                ($0.event, $0.title, $0.venue, $0.startsAt) = ("e1", title, "Opera", after(86_400).proto)
                $0.sections = sections
            })
    }
    static let open = open(.stalls)
    static func open(_ section: TicketsSection) -> Order {
        .openSection(.with { ($0.event, $0.section) = ("e1", section) })
    }
    static func hold(_ hold: String = "", by holder: String, in section: String = "stalls", _ seats: String...) -> Order
    {
        .holdSeats(
            .with { ($0.event, $0.section, $0.hold, $0.holder, $0.seats) = ("e1", section, hold, holder, seats) })
    }
    static func confirm(_ hold: String, by holder: String, in section: String = "stalls", token: String = "tok_1")
        -> Order
    {
        .confirmPurchase(
            .with {
                ($0.event, $0.section, $0.hold, $0.holder, $0.paymentToken) = ("e1", section, hold, holder, token)
            })
    }
    static func release(_ hold: String, by holder: String, in section: String = "stalls") -> Order {
        .releaseHold(.with { ($0.event, $0.section, $0.hold, $0.holder) = ("e1", section, hold, holder) })
    }
    static func expire(_ hold: String) -> Order {
        .expireHold(.with { ($0.event, $0.section, $0.hold) = ("e1", "stalls", hold) })
    }
}

/// Records of tickets' facts in one partition, a second apart.
func records(_ facts: [Fact]) -> [Placed] {
    facts.enumerated().map { i, fact in
        (
            TopicPartition("tickets.events", 0),
            Record(
                offset: Offset(Int64(i)), timestamp: after(Int64(i)), key: Bytes(Tickets.key(of: fact)),
                value: TicketsEvent.bytes(fact))
        )
    }
}
