/// Facts without a decision, without their types.
public struct AnyTelemetry: Sendable {
    /// The topic that its events go to.
    public let topic: String
    /// The kinds of its events.
    public let events: Schema
    /// Checks an event's bytes and gives its key.
    public let keyOfEvent: @Sendable (Bytes) throws -> Bytes

    /// Takes a domain's telemetry, and the schema of its events from a descriptor.
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
    /// The topic that only reactions write.
    public let topic: String
    /// The kinds of its events.
    public let events: Schema
}

/// One world on the bus: everything else (topics, commands, help, workers, queries) follows from this value.
///
/// It is made by saying what it has:
///
/// ```swift
/// public static let likes = Domain("likes", "Likes of things.", descriptor: likesDescriptor)
///     .deciding(Likes.self, key: "thing")
///     .projecting(LikesCounts.self)
/// ```
public struct Domain: Sendable {
    /// The domain's name: `tickets`. Its topics, projections and queries begin with it.
    public let name: String
    /// One sentence, for people.
    public let about: String
    /// What it needs of a log, in the order in which it was declared.
    public private(set) var topics: [Topic] = []
    /// What decides its commands; nil where nothing is decided.
    public private(set) var decider: AnyDecider?
    /// What checks the facts that are taken without a decision, a topic each, in the order in which they were declared.
    public private(set) var telemetry: [AnyTelemetry] = []
    /// Topics whose events only reactions write.
    public private(set) var derived: [DerivedEvents] = []
    /// What follows from its events.
    public private(set) var reactions: [AnyReaction] = []
    /// What its views are folded by.
    public private(set) var projections: [AnyProjection] = []
    /// What its views are asked.
    public private(set) var queries: [Query] = []
    /// Whose files it reads.
    public private(set) var importers: [Importer] = []
    /// Nil where it shows nothing of itself.
    public private(set) var demonstration: Demonstration?
    /// What holds of it, whatever happens to its workers.
    public private(set) var invariants: [Invariant] = []
    /// Its own paths on the gateway, in the order in which they were declared.
    public private(set) var routes: [Route] = []
    /// By the name of a command or an event, the name of the field that says who acts.
    private var actors: [String: String] = [:]
    /// Names of commands that are for reviewers alone.
    private var reviews: Set<String> = []
    /// What people look at in a browser; nil where it has no page of its own, and is shown by what it has.
    public private(set) var page: DomainPage?
    /// How people sign in; nil where it has no accounts.
    public private(set) var signIn: SignInRules?
    /// `NAME.commands`.
    public let commandsTopic: String
    /// `NAME.events`.
    public let eventsTopic: String
    /// `NAME.outcomes`.
    public let outcomesTopic: String
    private let descriptor: Descriptor
    /// What its .proto file says, in base64.
    package let descriptorText: String

    /// A domain that has nothing yet: the methods add what it has.
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

    /// Facts that anyone may append once they are checked. A domain may take several, each on a topic of its own: a topic that it
    /// has already ends the program, as in a debug build does a kind of events that it has.
    public func observing<T: Telemetry>(
        _ type: T.Type, topic: String? = nil, key: String, partitions: Int = 8, retention: Duration? = nil
    ) -> Domain {
        var domain = self
        let topic = topic ?? eventsTopic
        let telemetry = AnyTelemetry(type, topic: topic, descriptor: descriptor)
        precondition(!topics.contains { $0.name == topic }, "\(name) has a topic \(topic) already")
        assert(
            Set(eventSchemas.flatMap(\.kinds).map(\.name)).isDisjoint(with: telemetry.events.kinds.map(\.name)),
            "\(name) has an event of \(topic) already")
        domain.telemetry.append(telemetry)
        domain.topics.append(
            Topic(
                topic, partitions: partitions, retention: retention, key: key, schema: telemetry.events.name,
                owner: "producers"))
        return domain
    }

    /// Events that only this domain's reactions write.
    ///
    /// - Parameters:
    ///   - type: The envelope of the events.
    ///   - name: The topic's name in its domain: `home` is `social.home`.
    ///   - key: What its records' keys are, for people.
    ///   - partitions: How many it has: as many as what it is derived from, where a reaction reads both together.
    ///   - cleanup: Compact, where only the newest record of each key counts.
    ///   - owner: The reaction that writes it, in its domain.
    public func deriving<E: Envelope>(
        _ type: E.Type, topic name: String, key: String, partitions: Int = 4, cleanup: Topic.Cleanup = .delete,
        owner: String
    ) -> Domain {
        var domain = self
        let topic = "\(self.name).\(name)"
        let events = Schema(E.self, descriptor)
        domain.derived.append(DerivedEvents(topic: topic, events: events))
        domain.topics.append(
            Topic(
                topic, partitions: partitions, cleanup: cleanup, key: key, schema: events.name,
                owner: "\(self.name).\(owner)"))
        return domain
    }

