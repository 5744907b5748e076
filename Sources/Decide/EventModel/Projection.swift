/// A fold of events into the rows of a view: pure, so that the same events always give the same rows.
///
/// One value folds one batch: it may gather in its own fields what many events change, and writes that in `finish`.
/// Where a projection sees several partitions, its rows are disjoint by partition, or it only adds to them. One that
/// reads several topics is told each record's topic by its place, and keeps rows of its own for each.
///
/// How many like each thing is one row a thing, to which each event adds:
///
/// ```swift
/// func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) {
///     switch event {
///     case .thingLiked(let e): view.add(Self.things, [.text(e.thing)], [1])
///     }
/// }
/// ```
public protocol Projection: Sendable {
    /// What it reads: `Only<LikesEvent>`, or a sum of several topics' envelopes.
    associatedtype Event: Readable
    /// In its domain: `seatmap`.
    static var name: String { get }
    /// Raised when the same events would give other rows.
    static var version: Int { get }
    /// One sentence, for people.
    static var about: String { get }
    /// The topics that it reads.
    static var topics: [String] { get }
    /// The tables of its rows, which nobody else writes.
    static var tables: [Table] { get }

    /// Begins a batch.
    init()
    /// Folds one event. What it throws has the event wait in the quarantine, with others of its key.
    mutating func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws
    /// Writes what was gathered, once all events of the batch are applied.
    mutating func finish(_ view: ViewBatch) throws
}

extension Projection {
    /// Does nothing: for a projection that gathers nothing.
    public mutating func finish(_ view: ViewBatch) {}
}

/// A projection without its types.
public struct AnyProjection: Sendable {
    /// With its domain: `tickets.seatmap`.
    public let name: String
    /// Raised when the same events give other rows: each version has tables of its own.
    public let version: Int
    /// One sentence, for people.
    public let about: String
    /// What it reads.
    public let topics: [String]
    /// The tables of its rows.
    public let tables: [Table]
    /// The events that wait, in the same store and the same transactions.
    public let quarantine: Table
    /// Which of several folds of the same version it is, side by side in a store: 0 is the first.
    public private(set) var build = 0
    private let folding: @Sendable ([(TopicPartition, [Record])], ViewBatch, inout QuarantineFold?) throws -> Void

    /// A projection of a domain, under the domain's name and its own.
    public init<P: Projection>(_ type: P.Type, domain: String) {
        name = "\(domain).\(P.name)"
        version = P.version
        about = P.about
        topics = P.topics
        tables = P.tables
        quarantine = Quarantine.table(of: name)
        folding = { batches, view, parking in
            var projection = P()
            for (source, records) in batches {
                // Most partitions have nothing to leave out, and pay nothing for it.
                var isClear = parking?.isClear(source) ?? true
                for record in records {
                    if !isClear, parking?.leavesOut(record, from: source) ?? false { continue }
                    let place = EventPosition(of: record, in: source)
                    do {
                        let kind: P.Event.Content
                        do {
                            guard let known = try P.Event.content(of: record.value, in: source.topic) else { continue }
                            kind = known
                        } catch  where parking != nil {
                            // Nothing of it has been folded: the others go on at once.
                            parking?.park(record, from: source, String(describing: error))
                            isClear = false
                            continue
                        }
                        try projection.apply(kind, at: place, to: view)
                    } catch  where view.failure == nil {
                        throw Unfoldable(place: place, why: String(describing: error))
                    }
                }
            }
            do {
                try projection.finish(view)
            } catch  where view.failure == nil {
                throw Unfoldable(place: nil, why: String(describing: error))
            }
        }
    }

    /// The same projection as another of its builds.
    public func build(_ number: Int) -> AnyProjection {
        var other = self
        other.build = number
        return other
    }

    /// What a store keeps a build's tables under: `tickets.seatmap@1`, `tickets.seatmap@1+2`.
    public var storage: String { build == 0 ? base : "\(base)+\(build)" }
    private var base: String { "\(name)@\(version)" }

    /// Which of its builds is kept under a name; nil where that is something else.
    public func build(keptUnder storage: String) -> Int? {
        if storage == base { return 0 }
        guard storage.hasPrefix(base + "+"), let number = Int(storage.dropFirst(base.count + 1)), number > 0 else {
            return nil
        }
        return number
    }

    /// Everything that a store keeps of it.
    public var allTables: [Table] { tables + [quarantine] }

    /// Folds all records.
    ///
    /// - Throws: ``Unfoldable`` at the first that cannot be folded.
    public func fold(_ batches: [(TopicPartition, [Record])], into view: ViewBatch) throws {
        var none: QuarantineFold?
        try folding(batches, view, &none)
    }

    /// Folds all records but those that wait, and parks what cannot be read.
    ///
    /// - Throws: ``Unfoldable`` at the first that can be read and not be folded: some of it may be in `view`.
    public func fold(
        _ batches: [(TopicPartition, [Record])], into view: ViewBatch, parking: inout QuarantineFold
    ) throws {
        var some: QuarantineFold? = parking
        defer { if let some { parking = some } }
        try folding(batches, view, &some)
    }
}

/// An event that a projection cannot fold.
public struct Unfoldable: Error, CustomStringConvertible {
    /// Nil where it shows only when all of a batch has been applied.
    public var place: EventPosition?
    /// What could not be folded, and why.
    public var why: String
    public var description: String { place.map { "\($0.words): \(why)" } ?? why }
}
