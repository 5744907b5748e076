package import EventLog
package import EventModel

/// Where a range of the log begins or ends, as people write it: at a time or at a position.
package enum Bound: Equatable {
    /// Records of this time are in the range, at either end.
    case time(Timestamp)
    case position(Position)

    package static func parse(_ text: String, now: Timestamp) throws -> Bound {
        if text.hasPrefix("@"), let time = Moment.parse(String(text.dropFirst()), now: now) { return .time(time) }
        return .position(try Position.parse(text, now: now))
    }

    package var time: Timestamp? { if case .time(let time) = self { time } else { nil } }

    /// Whether a range from here to there has nothing, whatever a log has: both are told in the same way, and this one lies behind.
    package func isBehind(_ other: Bound) -> Bool {
        switch (self, other) {
        case (.time(let from), .time(let to)), (.position(.first(let from)), .position(.first(let to))): from > to
        case (.position(.offset(let from)), .position(.offset(let to))),
            (.position(.afterStart(let from)), .position(.afterStart(let to))):
            from > to
        case (.position(.beforeEnd(let from)), .position(.beforeEnd(let to))): from < to
        case (.position(.end), .position(.start)): true
        default: false
        }
    }

    /// The position, or where it is a time, another.
    package func position(else other: Position) -> Position {
        if case .position(let position) = self { position } else { other }
    }
}

/// A place in a topic as people write it.
package enum Position: Equatable {
    case start, end
    case offset(Int64)
    case afterStart(Int64)
    case beforeEnd(Int64)
    /// The first record at or after a moment.
    case first(Timestamp)

    package static func parse(_ text: String, now: Timestamp = now()) throws -> Position {
        switch text {
        case "start": return .start
        case "end": return .end
        default: break
        }
        if text.hasPrefix("first@"), let time = Moment.parse(String(text.dropFirst(6)), now: now) {
            return .first(time)
        }
        if text.hasPrefix("+"), let count = Int64(text.dropFirst()), count >= 0 { return .afterStart(count) }
        if text.hasPrefix("-"), let count = Int64(text.dropFirst()), count >= 0 { return .beforeEnd(count) }
        if let offset = Int64(text), offset >= 0 { return .offset(offset) }
        throw BusError(
            .usage,
            """
            \(text) is no position: start, end, 17, -10, +10, first@2026-11-01T00:00:00Z; and no time: \
            @2026-11-01T00:00:00Z or @-1h
            """)
    }

    /// The offset in each partition, within what it has.
    package func resolve(
        _ bounds: [TopicPartition: Range<Offset>], _ log: any EventLog
    ) async throws -> [TopicPartition: Offset] {
        if case .first(let time) = self { return try await log.offsets(of: Array(bounds.keys), at: time) }
        return bounds.mapValues { range in
            let wanted: Offset
            switch self {
            case .start, .first: wanted = range.lowerBound
            case .end: wanted = range.upperBound
            case .offset(let offset): wanted = Offset(offset)
            case .afterStart(let count): wanted = Offset(range.lowerBound.rawValue + min(count, .max / 4))
            case .beforeEnd(let count): wanted = Offset(range.upperBound.rawValue - min(count, .max / 4))
            }
            return min(max(wanted, range.lowerBound), range.upperBound)
        }
    }
}
