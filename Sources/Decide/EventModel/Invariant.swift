/// What holds of a domain, whatever happens to those who run it: pure, over the log's records and the rows folded from them.
///
/// Declared once, by ``Domain/keeping(_:)``, and checked by whoever has a log: a simulation, a test, an operator.
/// Records come partition by partition, each in its order. How partitions were interleaved is not known, and no invariant may
/// depend on it.
public struct Invariant: Sendable {
    /// When an invariant holds.
    public enum Holding: String, Sendable, Hashable {
        /// At any moment: of any prefix of each partition.
        case always
        /// Once everything has been handled, reacted to and folded.
        case atRest
    }
    /// A sentence: `no seat has two owners`.
    public let name: String
    /// When it holds.
    public let holds: Holding
    /// The topics whose records it is told.
    public let topics: [String]
    /// The projection whose rows it sees, with its domain. Records of topics that the projection reads are told as far as
    /// the rows show them.
    public let projection: String?
    /// Begins a check.
    public let begin: @Sendable () -> any Audit

    /// Over records alone.
    ///
    /// - Parameters:
    ///   - name: A sentence: `no seat has two owners`.
    ///   - holds: When it holds.
    ///   - topics: The topics whose records it is told.
    ///   - initial: The state before the first record.
    ///   - fold: Throws ``Violation`` where a record breaks it.
    ///   - finish: The same, once all have been told.
    public init<State: Sendable>(
        _ name: String, _ holds: Holding = .always, over topics: [String], from initial: State,
        fold: @escaping @Sendable (inout State, Record, TopicPartition) throws -> Void,
        finish: @escaping @Sendable (State) throws -> Void = { _ in }
    ) {
        (self.name, self.holds, self.topics, projection) = (name, holds, topics, nil)
        begin = { Folding(state: initial, fold: fold) { state, _ in try finish(state) } }
    }

    /// Over the records of one topic, decoded; those that only a newer writer knows are passed over.
    public init<E: Envelope, State: Sendable>(
        _ name: String, _ holds: Holding = .always, over topic: String, _ type: E.Type, from initial: State,
        fold: @escaping @Sendable (inout State, E.Kind, EventPosition) throws -> Void,
        finish: @escaping @Sendable (State) throws -> Void = { _ in }
    ) {
        self.init(
            name, holds, over: [topic], from: initial,
            fold: { state, record, source in
                guard let kind = try E.kind(in: record.value) else { return }
                try fold(&state, kind, EventPosition(of: record, in: source))
            }, finish: finish)
    }

    /// Over the rows of a projection, and the records that they were folded from.
    ///
    /// - Parameters:
    ///   - name: A sentence: `counts are those of the events`.
    ///   - holds: When it holds.
    ///   - topics: The topics whose records it is told.
    ///   - projection: The projection whose rows it sees, with its domain.
    ///   - initial: The state before the first record.
    ///   - fold: Throws ``Violation`` where a record breaks it.
    ///   - rows: Throws ``Violation`` where the rows are not as the records say.
    public init<State: Sendable>(
        _ name: String, _ holds: Holding = .always, over topics: [String], of projection: String,
        from initial: State,
        fold: @escaping @Sendable (inout State, Record, TopicPartition) throws -> Void = { _, _, _ in },
        rows: @escaping @Sendable (State, any ViewReader) throws -> Void
    ) {
        (self.name, self.holds, self.topics, self.projection) = (name, holds, topics, projection)
        begin = {
            Folding(state: initial, fold: fold) { state, reader in
                // Whoever checks it gives a reader to an invariant that names a projection.
                if let reader { try rows(state, reader) }
            }
        }
    }

    /// Over the rows of a projection alone.
    public init(
        _ name: String, _ holds: Holding = .always, of projection: String,
        rows: @escaping @Sendable (any ViewReader) throws -> Void
    ) {
        self.init(name, holds, over: [], of: projection, from: true, fold: { _, _, _ in }, rows: { try rows($1) })
    }
}

/// A check of an invariant under way. One task owns it.
public protocol Audit: AnyObject {
    /// Tells it a record; throws ``Violation``, or ``Undecodable`` where the value is not of the topic's schema.
    func apply(_ record: Record, from source: TopicPartition) throws
    /// Ends it. The reader is of the projection that the invariant names.
    func finish(_ reader: (any ViewReader)?) throws
}

/// Where an invariant does not hold: what was found, and where.
public struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was found, and where, in a sentence without its full stop.
    public var message: String
    /// A finding that breaks an invariant.
    public init(_ message: String) { self.message = message }
    public var description: String { message }
}

private final class Folding<State: Sendable>: Audit {
    private var state: State
    private let fold: @Sendable (inout State, Record, TopicPartition) throws -> Void
    private let end: @Sendable (State, (any ViewReader)?) throws -> Void

    init(
        state: State, fold: @escaping @Sendable (inout State, Record, TopicPartition) throws -> Void,
        end: @escaping @Sendable (State, (any ViewReader)?) throws -> Void
    ) {
        (self.state, self.fold, self.end) = (state, fold, end)
    }

    func apply(_ record: Record, from source: TopicPartition) throws { try fold(&state, record, source) }
    func finish(_ reader: (any ViewReader)?) throws { try end(state, reader) }
}
