import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import TicketsDomain

/// What is on people's logs: a field number or type that changes would make it another thing.
@Suite("The bytes of tickets on the log")
struct TicketsGoldenTests {
    private static let events: [(Fact, String)] = [
        (
            .listed,
            "0a5d0a026531120a4e7574637261636b65721a054f70657261220608c0f6a1d7062a200a067374616c6c731205"
                + "0a0141100412050a014210041a0808942312034555522a1a0a0762616c636f6e7912050a014110021a0808c413"
                + "1203455552"
        ),
        (
            .opened,
            "12260a02653112200a067374616c6c7312050a0141100412050a014210041a080894231203455552"
        ),
        (
            .held("h1", by: "ann", "A-1", "A-2"),
            "1a310a02653112067374616c6c731a0268312203616e6e2a03412d312a03412d32320608ecd59cd7063a0808a8"
                + "461203455552"
        ),
        (
            .expired("h1", "A-1"),
            "22150a02653112067374616c6c731a0268312203412d31"
        ),
        (
            .released("h1", "A-1"),
            "2a150a02653112067374616c6c731a0268312203412d31"
        ),
        (
            .sold("h1", to: "ann", "A-1"),
            "322b0a02653112067374616c6c731a0268312203616e6e2a03412d313205746f6b5f313a080894231203455552"
        ),
    ]
    private static let limited: [Golden] = {
        let few = TicketsHoldLimits.with { $0.seatsPerHolder = 6 }
        let all = TicketsHoldLimits.with { ($0.seatsPerHolder, $0.holdSeconds, $0.windowSeconds) = (6, 0, 7200) }
        let opening =
            "12290a026531121a0a0762616c636f6e7912050a014110021a0808c41312034555521a070806100018a038"
        let listing =
            "0a3f0a026531120a4e7574637261636b65721a054f70657261220608c0f6a1d7062a1a0a0762616c636f6e7912050a0141"
            + "10021a0808c413120345555232020806"
        guard case .sectionOpened(var opened) = Fact.opened(.balcony),
            case .openSection(var open) = Order.open(.balcony),
            case .eventListed(var listed) = Fact.listed(sections: [.balcony]),
            case .listEvent(var list) = Order.list("Nutcracker", sections: [.balcony])
        else { return [] }
        (opened.limits, open.limits, listed.limits, list.limits) = (all, all, few, few)
        return [
            Golden(TicketsEvent.self, .sectionOpened(opened), opening),
            Golden(TicketsCommand.self, .openSection(open), opening),
            Golden(TicketsEvent.self, .eventListed(listed), listing),
            Golden(TicketsCommand.self, .listEvent(list), listing),
        ]
    }()
    private static let commands: [(Order, String)] = [
        (
            .list,
            "0a5d0a026531120a4e7574637261636b65721a054f70657261220608c0f6a1d7062a200a067374616c6c731205"
                + "0a0141100412050a014210041a0808942312034555522a1a0a0762616c636f6e7912050a014110021a0808c413"
                + "1203455552"
        ),
        (
            .open(.balcony),
            "12200a026531121a0a0762616c636f6e7912050a014110021a0808c4131203455552"
        ),
        (
            .hold("h1", by: "ann", "A-1", "A-2"),
            "1a1f0a02653112067374616c6c731a03616e6e2203412d312203412d322a026831"
        ),
        (
            .confirm("h1", by: "ann"),
            "221c0a02653112067374616c6c731a0268312203616e6e2a05746f6b5f31"
        ),
        (
            .release("h1", by: "ann"),
            "2a150a02653112067374616c6c731a0268312203616e6e"
        ),
        (
            .expire("h1"),
            "32100a02653112067374616c6c731a026831"
        ),
    ]
    @Test func `stay as they are, and are known for every kind`() {
        let all =
            Self.events.map { Golden(TicketsEvent.self, $0, $1) }
            + Self.commands.map { Golden(TicketsCommand.self, $0, $1) } + Self.limited
        expect(all, of: Domain.tickets.schemas)
    }
}
