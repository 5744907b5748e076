/// One change of a key that is on a log: what it is now, nil where it is gone, and where on the log it stands.
public struct LoggedWrite<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    public var key: Key
    public var value: Value?
    /// From 1, and higher for each later change of a log: it is the key's version.
    public var place: UInt64

    public init(_ key: Key, _ value: Value?, place: UInt64) {
        (self.key, self.value, self.place) = (key, value, place)
    }
}

extension LoggedWrite: Equatable where Value: Equatable {}

/// Changes that are on a log and not yet in the source that a cache stands before. Of each key the newest counts: those before it need not
/// be applied any more.
///
/// Facts come in by ``logged(_:)``, ``applied(_:)`` and ``failed(_:)``, in any order; what to do next goes out by ``next(atMost:)``.
public struct PendingWrites<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var newest: [Key: LoggedWrite<Key, Value>] = [:]
    /// By place. Whose place is not its key's newest any more is passed over.
    private var order: [(place: UInt64, key: Key)] = []
    private var first = 0
    /// Keys whose change is on its way to the source, and the place of that.
    private var underWay: [Key: UInt64] = [:]
    /// The newest place that was heard of.
    private var last: UInt64
    /// What was applied lately, so that a change that is heard of again, or late, is not taken for news: by key, and in the order of
    /// applying.
    private var done: [Key: UInt64] = [:]
    private var doneOrder: [(key: Key, place: UInt64)] = []
    private var doneFirst = 0
    private let remembered: Int

    /// - Parameters:
    ///   - applied: All up to this place is in the source already.
    ///   - remembered: Of how many applied keys the place is remembered. Who hears the log may be so many changes late.
    public init(appliedThrough applied: UInt64 = 0, remembered: Int = 65_536) {
        (last, self.remembered) = (applied, max(1, remembered))
    }

    public var count: Int { newest.count }
    public var isEmpty: Bool { newest.isEmpty }

    /// All changes up to this place are in the source, or a later one of the same key will be: a process that starts anew hears the log from
    /// the next place on.
    public var appliedThrough: UInt64 {
        newest.values.lazy.map { $0.place - 1 }.min() ?? last
    }

    /// What a key is, where the source may not have it yet.
    public func pending(_ key: Key) -> LoggedWrite<Key, Value>? { newest[key] }

    /// A change is on the log. Twice the same is once; one that is older than what is known of its key is nothing.
    ///
    /// - Returns: whether it is news.
    @discardableResult
    public mutating func logged(_ write: LoggedWrite<Key, Value>) -> Bool {
        precondition(write.place > 0, "places of a log begin at 1")
        if let known = newest[write.key]?.place ?? done[write.key], known >= write.place { return false }
        newest[write.key] = write
        last = max(last, write.place)
        var at = order.endIndex
        while at > first, order[at - 1].place > write.place { at -= 1 }
        order.insert((write.place, write.key), at: at)
        return true
    }

    /// The oldest that are to be applied, each key once, and none of a key that is on its way: changes of one key reach the source in the
    /// order of the log.
    public mutating func next(atMost limit: Int) -> [LoggedWrite<Key, Value>] {
        var batch: [LoggedWrite<Key, Value>] = []
        while first < order.endIndex, !isCurrent(order[first]) { first += 1 }
        if first > 1_024, first * 2 > order.count {
            order.removeFirst(first)
            first = 0
        }
        for one in order[first...] where isCurrent(one) && underWay[one.key] == nil {
            guard batch.count < limit, let write = newest[one.key] else { break }
            underWay[one.key] = one.place
            batch.append(write)
        }
        return batch
    }

    private func isCurrent(_ one: (place: UInt64, key: Key)) -> Bool { newest[one.key]?.place == one.place }

    /// The source has these.
    public mutating func applied(_ batch: [LoggedWrite<Key, Value>]) {
        for write in batch {
            if underWay[write.key] == write.place { underWay[write.key] = nil }
            if let known = newest[write.key], known.place <= write.place { newest[write.key] = nil }
            remember(write)
        }
    }

    private mutating func remember(_ write: LoggedWrite<Key, Value>) {
        if done[write.key] ?? 0 >= write.place { return }
        done[write.key] = write.place
        doneOrder.append((write.key, write.place))
        while done.count > remembered {
            let oldest = doneOrder[doneFirst]
            doneFirst += 1
            if done[oldest.key] == oldest.place { done[oldest.key] = nil }
        }
        if doneOrder.count > 2 * remembered + 1_024 {
            doneOrder = doneOrder[doneFirst...].filter { done[$0.key] == $0.place }
            doneFirst = 0
        }
    }

    /// The source may have these or not: they are applied again.
    public mutating func failed(_ batch: [LoggedWrite<Key, Value>]) {
        for write in batch where underWay[write.key] == write.place { underWay[write.key] = nil }
    }
}
