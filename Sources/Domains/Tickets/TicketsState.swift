internal import Foundation
internal import HeapModule
internal import SwiftProtobuf

/// As checkpoints keep it: listing and section as they are on the wire; of the seats those that are taken.
extension Tickets.State: Codable {
    private enum CodingKeys: CodingKey { case listing, section, taken, holds, expiries, event, limits, held }

    init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init()
        listing = try values.decodeIfPresent(Data.self, forKey: .listing).map { try .init(serializedBytes: $0) }
        section = try values.decodeIfPresent(Data.self, forKey: .section).map { try .init(serializedBytes: $0) }
        for seat in section?.seatNames ?? [] { seats[seat] = .some(nil) }
        for (seat, hold) in try values.decode([String: String].self, forKey: .taken) { seats[seat] = hold }
        holds = try values.decode([String: Tickets.Hold].self, forKey: .holds)
        expiries = Heap(try values.decode([Tickets.Expiry].self, forKey: .expiries))
        event = try values.decode(String.self, forKey: .event)
        limits = try values.decodeIfPresent(Tickets.HoldingLimits.self, forKey: .limits)
        heldTimes = try values.decodeIfPresent(HeldTimes.self, forKey: .held) ?? HeldTimes()
        if limits?.seats != nil {
            for (name, hold) in holds { holdsOf[hold.holder, default: []].append(name) }
        }
    }

    func encode(to encoder: any Swift.Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encodeIfPresent(listing?.serializedBytes() as Data?, forKey: .listing)
        try values.encodeIfPresent(section?.serializedBytes() as Data?, forKey: .section)
        try values.encode(seats.compactMapValues { $0 }, forKey: .taken)
        try values.encode(holds, forKey: .holds)
        try values.encode(expiries.unordered, forKey: .expiries)
        try values.encode(event, forKey: .event)
        try values.encodeIfPresent(limits, forKey: .limits)
        if !heldTimes.isEmpty { try values.encode(heldTimes, forKey: .held) }
    }
}
