public import SwiftProtobuf

/// The bus as a route reaches it: through the client, the views and the log of the gateway that calls it.
///
/// Calls are safe from any task. What the log or the views cannot do is thrown as it is, and the gateway tells it: a route need
/// not catch it.
public protocol RouteBus: Sendable {
    /// Sends a command of the route's domain, and waits for its outcome. The same id again gives the same outcome and does
    /// nothing. A field that names who acts is the token's subject, as in all commands over HTTP.
    ///
    /// - Parameters:
    ///   - command: A message of one of the commands' kinds.
    ///   - id: 1 to 128 characters without a colon; nil is a new one.
    ///   - limit: How long to wait for a handler; nil is as long as the gateway waits.
    /// - Throws: ``Malformed`` for what no state could make acceptable; an error that becomes 503 where no handler answers in
    ///   time: the command is on the log then, and the same id gives its outcome later.
    func send<C: Message>(_ command: C, id: String?, within limit: Duration?) async throws -> RouteOutcome

    /// Asks a view.
    ///
    /// - Parameters:
    ///   - name: The query, with its domain: `likes.count`.
    ///   - arguments: As the query declares them; moments and durations are milliseconds.
    ///   - places: What the view must have seen: ``RouteOutcome/places`` reads one's own write.
    ///   - limit: Rows of the page; nil is what the query says.
    ///   - cursor: ``RouteAnswer/next`` of the page before.
    func query(
        _ name: String, _ arguments: [String: Value], after places: [TopicPartition: Offset], limit: Int?,
        cursor: String?
    ) async throws -> RouteAnswer

    /// An event of the route's domain as the log has it: with ``RouteOutcome/places``, what a command has made.
    ///
    /// - Parameters:
    ///   - envelope: Of the events of that topic.
    /// - Returns: nil where the log does not have it, or not any more.
    func event<E: Message>(
        _ envelope: E.Type, at offset: Offset, in partition: TopicPartition
    ) async throws -> E?

    /// The first page of a query as its view stands now, where that is at hand without waiting. Of nil, ask ``query(_:_:after:)``,
    /// which may put it there. It is never older than what anybody was shown of the view before.
    ///
    /// - Parameters:
    ///   - name: A query whose answer follows from its view and its arguments alone, whatever the time.
    ///   - arguments: As the query declares them.
    func known(_ name: String, _ arguments: [String: Value]) -> RouteAnswer?

    /// Puts an event of the domain's telemetry into a queue beside the answer, and returns at once: it is on the log within
    /// moments. Where the queue is full, as while the log is away, the event is dropped, and counted in the metrics. What waits
    /// there when the process is killed is lost; when it is told to stop, it is written first.
    ///
    /// - Parameters:
    ///   - event: A message of one of the telemetry's kinds.
    ///   - time: When it happened; nil is now.
    /// - Returns: Whether the queue has taken it.
    /// - Throws: ``Malformed`` where the domain would not take it.
    @discardableResult
    func produce<E: Message>(_ event: E, at time: Timestamp?) throws -> Bool
}

extension RouteBus {
    /// Sends a command under a new id.
    public func send<C: Message>(_ command: C) async throws -> RouteOutcome {
        try await send(command, id: nil, within: nil)
    }

    /// Asks a view for its first page.
    public func query(
        _ name: String, _ arguments: [String: Value] = [:], after places: [TopicPartition: Offset] = [:]
    ) async throws -> RouteAnswer {
        try await query(name, arguments, after: places, limit: nil, cursor: nil)
    }

    /// Nothing is at hand.
    public func known(_ name: String, _ arguments: [String: Value]) -> RouteAnswer? { nil }

    /// Produces an event that happens now.
    @discardableResult
    public func produce<E: Message>(_ event: E) throws -> Bool { try produce(event, at: nil) }
}

/// What was decided of a command.
public struct RouteOutcome: Sendable, Hashable {
    /// The command's id.
    public var id: String
    /// Why it was refused; nil where it was accepted.
    public var refused: Refused?
    /// The last place in each partition that it wrote to; empty where nothing was to do.
    public var places: [TopicPartition: Offset]

    /// An outcome whose parts are known.
    public init(id: String, refused: Refused? = nil, places: [TopicPartition: Offset] = [:]) {
        (self.id, self.refused, self.places) = (id, refused, places)
    }

    /// The places that it wrote to.
    ///
    /// - Throws: ``RouteProblem`` where it was refused: 409 with its reason.
    @discardableResult
    public func get() throws(RouteProblem) -> [TopicPartition: Offset] {
        if let refused { throw RouteProblem(refused) }
        return places
    }
}

/// A page of a view.
public struct RouteAnswer: Sendable {
    /// What the values of each row are, in order.
    public var columns: [Column]
    /// In the query's order. Where they are a table's, its columns read them.
    public var rows: [Row]
    /// Where the next page begins; nil at the end.
    public var next: String?
    /// The offset up to which each partition has been folded.
    public var asOf: [TopicPartition: Offset]

    /// A page whose parts are known.
    public init(columns: [Column], rows: [Row], next: String? = nil, asOf: [TopicPartition: Offset] = [:]) {
        (self.columns, self.rows, self.next, self.asOf) = (columns, rows, next, asOf)
    }
}
