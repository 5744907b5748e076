/// An event ready for the log.
public struct EncodedEvent: Hashable, Sendable {
    /// The event's name in its schema: `SeatHeld`.
    public var type: String
    /// The key of its record: the aggregate that it belongs to, in UTF-8.
    public var key: Bytes
    /// Its envelope as protobuf.
    public var value: Bytes
    /// An event whose bytes are known.
    public init(type: String, key: Bytes, value: Bytes) {
        self.type = type
        self.key = key
        self.value = value
    }
}

/// What a decider answered.
public enum Decision: Hashable, Sendable {
    case accepted([EncodedEvent])
    case refused(Refused)
}

/// The aggregates of one partition, folded from its events: what a handler decides on.
///
/// It is no truth of its own: after a failed commit it is thrown away and folded again. One task owns it.
public protocol Aggregates: AnyObject {
    /// Folds an event that is on the log.
    func evolve(key: Bytes, event: Bytes, at time: Timestamp) throws(Undecodable)
    /// Decides a command, and folds what it decided.
    func decide(key: Bytes, command: Bytes, id: String, at time: Timestamp) -> Decision
    /// Admits a fact recorded elsewhere, and folds it.
    func admit(key: Bytes, fact: Bytes, at time: Timestamp) -> Decision
    /// When the next timer is due.
    var nextDue: Timestamp? { get }
    /// The aggregates with timers due by then; each is given once until it changes.
    func pop(by now: Timestamp) -> [Bytes]
    /// The commands of some aggregates that are due by then.
    func due(_ keys: [Bytes], by now: Timestamp) -> [EncodedCommand]
    /// What is known, for a checkpoint to keep.
    var states: any StateCache { get }
}

extension Aggregates {
    /// How many aggregates are in memory.
    public var count: Int { states.count }
    /// The commands due by then; each is given once until its aggregate changes.
    public func due(by now: Timestamp) -> [EncodedCommand] { due(pop(by: now), by: now) }
}

/// A command ready for the log.
public struct EncodedCommand: Hashable, Sendable {
    /// The command's name in its schema: `HoldSeats`.
    public var type: String
    /// The key of its record: the aggregate that it addresses, in UTF-8.
    public var key: Bytes
    /// Its envelope as protobuf.
    public var value: Bytes
    /// The command's id. The same id again, for the same key, does nothing and gives the same outcome.
    public var id: String
    /// The command's own time: for a timer, when it was due. Nil is the moment that the log takes it.
    public var time: Timestamp?
    /// The trace that it belongs to.
    package var trace: TraceContext?
    /// A command whose bytes are known.
    public init(type: String, key: Bytes, value: Bytes, id: String, time: Timestamp? = nil) {
        self.type = type
        self.key = key
        self.value = value
        self.id = id
        self.time = time
    }

    /// The command on its way to the log.
    ///
    /// - Parameters:
    ///   - asFact: Whether the value is an event to be admitted, not a command.
    ///   - now: The writer's clock, which a commands topic puts its own in place of.
    public func record(asFact: Bool = false, now: Timestamp) -> NewRecord {
        var headers = [Header(HeaderName.id, Bytes(id)), Header(HeaderName.type, Bytes(type))]
        if asFact { headers.append(Header(HeaderName.kind, "fact")) }
        if let time { headers.append(Header(HeaderName.time, Bytes(String(time.rawValue)))) }
        if let trace { headers.append(trace.header) }
        return NewRecord(key: key, value: value, timestamp: now, headers: headers)
    }
}

/// A decider without its types.
public struct AnyDecider: Sendable {
    /// The kinds of its commands, which its handler reads.
    public let commands: Schema
    /// The kinds of its events, which its handler writes.
    public let events: Schema
    /// Checks a command's bytes and gives the key of its aggregate.
    public let keyOfCommand: @Sendable (Bytes) throws -> Bytes
    /// Checks an event's bytes and gives the key of its aggregate.
    public let keyOfEvent: @Sendable (Bytes) throws -> Bytes
    /// Begins a partition without any aggregate.
    public let aggregates: @Sendable () -> any Aggregates
    /// Raised where checkpoints hold states of another shape or meaning.
    public let stateVersion: Int
    /// By which rules commands are answered: the domain's own (``Decider/rules``, below ``ownRulesLimit``), and the number of
    /// ``commonRules`` times that limit.
    public let rules: Int
    /// The rules of all domains, in the order in which they came: each has those before it.
    public enum CommonRules: Int, Sendable, CaseIterable {
        case none
        /// A handler decides only what belongs into its partition.
        case partitions
        /// Names that come new are in NFC, and have nothing that is not seen.
        case spelling
    }
    /// The newest rules of all domains: those that this program decides by.
    public static let commonRules = CommonRules.spelling
    /// A domain's own ``Decider/rules`` are below this.
    public static let ownRulesLimit = 64

