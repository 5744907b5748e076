internal import Synchronization

/// Something that goes on until it is ended.
public final class Phase: Sendable {
    private let over = Atomic(false)
    public init() {}
    public var isOver: Bool { over.load(ordering: .acquiring) }
    public func end() { over.store(true, ordering: .releasing) }
}
