/// Tables that a store of views keeps under one name, with the offsets that their rows show: those of one build of a
/// projection, or those that a worker keeps for itself.
public protocol StoredTables: Sendable {
    /// Whose they are: `tickets.seatmap`.
    var name: String { get }
    /// What they are kept under: `tickets.seatmap@1`.
    var storage: String { get }
    /// Everything that is kept.
    var allTables: [Table] { get }
}

extension AnyProjection: StoredTables {}

/// Tables that a worker keeps for itself in a store of views. It writes their rows, and nothing is folded into them.
public struct WorkerTables: StoredTables {
    /// The worker's name.
    public let name: String
    /// Raised where their rows get another shape or meaning: tables of another version are not read.
    public let version: Int
    /// Everything that the worker keeps.
    public let allTables: [Table]

    /// Names the tables of a worker.
    public init(keptBy worker: String, version: Int, tables: [Table]) {
        (name, self.version, allTables) = (worker, version, tables)
    }

    /// `tickets.handler@1`.
    public var storage: String { "\(name)@\(version)" }
}
