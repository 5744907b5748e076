/// A fold of events into the rows of a view: pure, so that the same events always give the same rows.
///
/// One value folds one batch: it may gather in its own fields what many events change, and writes that in `finish`.
/// Where a projection sees several partitions, its rows are disjoint by partition, or it only adds to them. One that
/// reads several topics is told each record's topic by its place, and keeps rows of its own for each.
public protocol Projection: Sendable {
    associatedtype Event: Readable
    /// In its domain: `seatmap`.
    static var name: String { get }
    /// Raised when the same events would give other rows.
    static var version: Int { get }
    static var about: String { get }
    static var topics: [String] { get }
    static var tables: [Table] { get }

    init()
    mutating func apply(_ event: Event.Content, at place: Place, to view: ViewBatch) throws
    mutating func finish(_ view: ViewBatch) throws
}

extension Projection {
    public mutating func finish(_ view: ViewBatch) {}
}

/// A projection without its types.
public struct AnyProjection: Sendable {
    /// With its domain: `tickets.seatmap`.
    public let name: String
    public let version: Int
    public let about: String
    public let topics: [String]
    public let tables: [Table]
    /// Which of several folds of the same version it is, side by side in a store: 0 is the first.
    public private(set) var build = 0
    private let folding: @Sendable ([(TopicPartition, [Record])], ViewBatch) throws -> Void

    public init<P: Projection>(_ type: P.Type, domain: String) {
        name = "\(domain).\(P.name)"
        version = P.version
        about = P.about
        topics = P.topics
        tables = P.tables
        folding = { batches, view in
            var projection = P()
            for (source, records) in batches {
                for record in records {
                    let place = Place(of: record, in: source)
                    do {
                        guard let kind = try P.Event.content(of: record.value, in: source.topic) else { continue }
                        try projection.apply(kind, at: place, to: view)
                    } catch let error as Undecodable {
                        throw Unfoldable(place: place, why: error.description)
                    }
                }
            }
            try projection.finish(view)
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

    public func fold(_ batches: [(TopicPartition, [Record])], into view: ViewBatch) throws {
        try folding(batches, view)
    }
}

/// An event that a projection cannot fold.
public struct Unfoldable: Error, CustomStringConvertible {
    public var place: Place
    public var why: String
    public var description: String { "\(place.topic)/\(place.partition)@\(place.offset): \(why)" }
}
