internal import EventModel
internal import SwiftProtobuf

/// A listed event's sections are opened, each by a command to its own aggregate.
enum OpenSections: Reaction {
    typealias Event = TicketsEvent
    static let name = "open-sections"
    static let topic = "tickets.events"

    static func react(to event: Event.Kind, at place: EventPosition) -> [Emission] {
        guard case .eventListed(let listed) = event else { return [] }
        // Said in full, so that a section keeps the limits it was opened with.
        let limits = Tickets.HoldingLimits(listed.limits).proto
        return listed.sections.map { section in
            Emission(
                topic: "tickets.commands", key: Bytes(Tickets.sectionKey(listed.event, section.name)),
                value: TicketsCommand.bytes(
                    .openSection(
                        .with { ($0.event, $0.section, $0.limits) = (listed.event, section, limits) })),
                type: "OpenSection", commandID: "open:\(listed.event):\(section.name)")
        }
    }
}