    /// Adds a reaction: what events of one topic make necessary elsewhere.
    public func reacting<R: Reaction>(_ type: R.Type) -> Domain {
        var domain = self
        domain.reactions.append(AnyReaction(type, domain: name))
        return domain
    }

    /// Adds a reaction that remembers what it has read.
    public func reacting(remembering reaction: some StatefulReaction) -> Domain {
        var domain = self
        domain.reactions.append(AnyReaction(remembering: reaction, domain: name))
        return domain
    }

    /// Adds a projection, which a worker folds into the rows of a view.
    public func projecting<P: Projection>(_ type: P.Type) -> Domain {
        var domain = self
        domain.projections.append(AnyProjection(type, domain: name))
        return domain
    }

    /// Adds queries of its projections' views.
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

    /// Which field of some commands and events names who acts: the customer of an order, the author of a tweet.
    ///
    /// Where tokens say who asks, as over HTTP, nobody acts as somebody else: a field that is left out becomes the token's
    /// subject, and another is refused. A field that names who is acted on, as a courier who is given an order, is none.
    ///
    /// It comes behind what it speaks of:
    ///
    /// ```swift
    /// .deciding(Likes.self, key: "thing").naming(actor: "person", of: "LikeThing", "ThingLiked")
    /// ```
    ///
    /// - Parameters:
    ///   - field: As JSON has it: `holder`. It must be a text of each of them; anything else ends a debug build at once, and others when it is asked
    ///   for.
    ///   - kinds: Names of commands, and of events that people may write.
    public func naming(actor field: String, of kinds: String...) -> Domain {
        var domain = self
        for name in kinds {
            domain.actors[name] = field
            assert(
                ([decider?.commands].compactMap { $0 } + eventSchemas).compactMap { $0.kind(named: name) }
                    .filter { domain.actor(of: $0) != nil }.isEmpty == false,
                "\(self.name) has no command or event \(name) yet, whose actor is \(field)")
        }
        return domain
    }

    /// The field of a command or an event that names who acts; nil where none does. One that was declared and is no text of the kind
    /// ends the program.
    public func actor(of kind: Schema.Kind) -> Schema.Field? {
        guard let field = actors[kind.name] else { return nil }
        guard let own = kind.fields.first(where: { $0.name == field }), own.type == "string", !own.repeated else {
            preconditionFailure("\(name).\(kind.name) has no text \(field), which was to name who acts")
        }
        return own
    }

    /// Which commands judge others: to say who acts is not enough for them. Over HTTP whoever sends one needs the scope `review` for it, which
    /// nobody has who signs in with a password.
    ///
    /// It comes behind what it speaks of; a command that the domain has not ends a debug build.
    ///
    /// - Parameter commands: Names of commands.
    public func reviewing(by commands: String...) -> Domain {
        var domain = self
        for name in commands {
            assert(decider?.commands.kind(named: name) != nil, "\(self.name) has no command \(name) yet")
            domain.reviews.insert(name)
        }
        return domain
    }

    /// Whether a command is for reviewers alone.
    ///
    /// - Parameter command: Its name, without the domain's.
    public func isForReviewers(_ command: String) -> Bool { reviews.contains(command) }

    /// Of its facts: those of its decider and those that people write.
    private var eventSchemas: [Schema] { [decider?.events].compactMap { $0 } + telemetry.map(\.events) }

    /// How people sign in. It comes behind what it speaks of; a command that the domain has not, or without an actor, ends a debug
    /// build.
    public func signingIn(_ signIn: SignInRules) -> Domain {
        for name in [signIn.registering, signIn.changingPassword, signIn.opening] {
            assert(
                decider?.commands.kind(named: name).flatMap { actor(of: $0) } != nil,
                "\(self.name) has no command \(name) yet that names who acts, to sign in by")
        }
        var domain = self
        domain.signIn = signIn
        return domain
    }

    /// The page on which people see in a browser what it is about.
    public func showing(_ page: DomainPage) -> Domain {
        var domain = self
        domain.page = page
        return domain
    }

    /// Adds paths of its own to the gateway.
    ///
    /// A gateway whose domains have paths that hide one another, or one of the gateway's own, does not start.
    public func routing(_ routes: [Route]) -> Domain {
        var domain = self
        domain.routes += routes
        return domain
    }

    /// The schema of the events in a topic of this domain.
    public func schema(of topic: String) -> Schema? {
        if let observed = telemetry.first(where: { $0.topic == topic }) { return observed.events }
        if topic == eventsTopic { return decider?.events }
        if topic == commandsTopic { return decider?.commands }
        return derived.first { $0.topic == topic }?.events
    }
}
