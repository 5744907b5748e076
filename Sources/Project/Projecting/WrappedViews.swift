public import EventModel

/// A view store around another one: what it does not do otherwise, the other one does.
public protocol WrappedViews: ViewStore {
    var views: any ViewStore { get }
}

extension WrappedViews {
    public func open(_ projection: AnyProjection) async throws { try await views.open(projection) }
    public func claim(
        _ projection: AnyProjection, _ partitions: [TopicPartition], owner: String
    ) async throws -> [TopicPartition: Claim] {
        try await views.claim(projection, partitions, owner: owner)
    }
    public func commit(
        _ projection: AnyProjection, to offsets: [TopicPartition: Offset], under epochs: [TopicPartition: Epoch],
        fold: @escaping @Sendable (ViewBatch) throws -> Void
    ) async throws {
        try await views.commit(projection, to: offsets, under: epochs, fold: fold)
    }
    public func read<R: Sendable>(
        _ projection: AnyProjection,
        _ body: @escaping @Sendable (_ reader: any ViewReader, _ asOf: [TopicPartition: Offset]) throws -> R
    ) async throws -> R { try await views.read(projection, body) }
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
    public func discard(_ build: Int, of projection: AnyProjection) async throws {
        try await views.discard(build, of: projection)
    }
    public func close() async { await views.close() }
}
