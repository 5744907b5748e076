/// The records of one partition that a worker keeps waiting, in order: a key of which a record cannot be handled stops, and
/// the others go on.
///
/// A record without a key belongs to no order, and waits alone.
public struct Quarantine: Hashable, Sendable {
    /// The most records of a partition that wait for one worker. Beyond, it stops.
    public static let limit = 10_000
    /// Characters of a reason that are kept.
    public static let reasonLength = 500

    /// A record that waits.
    public struct Parked: Hashable, Sendable {
        /// The record's place in its partition.
        public var offset: Offset
        /// The record's key; empty where it belongs to no order.
        public var key: Bytes
        /// Why it cannot be handled; empty where it only waits behind another of its key.
        public var reason: String
        /// How often it was tried.
        public var attempts: Int
        /// The record's own time.
        public var timestamp: Timestamp
        /// A record that waits; a reason that is too long is cut to ``Quarantine/reasonLength``.
        public init(offset: Offset, key: Bytes, reason: String, attempts: Int, timestamp: Timestamp) {
            self.offset = offset
            self.key = key
            // No database takes a zero in a text.
            self.reason = String(reason.prefix(Quarantine.reasonLength).replacing("\0", with: "\u{FFFD}"))
            self.attempts = attempts
            self.timestamp = timestamp
        }

        /// Of a record that was tried, or of one that waits behind another.
        public init(_ record: Record, failed reason: String?) {
            self.init(
                offset: record.offset, key: record.key, reason: reason ?? "", attempts: reason == nil ? 0 : 1,
                timestamp: record.timestamp)
        }
    }

    private var waiting: [Offset: Parked] = [:]
    /// Of each key the records that wait, in order.
    private var lines: [Bytes: [Offset]] = [:]
    /// Records that were given up: they are left out for good.
    public private(set) var dropped: Set<Offset> = []

    /// Nothing waits.
    public init() {}

    /// How many wait.
    public var count: Int { waiting.count }
    /// Whether nothing waits and nothing was dropped.
    public var isEmpty: Bool { waiting.isEmpty && dropped.isEmpty }
    /// All that wait, in order.
    public var parked: [Parked] { waiting.values.sorted { $0.offset < $1.offset } }
    /// The keys of which records wait.
    public var keys: Set<Bytes> { Set(lines.keys) }

    /// The record that waits at an offset; nil where none does.
    public subscript(offset: Offset) -> Parked? { waiting[offset] }

    /// What waits of one key, in order.
    public func parked(of key: Bytes) -> [Parked] {
        (lines[key] ?? []).compactMap { waiting[$0] }
    }

    /// Whether records of a key wait that come before an offset, so that the one there waits too.
    public func isWaiting(_ key: Bytes, before offset: Offset) -> Bool {
        guard !key.isEmpty, let first = lines[key]?.first else { return false }
        return first < offset
    }
    /// Whether a record is not to be handled when it comes by.
    public func leavesOut(_ offset: Offset) -> Bool { waiting[offset] != nil || dropped.contains(offset) }

    /// Whether two leave out the same of what stands before an offset.
    public func agrees(with other: Quarantine, before end: Offset) -> Bool {
        func leftOut(_ quarantine: Quarantine) -> Set<Offset> {
            Set(quarantine.waiting.keys).union(quarantine.dropped).filter { $0 < end }
        }
        return leftOut(self) == leftOut(other)
    }

    /// Keeps a record waiting, or what is known of one that waits already.
    public mutating func park(_ parked: Parked) {
        dropped.remove(parked.offset)
        if waiting.updateValue(parked, forKey: parked.offset) != nil { return }
        let place = lines[parked.key]?.lastIndex { $0 < parked.offset }.map { $0 + 1 } ?? 0
        lines[parked.key, default: []].insert(parked.offset, at: place)
    }

    /// A record waits no more: it has been handled, or nobody ever will.
    public mutating func unpark(_ offset: Offset, dropping: Bool = false) {
        if dropping { dropped.insert(offset) }
        guard let parked = waiting.removeValue(forKey: offset) else { return }
        lines[parked.key]?.removeAll { $0 == offset }
        if lines[parked.key]?.isEmpty ?? false { lines[parked.key] = nil }
    }
}

/// What a fold leaves out, and what it finds that must be left out from then on.
public struct QuarantineFold: Sendable {
    /// What waits, by partition, with what this fold has added.
    public private(set) var quarantines: [TopicPartition: Quarantine]
    /// Records that are known to fail, and why.
    private let failing: [TopicPartition: [Offset: String]]
    /// What was parked in this fold, in order.
    public private(set) var parked: [(source: TopicPartition, record: Quarantine.Parked)] = []

    /// A fold over what waits already.
    public init(_ quarantines: [TopicPartition: Quarantine], failing: [TopicPartition: [Offset: String]] = [:]) {
        self.quarantines = quarantines.filter { !$0.value.isEmpty }
        self.failing = failing
    }

    /// Whether no record of a partition needs a look before it is handled.
    func isClear(_ source: TopicPartition) -> Bool { quarantines[source] == nil && failing[source] == nil }

    /// Whether a record is left out; one that must wait is parked.
    mutating func leavesOut(_ record: Record, from source: TopicPartition) -> Bool {
        let quarantine = quarantines[source]
        if quarantine?.leavesOut(record.offset) ?? false { return true }
        let why = failing[source]?[record.offset]
        if why == nil, !(quarantine?.isWaiting(record.key, before: record.offset) ?? false) { return false }
        park(record, from: source, why)
        return true
    }

    /// Keeps a record waiting that cannot be handled.
    mutating func park(_ record: Record, from source: TopicPartition, _ why: String?) {
        let entry = Quarantine.Parked(record, failed: why)
        quarantines[source, default: Quarantine()].park(entry)
        parked.append((source, entry))
    }
}
