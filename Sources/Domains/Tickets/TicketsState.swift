internal import Foundation
internal import HeapModule
internal import SwiftProtobuf

/// As checkpoints keep it: listing and section as they are on the wire; of the seats those that are taken.
extension Tickets.State: Codable {
    private enum CodingKeys: CodingKey { case listing, section, taken, holds, expiries, event, limits, held }

    init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        if let listing = try values.decodeIfPresent(Data.self, forKey: .listing) {
            self = .listed(try TicketsEventListed(serializedBytes: listing))
        } else if let layout = try values.decodeIfPresent(Data.self, forKey: .section) {
            self = .open(try Self.section(TicketsSection(serializedBytes: layout), values))
        } else {
            self = .unknown
        }
    }

    private static func section(
        _ layout: TicketsSection, _ values: KeyedDecodingContainer<CodingKeys>
    ) throws -> Tickets.Section {
        var section = Tickets.Section(
            layout: layout, event: try values.decode(String.self, forKey: .event),
            limits: try values.decodeIfPresent(Tickets.HoldingLimits.self, forKey: .limits))
        for (seat, hold) in try values.decode([String: String].self, forKey: .taken) { section.seats[seat] = hold }
        section.holds = try values.decode([String: Tickets.Hold].self, forKey: .holds)
        section.expiries = Heap(try values.decode([Tickets.Expiry].self, forKey: .expiries))
        section.heldTimes = try values.decodeIfPresent(HeldTimes.self, forKey: .held) ?? HeldTimes()
        if section.limits?.seats != nil {
            for (name, hold) in section.holds { section.holdsOf[hold.holder, default: []].append(name) }
        }
        return section
    }

    func encode(to encoder: any Swift.Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .unknown: break
        case .listed(let listing): try values.encode(listing.serializedBytes() as Data, forKey: .listing)
        case .open(let section):
            try values.encode(section.layout.serializedBytes() as Data, forKey: .section)
            try values.encode(section.seats.compactMapValues { $0 }, forKey: .taken)
            try values.encode(section.holds, forKey: .holds)
            try values.encode(section.expiries.unordered, forKey: .expiries)
            try values.encode(section.event, forKey: .event)
            try values.encodeIfPresent(section.limits, forKey: .limits)
            if !section.heldTimes.isEmpty { try values.encode(section.heldTimes, forKey: .held) }
        }
    }
}
