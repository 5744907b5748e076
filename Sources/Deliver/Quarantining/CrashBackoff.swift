public import EventLog
public import EventModel

/// How a worker goes through its partitions: batch by batch, and in smaller steps after crashes, as ``CrashRecord`` says.
public struct CrashBackoff: Sendable {
    private let worker: String
    private let store: (any CrashRecordStore)?
    /// Records that may be in hand at once; where so many more are ahead, up to `most`.
    private let batch: Int
    private let most: Int
    private let pause: Duration
    private let notesIdle: Bool
    private var records: [TopicPartition: CrashRecord] = [:]
    /// Where each partition goes on.
    public private(set) var next: [TopicPartition: Offset] = [:]

    /// - Parameters:
    ///   - batch: Records that may be in hand at once.
    ///   - most: The same while a worker is far behind; nil is as many.
    ///   - store: Where crashes are counted; nil disables crash counting.
    ///   - pause: How long it lives before it takes a record of which another may have died.
    ///   - notesIdle: Whether ``begin(_:ends:)`` also counts workers that had nothing to handle when they began.
    public init(
        of worker: String, batch: Int, most: Int? = nil, store: (any CrashRecordStore)?,
        pause: Duration = CrashRecord.pause, notesIdle: Bool = false
    ) {
        (self.worker, self.batch, self.store, self.pause) = (worker, batch, store, pause)
        self.notesIdle = notesIdle
        self.most = max(batch, most ?? batch)
    }

    /// These partitions are taken where they go on.
    ///
    /// - Returns: of how many the worker before had not stopped in order.
    @discardableResult
    public mutating func begin(
        _ positions: [TopicPartition: Offset], ends: [TopicPartition: Offset]
    ) async throws -> Int {
        next.merge(positions) { $1 }
        guard let store else { return 0 }
        let before = try await store.crashRecords(of: worker, positions.keys.sorted())
        var changed: [TopicPartition: CrashRecord] = [:]
        for (source, position) in positions {
            let old = before[source] ?? CrashRecord()
            var now = old
            let end = ends[source] ?? position
            // Whoever died had no more in hand than there is now.
            now.begin(
                at: position, end: end, batch: max(batch, min(most, Int(end - position))),
                step: CrashRecord.step(of: most), notesIdle: notesIdle)
            records[source] = now
            if now != old { changed[source] = now }
        }
        try await store.keep(changed, of: worker)
        return positions.keys.count { before[$0]?.isOpen == true }
    }

    /// These partitions go to another, or the worker stops.
    public mutating func stop(_ sources: [TopicPartition]) async {
        var changed: [TopicPartition: CrashRecord] = [:]
        for source in sources {
            guard var now = records.removeValue(forKey: source), let position = next[source] else { continue }
            let old = now
            now.stop(at: position)
            if now != old { changed[source] = now }
        }
        for source in sources { next[source] = nil }
        // If this write is lost, the next owner takes small steps without need. Nothing else follows.
        try? await store?.keep(changed, of: worker)
    }

    /// Hands batches on in pieces as small as the crashes so far demand.
    ///
    /// - Parameter work: Handles and commits a piece. Records that are not to be tried any more come with the reason.
    public mutating func through(
        _ batches: [Batch],
        _ work: (_ piece: [Batch], _ failing: [TopicPartition: [Offset: String]]) async throws -> Void
    ) async throws {
        let careless = batches.filter { !needsCare($0) }
        if !careless.isEmpty {
            try await work(careless, [:])
            for batch in careless { passed(batch) }
        }
        for var rest in batches where rest.next > next[rest.source] ?? 0 {
            while rest.next > next[rest.source] ?? 0 { try await step(&rest, work) }
        }
    }

    /// A batch was handled and committed, whole.
    public mutating func passed(_ batch: Batch) { next[batch.source] = batch.next }

    /// Whether a batch is to be gone through in smaller steps.
    public func needsCare(_ batch: Batch) -> Bool {
        guard let first = batch.records.first, let record = records[batch.source] else { return false }
        let most = record.most(at: first.offset, of: self.most)
        return most == 1 || most < batch.records.count
    }

    private mutating func step(
        _ rest: inout Batch, _ work: ([Batch], [TopicPartition: [Offset: String]]) async throws -> Void
    ) async throws {
        let source = rest.source
        let position = next[source] ?? rest.records.first?.offset ?? rest.next
        guard let first = rest.records.first, var now = records[source] else {
            try await work([rest], [:])
            passed(rest)
            return
        }
        let most = now.most(at: first.offset, of: self.most)
        var piece = rest
        if piece.records.count > most {
            piece.records.removeSubrange(most...)
            piece.next = rest.records[most].offset
        }
        rest.records.removeFirst(piece.records.count)
        var failing: [TopicPartition: [Offset: String]] = [:]
        if most == 1 {
            if now.givesUp(at: position) {
                failing = [source: [first.offset: now.reason]]
                now.parked()
            } else {
                if now.inHand == nil, now.deaths > 0 { try await Task.sleep(for: pause) }
                now.take(position)
            }
            try await store?.keep([source: now], of: worker)
            records[source] = now
        }
        try await work([piece], failing)
        passed(piece)
    }
}
