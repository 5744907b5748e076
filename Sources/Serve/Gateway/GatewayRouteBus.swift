internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import MillraceBus
internal import Projecting
internal import SwiftProtobuf

/// What routes look up for each request, made once.
struct RouteCatalogue: Sendable {
    /// By the name of their message.
    let commands: [String: Catalogue.Found]
    let events: [String: KnownKind]
    /// By their name, each with the view that it reads.
    let queries: [String: KnownQuestion]

    init(_ catalogue: Catalogue) {
        commands = catalogue.commands.reduce(into: [:]) { $0[$1.kind.message] = $1 }
        events = catalogue.events.filter { $0.origin == .telemetry }.reduce(into: [:]) {
            $0[$1.kind.message] = KnownKind(found: $1)
        }
        queries = catalogue.queries.enumerated().reduce(into: [:]) { queries, query in
            queries[query.element.name] = (try? ViewQuestion(query.element, in: catalogue)).map {
                KnownQuestion($0, number: query.offset)
            }
        }
    }
}

/// A kind of event. It has its whole domain in it, which is not to be copied for each event.
final class KnownKind: Sendable {
    let found: Catalogue.Found
    init(found: Catalogue.Found) { self.found = found }
}

/// The bus as the routes of one domain reach it, for one request.
struct GatewayRouteBus: RouteBus {
    let around: GatewayEnvironment
    let domain: Domain
    let access: Access
    /// The trace that the request belongs to.
    let trace: TraceContext?

    func send<C: Message>(_ command: C, id: String?, within limit: Duration?) async throws -> RouteOutcome {
        guard let found = around.routed.commands[C.protoMessageName], found.domain.name == domain.name else {
            throw RouteFault("the command \(C.protoMessageName)")
        }
        let id = id ?? UUID().uuidString.lowercased()
        if !CommandLines.isID(id) { throw Malformed("id", CommandLines.rule) }
        var encoded = try found.command(command, id: id, by: acting(of: found))
        encoded.trace = trace
        let outcome = try await around.sender.client.send(
            [encoded], to: domain, within: min(limit ?? GatewayLimits.wait, GatewayLimits.longestWait))[0]
        around.metrics.note(outcome, of: found.kind.name)
        return RouteOutcome(
            id: id, refused: outcome.accepted ? nil : Refused(reason: outcome.reason, message: outcome.message),
            places: outcome.places)
    }

    func query(
        _ name: String, _ arguments: [String: Value], after places: [TopicPartition: Offset], limit: Int?,
        cursor: String?
    ) async throws -> RouteAnswer {
        guard let question = around.routed.queries[name] else { throw RouteFault("the query \(name)") }
        let isFirst = places.isEmpty && limit == nil && cursor == nil
        let version = isFirst ? around.known.version(before: question) : nil
        let answer = try await question.asked.page(
            arguments, limit: limit, cursor: cursor, after: places, within: GatewayLimits.wait, in: around.views,
            on: around.log)
        if let version { around.known.keep(answer.page, of: question, arguments, version) }
        return RouteAnswer(
            columns: answer.page.columns, rows: answer.page.rows, next: answer.next, asOf: answer.asOf)
    }

    func event<E: Message>(
        _ envelope: E.Type, at offset: Offset, in partition: TopicPartition
    ) async throws -> E? {
        guard partition.topic == domain.eventsTopic else { throw RouteFault("the topic \(partition.topic)") }
        return try await around.log.record(at: offset, in: partition).map { try E(serializedBytes: $0.value) }
    }

    func known(_ name: String, _ arguments: [String: Value]) -> RouteAnswer? {
        guard let question = around.routed.queries[name] else { return nil }
        return around.known.answer(question, arguments)
    }

    func produce<E: Message>(_ event: E, at time: Timestamp?) throws -> Bool {
        guard let kind = around.routed.events[E.protoMessageName], kind.found.domain.name == domain.name else {
            throw RouteFault("the event \(E.protoMessageName)")
        }
        let value = try kind.found.value(of: event, by: acting(of: kind.found))
        return around.beside.put(
            RouteQueue.Item(
                topic: kind.found.topic, event: kind.found.kind.name, key: try kind.found.key(value), value: value,
                time: time ?? now()))
    }

    /// Who acts. Where tokens say it, nobody acts without one: a route that is open has none.
    private func acting(of found: Catalogue.Found) throws(Problem) -> Acting? {
        let acting = access.acting(in: domain.name)
        if acting == nil, around.settings.authority.asksForTokens, domain.actor(of: found.kind) != nil {
            throw .unnamed
        }
        return acting
    }
}
