internal import EventModel
internal import SwiftProtobuf

/// A listed event's sections are opened, each by a command to its own aggregate.
enum OpenSections: Reaction {
    typealias Event = TicketsEvent
    static let name = "open-sections"
    static let topic = "tickets.events"

    static func react(to event: Event.Kind, at place: Place) -> [Emission] {
        guard case .eventListed(let listed) = event else { return [] }
        return listed.sections.map { section in
            Emission(
                topic: "tickets.commands", key: Bytes(Tickets.sectionKey(listed.event, section.name)),
                value: TicketsCommand.bytes(.openSection(.with { ($0.event, $0.section) = (listed.event, section) })),
                type: "OpenSection", commandID: "open:\(listed.event):\(section.name)")
        }
    }
}
