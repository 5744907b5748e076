public import EventModel

/// How carefully a worker handles a partition after crashes.
///
/// A worker may have crashed because of a record: a number overflowed, memory ran out. After a first crash the next
/// owner of the partition handles small batches. After a second it handles one record at a time, and notes each
/// before it begins. A record that was being handled at ``maxCrashes`` crashes in a row is parked. Records after the
/// batch of the first crash are handled normally.
public struct CrashRecord: Hashable, Sendable {
    /// Crashes in a row with the same record in hand, after which it is parked.
    public static let maxCrashes = 3
    /// How long a worker waits before it handles a record that another crashed on, so that a kill for another reason is
    /// unlikely to happen just then and be counted.
    public static let pause = Duration.seconds(1)
    /// Records that are handled at once after a first death.
    public static let few = 64

    public enum Care: Int, Hashable, Sendable { case none, few, one }

    public private(set) var care = Care.none
    /// Records before that are handled with care.
    public private(set) var until = Offset(0)
    /// Whether a worker has begun and has not stopped in order: it crashed, or still runs.
    public private(set) var isOpen = false
    /// The record in hand, where they are handled one by one.
    public private(set) var inHand: Offset?
    /// Deaths in a row with that record in hand.
    public private(set) var deaths = 0

    public init() {}

    /// In hand of a worker that began with nothing to handle.
    private static let nothing = Offset(-1)

    /// A worker takes the partition where it is to go on.
    ///
    /// - Parameters:
    ///   - end: Where the partition ends. Without records to handle no death is counted.
    ///   - batch: How many records may have been in hand.
    ///   - step: How many are handled at once after a first death.
    ///   - notesIdle: Whether ``isOpen`` also tells of a worker that had nothing to handle: it may have died of a record that is not on the log.
    public mutating func begin(at next: Offset, end: Offset, batch: Int, step: Int = few, notesIdle: Bool = false) {
        if inHand == Self.nothing {
            inHand = nil
        } else if isOpen {
            switch care {
            case _ where next >= until:
                (care, until) = (.few, next + batch)
                (inHand, deaths) = (nil, 0)
            case .none, .few:
                (care, until) = (.one, next + step)
                (inHand, deaths) = (nil, 0)
            case .one:
                deaths = inHand == next ? deaths + 1 : 0
                inHand = nil
            }
        }
        isOpen = next < end
        if notesIdle, !isOpen, care == .none { (isOpen, inHand) = (true, Self.nothing) }
    }

    /// How many records are handled at once after a first death, where so many may have been in hand: no more than some hundred steps.
    public static func step(of most: Int) -> Int { max(few, most / 312) }

    /// How many records may be handled at once, going on at an offset.
    public func most(at next: Offset, of batch: Int) -> Int {
        if next >= until { return batch }
        switch care {
        case .none: return batch
        case .few: return min(Self.step(of: batch), batch)
        case .one: return 1
        }
    }

    /// Whether the record at an offset is not to be tried any more.
    public func givesUp(at next: Offset) -> Bool { care == .one && next < until && deaths >= Self.maxCrashes }

    /// What a record is parked for that workers died of.
    public var reason: String { "its worker died \(deaths) times in a row with this record in hand" }

    /// The record at an offset is about to be handled by itself.
    public mutating func take(_ offset: Offset) {
        if inHand != offset, inHand != nil { deaths = 0 }
        inHand = offset
    }

    /// A record was parked: those after it are handled with care still.
    public mutating func parked() { (inHand, deaths) = (nil, 0) }

    /// The worker stops in good order.
    public mutating func stop(at next: Offset) {
        isOpen = false
        if inHand == Self.nothing { inHand = nil }
        if next >= until { (care, until, inHand, deaths) = (.none, 0, nil, 0) }
    }
}

/// Where crash counts are kept for the next owner. If some are lost, a few more crashes are needed before a record is
/// parked.
public protocol CrashRecordStore: Sendable {
    func crashRecords(of worker: String, _ sources: [TopicPartition]) async throws -> [TopicPartition: CrashRecord]
    func keep(_ records: [TopicPartition: CrashRecord], of worker: String) async throws
}

extension CrashRecord {
    /// The table of all workers' crash counts.
    public static let table = Table(
        "tries", key: [Column("worker", .text), Column("topic", .text), Column("partition", .integer)],
        columns: [
            Column("care", .integer), Column("until", .integer), Column("open", .integer), Column("in_hand", .integer),
            Column("deaths", .integer),
        ])

    public static func key(_ source: TopicPartition, of worker: String) -> Row {
        [.text(worker), .text(source.topic), Value(source.partition)]
    }

    public var row: Row {
        [
            Value(care.rawValue), .integer(until.rawValue), isOpen ? 1 : 0,
            inHand.map { .integer($0.rawValue) } ?? .null, Value(deaths),
        ]
    }

    public init?(_ row: Row) {
        guard row.count == Self.table.columns.count, let care = row[3].integer.flatMap({ Care(rawValue: Int($0)) }),
            let until = row[4].integer, let deaths = row[7].integer.flatMap({ Int32(exactly: $0) }), deaths >= 0
        else { return nil }
        (self.care, self.until, isOpen) = (care, Offset(until), row[5] != 0)
        (inHand, self.deaths) = (row[6].integer.map { Offset($0) }, Int(deaths))
    }
}
