package import EventModel
package import SwiftProtobuf

/// Finds events, commands, projections and queries by the names that people use.
package struct Catalogue: Sendable {
    package let domains: [Domain]
    package let commands: [Found]
    /// The events that people can write.
    package let events: [Found]
    /// What is looked up often, by the names that it has.
    private let commandsByName: [String: [Found]]
    private let queriesByName: [String: (query: Query, domain: String)]
    private let projectionsByName: [String: AnyProjection]

    package init(domains: [Domain]) {
        self.domains = domains
        commands = domains.flatMap { domain in
            domain.decider.map {
                Self.found(domain, $0.commands, domain.commandsTopic, .decided, key: $0.keyOfCommand)
            } ?? []
        }
        events = domains.flatMap { domain in
            let decided = domain.decider.map {
                Self.found(domain, $0.events, domain.eventsTopic, .decided, key: $0.keyOfEvent)
            }
            let observed = domain.telemetry.flatMap {
                Self.found(domain, $0.events, $0.topic, .telemetry, key: $0.keyOfEvent)
            }
            return (decided ?? []) + observed
        }
        commandsByName = commands.reduce(into: [:]) { byName, found in
            for name in found.names { byName[name, default: []].append(found) }
        }
        queriesByName = Dictionary(
            domains.flatMap { domain in domain.queries.map { ($0.name, ($0, domain.name)) } },
            uniquingKeysWith: { first, _ in first })
        projectionsByName = Dictionary(
            domains.flatMap(\.projections).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package struct Found: Sendable {
        package var domain: Domain
        package var schema: Schema
        package var kind: Schema.Kind
        package var topic: String
        package var origin: Origin
        /// Whether a decider owns it.
        package var decided: Bool { origin == .decided }
        /// Checks a message's bytes and gives the key of its record.
        package var key: @Sendable (Bytes) throws -> Bytes

        package var names: [String] { [kind.name, "\(domain.name).\(kind.name)"] }

        /// The command that JSON describes, on its way to the log.
        ///
        /// - Parameter acting: Who sends it; nil where that is not asked.
        /// - Throws: ``Malformed``, and ``ActsForAnother``.
        package func command(
            json: String, id: String, at time: Timestamp? = nil, by acting: Acting? = nil
        ) throws -> EncodedCommand {
            var value = try schema.encode(kind, json: Bytes(json))
            if let acting { value = try acting.applied(to: value, of: self) }
            return EncodedCommand(type: kind.name, key: try key(value), value: value, id: id, time: time)
        }

        /// The command that a message is, on its way to the log.
        ///
        /// - Throws: ``Malformed``, ``ActsForAnother``, and ``UnknownName`` for a message of another kind.
        package func command(_ message: some Message, id: String, by acting: Acting?) throws -> EncodedCommand {
            let value = try value(of: message, by: acting)
            return EncodedCommand(type: kind.name, key: try key(value), value: value, id: id)
        }

        /// The bytes of the envelope around a message of this kind.
        ///
        /// - Throws: As ``command(_:id:by:)``.
        package func value<M: Message>(of message: M, by acting: Acting?) throws -> Bytes {
            guard let encoded = try schema.encode(message), encoded.kind == kind else {
                throw UnknownName("kind", M.protoMessageName, among: [kind.message])
            }
            return try acting?.applied(to: encoded.value, of: self) ?? encoded.value
        }
    }

    /// Where an event comes from.
    package enum Origin: String, Sendable {
        /// A handler decides or admits it.
        case decided
        /// Anyone appends it.
        case telemetry
        /// A reaction makes it of other events.
        case derived
    }

    private static func found(
        _ domain: Domain, _ schema: Schema, _ topic: String, _ origin: Origin,
        key: @escaping @Sendable (Bytes) throws -> Bytes
    ) -> [Found] {
        schema.kinds.map { Found(domain: domain, schema: schema, kind: $0, topic: topic, origin: origin, key: key) }
    }

    /// The events that only reactions write.
    package var derived: [Found] {
        domains.flatMap { domain in
            domain.derived.flatMap { derived in
                Self.found(domain, derived.events, derived.topic, .derived) { _ in
                    throw Malformed("event", "is derived from others: only workers write \(derived.topic)")
                }
            }
        }
    }

    package var importers: [(domain: Domain, importer: Importer)] {
        domains.flatMap { domain in domain.importers.map { (domain, $0) } }
    }

    package func importer(_ name: String) throws -> (domain: Domain, importer: Importer) {
        if let found = Naming.find(name, in: importers, names: { [$0.importer.name] }).first { return found }
        throw UnknownName("importer", name, among: importers.map(\.importer.name))
    }

    package var queries: [Query] { domains.flatMap(\.queries) }
    package var projections: [AnyProjection] { domains.flatMap(\.projections) }

    package func command(_ name: String) throws -> Found {
        if let found = commandsByName[name], found.count == 1 { return found[0] }
        return try find(name, in: commands, "command")
    }
    package func event(_ name: String) throws -> Found {
        if let found = Naming.find(name, in: derived, names: \.names).first,
            Naming.find(name, in: events, names: \.names).isEmpty
        {
            throw BusError(
                .usage,
                "\(found.kind.name) is derived from other events: only workers write \(found.topic), replay reads it")
        }
        return try find(name, in: events, "event")
    }

    package func query(_ name: String) throws -> Query {
        if let known = queriesByName[name] { return known.query }
        if let query = Naming.find(name, in: queries, names: { [$0.name] }).first { return query }
        throw UnknownName("query", name, among: queries.map(\.name))
    }

    /// The domain of a query; nil where there is none of that name.
    package func domain(ofQuery name: String) -> String? { queriesByName[name]?.domain }

    package func projection(_ name: String) throws -> AnyProjection {
        if let known = projectionsByName[name] { return known }
        if let projection = Naming.find(name, in: projections, names: { [$0.name] }).first { return projection }
        throw UnknownName("projection", name, among: projections.map(\.name))
    }

    /// By name, or by domain and name where several domains have one: `HoldSeats`, `tickets.HoldSeats`.
    private func find(_ name: String, in all: [Found], _ what: String) throws -> Found {
        let found = Naming.find(name, in: all, names: \.names)
        if found.count == 1 { return found[0] }
        if found.isEmpty {
            let names = all.flatMap { [$0.kind.name, "\($0.domain.name).\($0.kind.name)"] }
            throw UnknownName(what, name, among: name.contains(".") ? names : all.map(\.kind.name))
        }
        let names = found.map { "\($0.domain.name).\($0.kind.name)" }.joined(separator: " or ")
        throw BusError(.usage, "several domains have a \(what) \(name): say \(names)")
    }
}
