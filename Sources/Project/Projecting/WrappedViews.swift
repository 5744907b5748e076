public import EventModel

/// A view store around another one: what it does not do otherwise, the other one does.
public protocol WrappedViews: ViewStore {
    var views: any ViewStore { get }
}

extension WrappedViews {
    public func open(_ tables: any StoredTables) async throws { try await views.open(tables) }
    public func claim(
        _ tables: any StoredTables, _ partitions: [TopicPartition], owner: String
    ) async throws -> [TopicPartition: Claim] {
        try await views.claim(tables, partitions, owner: owner)
    }
    public func commit(
        _ tables: any StoredTables, to offsets: [TopicPartition: Offset], under epochs: [TopicPartition: Epoch],
        fold: @escaping @Sendable (ViewBatch) throws -> Void
    ) async throws {
        try await views.commit(tables, to: offsets, under: epochs, fold: fold)
    }
    public func catchUp(_ tables: any StoredTables, _ isBehind: Bool, tidies: Bool) async throws {
        try await views.catchUp(tables, isBehind, tidies: tidies)
    }
    public func read<R: Sendable>(
        _ tables: any StoredTables,
        _ body: @escaping @Sendable (_ reader: any ViewReader, _ asOf: [TopicPartition: Offset]) throws -> R
    ) async throws -> R { try await views.read(tables, body) }
    public func version(liveOf projection: AnyProjection) -> ViewVersion? { views.version(liveOf: projection) }
    public func readNow<R>(
        liveOf projection: AnyProjection,
        _ body: (_ reader: any ViewReader, _ asOf: () throws -> [TopicPartition: Offset]) throws -> R
    ) throws -> R? {
        try views.readNow(liveOf: projection, body)
    }
    public func readNow<R>(
        _ tables: any StoredTables,
        _ body: (_ reader: any ViewReader, _ asOf: () throws -> [TopicPartition: Offset]) throws -> R
    ) throws -> R? {
        try views.readNow(tables, body)
    }
    public func snapshot(_ projection: AnyProjection) async throws -> any ViewSnapshot {
        try await views.snapshot(projection)
    }
    public func builds(of projection: AnyProjection) async throws -> Builds { try await views.builds(of: projection) }
    public func promote(_ build: Int, of projection: AnyProjection) async throws {
        try await views.promote(build, of: projection)
    }
    public func hold(_ projection: AnyProjection, for time: Duration) async throws {
        try await views.hold(projection, for: time)
    }
    public func lockBuilds(of projection: AnyProjection) async throws -> any BuildLock {
        try await views.lockBuilds(of: projection)
    }
    public func discard(_ tables: any StoredTables) async throws {
        try await views.discard(tables)
    }
    public func close() async { await views.close() }
}
