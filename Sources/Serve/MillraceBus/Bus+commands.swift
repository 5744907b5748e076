internal import EventLog
public import EventModel
internal import Foundation
public import Handling
internal import RecordTracing
public import SwiftProtobuf

extension Bus {
    /// Sends a command and waits for its outcome.
    ///
    /// The same id again, for the same key, gives the same outcome and does nothing. Where the task's `ServiceContext` belongs
    /// to a trace of this process's instrument, so does the command, and all that follows from it.
    ///
    /// - Parameters:
    ///   - command: A message of a domain's commands, such as `LikeThing`.
    ///   - id: The command's id, 1 to 128 characters without a colon; nil is a new one.
    ///   - time: The command's own time; nil is when the log takes it.
    ///   - limit: How long to wait for a handler.
    /// - Throws: `Malformed` for what no state could make acceptable, `CommandClient.NoAnswer` where no handler answers in
    ///   time (the id stays good: the same call with it gives the outcome), ``UnknownName`` where no domain has the command.
    public func send<C: Message>(
        _ command: C, id: String? = nil, at time: Timestamp? = nil,
        within limit: Duration = .seconds(10)
    ) async throws -> Outcome {
        for domain in domains {
            guard let decider = domain.decider, let (kind, value) = try decider.commands.encode(command) else {
                continue
            }
            var encoded = EncodedCommand(
                type: kind.name, key: try decider.keyOfCommand(value), value: value, id: id ?? Self.newID(), time: time)
            encoded.trace = .current
            return try await running(within: limit).send([encoded], to: domain, within: limit)[0]
        }
        throw UnknownName("command", C.protoMessageName, among: catalogue.commands.map(\.kind.name))
    }

    /// Sends a command that is named, with its fields as JSON.
    ///
    /// - Parameters:
    ///   - name: `LikeThing`, or with its domain `likes.LikeThing`.
    ///   - json: Its fields as proto3 JSON: `{"thing":"tea","person":"ann"}`.
    ///   - id: The command's id, 1 to 128 characters without a colon; nil is a new one.
    ///   - time: The command's own time; nil is when the log takes it.
    ///   - limit: How long to wait for a handler.
    /// - Throws: As ``send(_:id:at:within:)``.
    public func send(
        _ name: String, json: String, id: String? = nil, at time: Timestamp? = nil,
        within limit: Duration = .seconds(10)
    ) async throws -> Outcome {
        let found = try catalogue.command(name)
        var encoded = try found.command(json: json, id: id ?? Self.newID(), at: time)
        encoded.trace = .current
        return try await running(within: limit).send([encoded], to: found.domain, within: limit)[0]
    }

    /// Produces events of one kind, in their order. Telemetry is checked and appended; an event that a decider owns goes to its
    /// handler, which admits it only where it is a legal next event.
    ///
    /// - Parameters:
    ///   - events: Messages of a domain's events, such as `Hit`.
    ///   - time: When it happened; nil is now.
    ///   - limit: How long to wait for a handler, where one is needed.
    /// - Returns: where the last of them stands in each partition.
    /// - Throws: `Malformed`, and then none is written; `Refused` for the first that a handler does not admit: those before it
    ///   are written, those behind it may be.
    @discardableResult
    public func produce<E: Message>(
        _ events: [E], at time: Timestamp? = nil, within limit: Duration = .seconds(10)
    ) async throws -> [TopicPartition: Offset] {
        let found = try written.kind(of: E.self, in: catalogue)
        let encoded = try events.map { event in
            let value = try found.schema.encode(event)?.value ?? Bytes()
            return (key: try found.key(value), value: value)
        }
        var ends: [TopicPartition: Offset] = [:]
        if found.decided {
            let facts = encoded.map { event in
                var fact = EncodedCommand(
                    type: found.kind.name, key: event.key, value: event.value, id: Self.newID(),
                    time: time)
                fact.trace = .current
                return fact
            }
            let client = try await running(within: limit)
            for outcome in try await client.send(facts, to: found.domain, asFacts: true, within: limit) {
                if !outcome.accepted { throw Refused(reason: outcome.reason, message: outcome.message) }
                ends.merge(outcome.places, uniquingKeysWith: max)
            }
            return ends
        }
        let count = try await written.partitions(of: found.topic, on: log)
        let moment = time ?? now()
        let records = encoded.map { NewRecord(key: $0.key, value: $0.value, timestamp: moment) }
        let appends = Append.byKey(records, to: found.topic, among: count)
        for (append, offsets) in zip(appends, try await log.append(appends)) { ends[append.target] = offsets.last }
        return ends
    }
}

extension Bus {
    private static func newID() -> String { UUID().uuidString.lowercased() }
}

extension Outcome {
    /// Where it is accepted, the events that it wrote.
    ///
    /// - Throws: `Refused` where it is refused.
    public func get() throws(Refused) -> [Written] {
        if !accepted { throw Refused(reason: reason, message: message) }
        return events
    }

    /// The last place in each partition that it wrote to: a query `after` them sees what it did.
    public var places: [TopicPartition: Offset] {
        events.reduce(into: [:]) { $0[$1.place] = max($0[$1.place] ?? 0, $1.offset) }
    }
}
