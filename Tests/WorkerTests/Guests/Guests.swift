import EventModel
import SwiftProtobuf

extension GuestsCommand: Envelope {}
extension GuestsEvent: Envelope {
    /// Version 2 had one kind in another's place, version 3 one field in two others'.
    static let lift: (@Sendable (OneOf_Kind) -> OneOf_Kind)? = { kind in
        switch kind {
        case .guestCame(let old): .guestArrived(.with { ($0.house, $0.name) = (old.house, old.guest) }.inTwoFields)
        case .guestArrived(let arrived): .guestArrived(arrived.inTwoFields)
        }
    }
}

extension GuestsGuestArrived {
    /// The name in two fields, where it is still in one.
    fileprivate var inTwoFields: GuestsGuestArrived {
        if name.isEmpty { return self }
        var lifted = self
        let words = name.split(separator: " ")
        (lifted.given, lifted.family) = (words.dropLast().joined(separator: " "), words.last.map(String.init) ?? "")
        lifted.name = ""
        return lifted
    }
}

extension Domain {
    /// Guests of houses: a domain of tests alone, whose events changed twice.
    static let guests = Domain("guests", "Guests of houses.", descriptor: guestsDescriptor)
        .deciding(Guests.self, key: "house")
        .reacting(Welcome.self)
        .projecting(GuestList.self)
        .keeping(
            Invariant("who arrives has a family", over: "guests.events", GuestsEvent.self, from: 0) { _, kind, _ in
                guard case .guestArrived(let e) = kind, !e.family.isEmpty else { throw Violation("\(kind)") }
            })
}

enum Guests: Decider {
    typealias Command = GuestsCommand
    typealias Event = GuestsEvent

    enum Rejection: Refusal {
        case hereAlready(String)
        var reason: String { "here-already" }
        var message: String {
            switch self {
            case .hereAlready(let family): "the family \(family) is here already"
            }
        }
    }
    static let initial: Set<String> = []

    static func key(of command: GuestsCommand.OneOf_Kind) -> String {
        switch command {
        case .greetGuest(let c): c.house
        }
    }
    static func key(of event: GuestsEvent.OneOf_Kind) -> String {
        switch event {
        case .guestCame(let e): e.house
        case .guestArrived(let e): e.house
        }
    }
    static func check(_ command: GuestsCommand.OneOf_Kind) {}
    static func check(_ event: GuestsEvent.OneOf_Kind) throws(Malformed) {
        if case .guestArrived(let e) = event, e.family.isEmpty { throw Malformed("family", "is missing") }
    }
    static func decide(
        _ command: GuestsCommand.OneOf_Kind, id: String, on families: Set<String>, at now: Timestamp
    ) throws(Rejection) -> [GuestsEvent.OneOf_Kind] {
        switch command {
        case .greetGuest(let c):
            if families.contains(c.family) { throw .hereAlready(c.family) }
            return [.guestArrived(.with { ($0.house, $0.given, $0.family) = (c.house, c.given, c.family) })]
        }
    }
    static func admit(_ event: GuestsEvent.OneOf_Kind, on families: Set<String>, at now: Timestamp) throws(Rejection) {}
    static func evolve(_ families: inout Set<String>, with event: GuestsEvent.OneOf_Kind, at time: Timestamp) {
        if case .guestArrived(let e) = event { families.insert(e.family) }
    }
}

struct GuestList: Projection {
    typealias Event = Only<GuestsEvent>
    static let name = "list"
    static let version = 1
    static let about = "Who is where."
    static let topics = ["guests.events"]
    static let guests = Table(
        "guests_list", key: [Column("house", .text), Column("family", .text)], columns: [Column("given", .text)])
    static let tables = [guests]
    mutating func apply(_ event: GuestsEvent.OneOf_Kind, at place: EventPosition, to view: ViewBatch) {
        if case .guestArrived(let e) = event {
            view.put(Self.guests, [.text(e.house), .text(e.family), .text(e.given)])
        }
    }
}

/// Greets the whole family of who arrives.
enum Welcome: Reaction {
    typealias Event = GuestsEvent
    static let name = "welcome"
    static let topic = "guests.events"
    static func react(to event: GuestsEvent.OneOf_Kind, at place: EventPosition) -> [Emission] {
        guard case .guestArrived(let e) = event else { return [] }
        let command = GuestsCommand.OneOf_Kind.greetGuest(.with { ($0.house, $0.family) = (e.house, e.family) })
        return [
            Emission(
                topic: "guests.commands", key: Bytes(e.house), value: GuestsCommand.bytes(command), type: "GreetGuest",
                commandID: "welcome:\(place.words)")
        ]
    }
}
