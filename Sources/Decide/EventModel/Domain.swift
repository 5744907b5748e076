/// Facts without a decision, without their types.
public struct AnyTelemetry: Sendable {
    public let topic: String
    public let events: Schema
    /// Checks an event's bytes and gives its key.
    public let keyOfEvent: @Sendable (Bytes) throws -> Bytes

    public init<T: Telemetry>(_ type: T.Type, topic: String, descriptor: Descriptor) {
        self.topic = topic
        events = Schema(T.Event.self, descriptor)
        keyOfEvent = { bytes in
            guard let event = try T.Event.kind(in: bytes) else { throw Malformed("event", "is of no known kind") }
            try T.check(event)
            return Bytes(T.key(of: event))
        }
    }
}

/// Events that a domain's reactions make of others, in a topic of their own.
public struct DerivedEvents: Sendable {
    public let topic: String
    public let events: Schema
}

/// One world on the bus: everything else (topics, commands, help, workers, queries) follows from this value.
public struct Domain: Sendable {
    public let name: String
    public let about: String
    public private(set) var topics: [Topic] = []
    public private(set) var decider: AnyDecider?
    public private(set) var telemetry: AnyTelemetry?
    public private(set) var derived: [DerivedEvents] = []
    public private(set) var reactions: [AnyReaction] = []
    public private(set) var projections: [AnyProjection] = []
    public private(set) var queries: [Query] = []
    public private(set) var importers: [Importer] = []
    /// Nil where it shows nothing of itself.
    public private(set) var demonstration: Demonstration?
    /// What holds of it, whatever happens to its workers.
    public private(set) var invariants: [Invariant] = []
    public let commandsTopic: String
    public let eventsTopic: String
    public let outcomesTopic: String
    private let descriptor: Descriptor
    /// What its .proto file says, in base64.
    package let descriptorText: String

    public init(_ name: String, _ about: String, descriptor: String) {
        self.name = name
        self.about = about
        (commandsTopic, eventsTopic, outcomesTopic) = ("\(name).commands", "\(name).events", "\(name).outcomes")
        descriptorText = descriptor
        self.descriptor = Descriptor(base64: descriptor)
    }

    /// Commands and the events they make: three topics with the same key and partition count, all written by the handler
    /// but the commands.
    public func deciding<D: Decider>(
        _ type: D.Type, key: String, partitions: Int = 4, remembering retention: Duration = .seconds(7 * 86_400)
    ) -> Domain {
        var domain = self
        let decider = AnyDecider(type, descriptor: descriptor)
        domain.decider = decider
        domain.topics += [
            Topic(
                commandsTopic, partitions: partitions, retention: retention, clock: .log, key: key,
                schema: decider.commands.name,
                owner: "producers"),
            Topic(
                eventsTopic, partitions: partitions, key: key, schema: decider.events.name, owner: "\(name).handler"),
            Topic(
                outcomesTopic, partitions: partitions, retention: retention, clock: .log, key: key,
                schema: "millrace.handling.Outcome",
                owner: "\(name).handler"),
        ]
        return domain
    }

    /// Facts that anyone may append once they are checked.
    public func observing<T: Telemetry>(
        _ type: T.Type, topic: String? = nil, key: String, partitions: Int = 8, retention: Duration? = nil
    ) -> Domain {
        var domain = self
        let topic = topic ?? eventsTopic
        let telemetry = AnyTelemetry(type, topic: topic, descriptor: descriptor)
        domain.telemetry = telemetry
        domain.topics.append(
            Topic(
                topic, partitions: partitions, retention: retention, key: key, schema: telemetry.events.name,
                owner: "producers"))
        return domain
    }

    /// Events that only this domain's reactions write.
    ///
    /// - Parameters:
    ///   - name: The topic's name in its domain: `home` is `social.home`.
    ///   - owner: The reaction that writes it, in its domain.
    public func deriving<E: Envelope>(
        _ type: E.Type, topic name: String, key: String, partitions: Int = 4, owner: String
    ) -> Domain {
        var domain = self
        let topic = "\(self.name).\(name)"
        let events = Schema(E.self, descriptor)
        domain.derived.append(DerivedEvents(topic: topic, events: events))
        domain.topics.append(
            Topic(topic, partitions: partitions, key: key, schema: events.name, owner: "\(self.name).\(owner)"))
        return domain
    }

    public func reacting<R: Reaction>(_ type: R.Type) -> Domain {
        var domain = self
        domain.reactions.append(AnyReaction(type, domain: name))
        return domain
    }

    public func reacting(remembering reaction: some StatefulReaction) -> Domain {
        var domain = self
        domain.reactions.append(AnyReaction(remembering: reaction, domain: name))
        return domain
    }

    public func projecting<P: Projection>(_ type: P.Type) -> Domain {
        var domain = self
        domain.projections.append(AnyProjection(type, domain: name))
        return domain
    }

    public func answering(_ queries: Query...) -> Domain {
        var domain = self
        domain.queries += queries
        return domain
    }

    /// Whose files it reads: `millrace import NAME FILE`.
    public func importing(_ importers: Importer...) -> Domain {
        var domain = self
        domain.importers += importers
        return domain
    }

    /// What it shows of itself: `millrace demo`. Simulations and fault campaigns take their load from it.
    public func demonstrating(_ demonstration: Demonstration) -> Domain {
        var domain = self
        domain.demonstration = demonstration
        return domain
    }

    /// What holds of the domain whatever happens to its workers: for simulations, tests and operators.
    public func keeping(_ invariants: Invariant...) -> Domain {
        var domain = self
        domain.invariants += invariants
        return domain
    }

    /// The schema of the events in a topic of this domain.
    public func schema(of topic: String) -> Schema? {
        if topic == telemetry?.topic { return telemetry?.events }
        if topic == eventsTopic { return decider?.events }
        if topic == commandsTopic { return decider?.commands }
        return derived.first { $0.topic == topic }?.events
    }
}