    /// Takes a decider's functions, and the schemas of its messages from a descriptor.
    public init<D: Decider>(_ type: D.Type, descriptor: Descriptor) {
        let commands = Schema(D.Command.self, descriptor)
        let events = Schema(D.Event.self, descriptor)
        self.commands = commands
        self.events = events
        precondition((0..<Self.ownRulesLimit).contains(D.rules), "\(D.self).rules is not below \(Self.ownRulesLimit)")
        (stateVersion, rules) = (D.stateVersion, D.rules + Self.commonRules.rawValue * Self.ownRulesLimit)
        keyOfCommand = { bytes in
            guard let command = try D.Command.kind(in: bytes) else { throw Malformed("command", "is of no known kind") }
            try D.check(command)
            return Bytes(D.key(of: command))
        }
        keyOfEvent = { bytes in
            guard let event = try D.Event.kind(in: bytes) else { throw Malformed("event", "is of no known kind") }
            try D.check(event)
            return Bytes(D.key(of: event))
        }
        aggregates = { Folded<D>(commands: commands, events: events) }
    }

    /// By which rules of all domains an outcome was decided, where this program knows them and the domain's own were today's.
    public func commonRules(of rules: Int) -> CommonRules? {
        rules % Self.ownRulesLimit == self.rules % Self.ownRulesLimit
            ? CommonRules(rawValue: rules / Self.ownRulesLimit) : nil
    }

    /// The command that JSON describes, on its way to the log.
    ///
    /// - Throws: ``Malformed``, also where there is no command of that name.
    public func command(_ name: String, json: Bytes, id: String) throws -> EncodedCommand {
        guard let kind = commands.kind(named: name) else { throw Malformed("command", "\(name) is not known") }
        let value = try commands.encode(kind, json: json)
        return EncodedCommand(type: name, key: try keyOfCommand(value), value: value, id: id)
    }
}

private final class Folded<D: Decider>: Aggregates {
    private let commands: Schema
    private let events: Schema
    private let known = States<D.State>(nextDue: D.nextDue)

    init(commands: Schema, events: Schema) {
        self.commands = commands
        self.events = events
    }

    var states: any StateCache { known }

    func evolve(key: Bytes, event: Bytes, at time: Timestamp) throws(Undecodable) {
        guard let kind = try D.Event.kind(in: event) else { return }
        evolve(key, [kind], at: time)
    }

    private func evolve(_ key: Bytes, _ kinds: [D.Event.Kind], at time: Timestamp) {
        if kinds.isEmpty { return }
        known.change(key) { held in
            // Taken out while it changes, so that it is changed in place.
            var state = held ?? D.initial
            held = nil
            for kind in kinds { D.evolve(&state, with: kind, at: time) }
            held = state
        }
    }

    func decide(key: Bytes, command: Bytes, id: String, at time: Timestamp) -> Decision {
        answer(key, at: time) {
            guard let kind = try D.Command.kind(in: command) else {
                throw Malformed("command", "is of no kind that this version of the handler knows")
            }
            try D.check(kind)
            try matches(key, D.key(of: kind))
            return try D.decide(kind, id: id, on: known[key] ?? D.initial, at: time)
        }
    }

    func admit(key: Bytes, fact: Bytes, at time: Timestamp) -> Decision {
        // The fact goes to the log as it came, with what only a newer program knows of it.
        answer(key, at: time, as: fact) {
            guard let kind = try D.Event.kind(in: fact) else {
                throw Malformed("event", "is of no kind that this version of the handler knows")
            }
            try D.check(kind)
            try matches(key, D.key(of: kind))
            try D.admit(kind, on: known[key] ?? D.initial, at: time)
            return [kind]
        }
    }

    private func matches(_ key: Bytes, _ expected: String) throws {
        if key != Bytes(expected) { throw Malformed("key", "is \(key.text), the message belongs to \(expected)") }
    }

    /// Lets a message use names that the aggregate has already, however they are spelled.
    private func knowing<R>(_ key: Bytes, _ body: () throws -> R) rethrows -> R {
        guard let state = known[key] else { return try body() }
        let spellings: @Sendable (String) -> [String] = { name in
            D.spellings(of: name, in: state) + (key.names(name) ? [name] : [])
        }
        return try Check.$spellings.withValue(spellings, operation: body)
    }

    private func answer(
        _ key: Bytes, at time: Timestamp, as fact: Bytes? = nil, _ decide: () throws -> [D.Event.Kind]
    ) -> Decision {
        do {
            if !Timestamp.calendar.contains(time) { throw Malformed("timestamp", "is not in the years 1 to 9998") }
            let kinds = try knowing(key, decide)
            evolve(key, kinds, at: time)
            return .accepted(
                kinds.map { kind in
                    let value = fact ?? D.Event.bytes(kind)
                    return EncodedEvent(type: events.kindName(in: value), key: key, value: value)
                })
        } catch let no as any Refusal {
            return .refused(Refused(no))
        } catch {
            return .refused(Refused(reason: "malformed", message: String(describing: error)))
        }
    }

    var nextDue: Timestamp? { known.timers.next }

    func pop(by now: Timestamp) -> [Bytes] { known.pop(by: now) }

    func due(_ keys: [Bytes], by now: Timestamp) -> [EncodedCommand] {
        keys.flatMap { key in
            guard let state = known[key] else { return [EncodedCommand]() }
            return D.due(state, by: now).map { timer in
                let value = D.Command.bytes(timer.command)
                return EncodedCommand(
                    type: commands.kindName(in: value), key: key, value: value, id: timer.id, time: timer.due)
            }
        }
    }
}

extension Bytes {
    /// Whether a name is one of those that a key is made of, between the marks that no identifier may have.
    fileprivate func names(_ name: String) -> Bool {
        slice.split(whereSeparator: { $0 == 0x3a || $0 == 0x23 }).contains { $0.elementsEqual(name.utf8) }
    }
}
