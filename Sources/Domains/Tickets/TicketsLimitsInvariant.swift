internal import EventModel
internal import SwiftProtobuf

extension TicketsInvariants {
    /// The sections that were opened with limits, by the same rules that decide.
    static let nobodyHoldsOverTheLimits = Invariant(
        "nobody holds more of a section than its limits allow", over: "tickets.events", TicketsEvent.self,
        from: [String: Tickets.State](),
        fold: { sections, event, place in
            let key = Tickets.key(of: event)
            if case .sectionOpened(let e) = event, e.hasLimits, sections[key] == nil { sections[key] = Tickets.initial }
            guard sections[key] != nil else { return }
            if case .seatHeld(let e) = event, let section = sections[key]?.section {
                do {
                    try Tickets.checkLimits(e.seats, by: e.holder, ending: [], in: section, at: place.timestamp)
                } catch let no as TicketsRefusal {
                    throw Violation("\(e.holder) holds too much at \(place.words): \(no.message)")
                }
            }
            Tickets.evolve(&sections[key, default: Tickets.initial], with: event, at: place.timestamp)
        })
}
