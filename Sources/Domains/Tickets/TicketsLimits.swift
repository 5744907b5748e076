internal import EventModel
internal import SwiftProtobuf

extension Tickets {
    /// How much of a section one holder may hold.
    ///
    /// A section is the aggregate, so it is counted in each section for itself. Who a holder is, is not checked: the limits
    /// are as good as the names that holders are given.
    struct HoldingLimits: Codable, Hashable, Sendable {
        /// Seats at once, held and bought; nil is any number.
        var seats: Int?
        /// For how long in all one seat; nil is for ever.
        var time: Duration?
        /// So long after the first of its holds, a seat's time is forgotten.
        var window: Duration

        /// Three whole holds of a seat an hour, as many seats as there are.
        static let defaultTime = Duration.seconds(900)
        static let defaultWindow = Duration.seconds(3600)

        /// What is not said is as by default, and 0 is no limit.
        init(_ proto: TicketsHoldLimits) {
            let (seats, time) = (proto.seatsPerHolder, proto.holdSeconds)
            self.seats = seats > 0 ? Int(seats) : nil
            self.time = proto.hasHoldSeconds ? (time > 0 ? .seconds(Int64(time)) : nil) : Self.defaultTime
            window = proto.hasWindowSeconds ? .seconds(Int64(proto.windowSeconds)) : Self.defaultWindow
        }

        /// With all that is said.
        var proto: TicketsHoldLimits {
            .with {
                $0.seatsPerHolder = Int32(clamping: seats ?? 0)
                $0.holdSeconds = Int32(clamping: time?.components.seconds ?? 0)
                $0.windowSeconds = Int32(clamping: window.components.seconds)
            }
        }
    }

    /// Refuses seats that their holder may not have, or not yet. The seats are free but for holds that are overdue.
    static func checkLimits(
        _ seats: [String], by holder: String, ending overdue: [String], in section: Section, at now: Timestamp
    ) throws(Rejection) {
        guard let limits = section.limits else { return }
        if let most = limits.seats { try check(seats.count, by: holder, atMost: most, in: section, at: now) }
        guard let time = limits.time, !section.heldTimes.isEmpty || !overdue.isEmpty else { return }
        for seat in seats {
            var past = section.heldTimes[holder, seat]
            for name in overdue {
                guard let hold = section.holds[name], hold.holder == holder, hold.seats.contains(seat) else { continue }
                past = HeldTimes.Entry(past, adding: hold, endedAt: now, within: limits.window)
            }
            guard let past, past.until(limits.window) > now, past.held + holdTime > time else { continue }
            let until = past.until(limits.window)
            throw .holdLimit(
                seat: seat, until: until, wait: .milliseconds(until.rawValue - now.rawValue), limit: limits)
        }
    }

    private static func check(
        _ more: Int, by holder: String, atMost most: Int, in section: Section, at now: Timestamp
    ) throws(Rejection) {
        let holds = (section.holdsOf[holder] ?? []).compactMap { section.holds[$0] }
            .filter { $0.sold || $0.expiresAt > now }
        let has = holds.reduce(0) { $0 + $1.seats.count }
        if has + more <= most { return }
        var left = has
        let until = holds.filter { !$0.sold }.sorted { $0.expiresAt < $1.expiresAt }
            .first { hold in
                left -= hold.seats.count
                return left + more <= most
            }?.expiresAt
        throw .seatLimit(section: section.layout.name, has: has, most: most, until: until)
    }

    static func check(_ limits: TicketsHoldLimits) throws(Malformed) {
        try Check.range(Int(limits.seatsPerHolder), "seatsPerHolder", 0...TicketsLimits.seatsPerSection)
        let (least, most) = (Int32(holdTime.components.seconds), TicketsLimits.windowSeconds)
        if limits.hasHoldSeconds, limits.holdSeconds != 0 {
            // With less, no hold could ever be.
            try Check.range(limits.holdSeconds, "holdSeconds", least...most)
        }
        let time = Int32(HoldingLimits(limits).time?.components.seconds ?? 1)
        try Check.range(
            limits.hasWindowSeconds ? limits.windowSeconds : Int32(HoldingLimits.defaultWindow.components.seconds),
            "windowSeconds", time...most)
    }
}

