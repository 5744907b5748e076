import EventModel
import MillraceTestKit

@testable import TicketsDomain

extension Traffic {
    /// Two houses of four seats, five buyers who want the same ones.
    static func tickets(_ domain: Domain = .tickets) -> Traffic {
        Traffic(domain) { n, random in
            let event = "e\(Int.random(in: 1...2, using: &random))"
            let place = #""event":"\#(event)","section":"s""#
            let person = "p\(Int.random(in: 1...5, using: &random))"
            // Holds are named by a few numbers, so that they meet again.
            let hold = "h\(Int.random(in: 0...12, using: &random))"
            switch Int.random(in: 0..<100, using: &random) {
            case _ where n < 3, 0..<6:
                return Ask(
                    "ListEvent",
                    """
                    {"event":"\(event)","title":"T","venue":"V","startsAt":"2026-12-24T19:30:00Z","sections":[{"name":"s",\
                    "rows":[{"label":"A","seats":4}],"price":{"amount":4500,"currency":"EUR"}}]}
                    """)
            case 6..<56:
                let first = Int.random(in: 1...4, using: &random)
                let seats = Set([first, Int.random(in: 1...4, using: &random)]).sorted().map { #""A-\#($0)""# }
                return Ask(
                    "HoldSeats",
                    #"{\#(place),"holder":"\#(person)","hold":"\#(hold)","seats":[\#(seats.joined(separator: ","))]}"#)
            case 56..<80:
                return Ask(
                    "ConfirmPurchase",
                    #"{\#(place),"hold":"\#(hold)","holder":"\#(person)","paymentToken":"tok_1"}"#)
            case 80..<96: return Ask("ReleaseHold", #"{\#(place),"hold":"\#(hold)","holder":"\#(person)"}"#)
            default:
                // An id that another command has already.
                return Ask(
                    "ReleaseHold", #"{\#(place),"hold":"\#(hold)","holder":"\#(person)"}"#,
                    id: "c\(Int.random(in: 0...max(0, n), using: &random))")
            }
        }
    }
}