extension Tickets.Section {
    /// Counts a hold that ended without a sale.
    mutating func count(_ hold: Tickets.Hold, named name: String, endedAt time: Timestamp) {
        guard let limits else { return }
        if limits.seats != nil {
            holdsOf[hold.holder]?.removeAll { $0 == name }
            if holdsOf[hold.holder]?.isEmpty == true { holdsOf[hold.holder] = nil }
        }
        if limits.time != nil, !hold.sold { heldTimes.add(hold, endedAt: time, within: limits.window) }
    }
}

/// For how long each holder has held each seat without buying it.
///
/// What is older than the window says nothing any more, and is let go once a window: at most two windows' holds are known.
struct HeldTimes: Sendable, Equatable {
    struct Key: Hashable, Sendable {
        var holder: String
        var seat: String
    }
    struct Entry: Hashable, Sendable {
        /// When the first of the holds began.
        var since: Timestamp
        /// How long they lasted together.
        var held: Duration
    }

    private(set) var entries: [Key: Entry] = [:]
    private var nextSweep: Timestamp = 0

    var isEmpty: Bool { entries.isEmpty }
    subscript(holder: String, seat: String) -> Entry? { entries[Key(holder: holder, seat: seat)] }

    mutating func add(_ hold: Tickets.Hold, endedAt time: Timestamp, within window: Duration) {
        for seat in hold.seats {
            let key = Key(holder: hold.holder, seat: seat)
            entries[key] = Entry(entries[key], adding: hold, endedAt: time, within: window)
        }
        if time < nextSweep { return }
        entries = entries.filter { $0.value.until(window) > time }
        nextSweep = time + window
    }

    mutating func forget(_ holder: String, _ seat: String) {
        if !entries.isEmpty { entries[Key(holder: holder, seat: seat)] = nil }
    }
}

extension HeldTimes.Entry {
    /// A hold lasts until its end or its release, and five minutes at most.
    init(_ before: Self?, adding hold: Tickets.Hold, endedAt time: Timestamp, within window: Duration) {
        let start = hold.expiresAt - Tickets.holdTime
        let lasted = Duration.milliseconds(max(0, min(time.rawValue, hold.expiresAt.rawValue) - start.rawValue))
        let held = min(lasted, Tickets.holdTime)
        if let before, before.until(window) > start {
            self.init(since: before.since, held: before.held + held)
        } else {
            self.init(since: start, held: held)
        }
    }

    /// When it is forgotten.
    func until(_ window: Duration) -> Timestamp { since + window }
}

/// As checkpoints keep it: a list, since keys of two parts are none in JSON.
extension HeldTimes: Codable {
    private struct Kept: Codable {
        var holder: String
        var seat: String
        var since: Timestamp
        var held: Int64
    }
    private enum CodingKeys: CodingKey { case entries, sweep }

    init(from decoder: any Swift.Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        for kept in try values.decode([Kept].self, forKey: .entries) {
            entries[Key(holder: kept.holder, seat: kept.seat)] = Entry(
                since: kept.since, held: .milliseconds(kept.held))
        }
        nextSweep = try values.decode(Timestamp.self, forKey: .sweep)
    }

    func encode(to encoder: any Swift.Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        let kept = entries.map { key, entry in
            Kept(
                holder: key.holder, seat: key.seat, since: entry.since,
                held: entry.held.components.seconds * 1000 + entry.held.components.attoseconds / 1_000_000_000_000_000)
        }
        try values.encode(kept.sorted { ($0.holder, $0.seat) < ($1.holder, $1.seat) }, forKey: .entries)
        try values.encode(nextSweep, forKey: .sweep)
    }
}
