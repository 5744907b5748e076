/// How one domain answers commands: pure, with no I/O, clock or randomness.
///
/// A domain's file reads in this order: command, event, state, refusal, decide, evolve. The record's timestamp is the only
/// clock that comes in, and identifiers come with the command, so the same log always gives the same decisions.
///
/// Who likes what has people as the state of a thing, and refuses who likes it already:
///
/// ```swift
/// static func decide(
///     _ command: Command.Kind, id: String, on people: Set<String>, at now: Timestamp
/// ) throws(Rejection) -> [Event.Kind] {
///     switch command {
///     case .likeThing(let c):
///         if people.contains(c.person) { throw .likedAlready(thing: c.thing) }
///         return [.thingLiked(.with { ($0.thing, $0.person) = (c.thing, c.person) })]
///     }
/// }
/// ```
///
/// ```swift
/// static func evolve(_ people: inout Set<String>, with event: Event.Kind, at time: Timestamp) {
///     switch event {
///     case .thingLiked(let e): people.insert(e.person)
///     }
/// }
/// ```
public protocol Decider: Sendable {
    /// The envelope of its commands: a `oneof` of all of them.
    associatedtype Command: Envelope
    /// The envelope of its events: a `oneof` of all of them.
    associatedtype Event: Envelope
    /// What is known of one aggregate: all events of one key, folded. Checkpoints keep it as JSON.
    associatedtype State: Codable & Sendable
    /// Why it refuses: typed, with a word for programs and a sentence for people.
    associatedtype Rejection: Refusal

    /// The state of an aggregate that has no events.
    static var initial: State { get }
    /// Raised where the same events would give other states, or states of another shape: checkpoints of another version
    /// are not read, and the events are folded again. 1 unless told.
    static var stateVersion: Int { get }
    /// Raised where a command, or a fact, is answered otherwise than before on the same state: what was decided by other
    /// rules is not decided again to see whether it is right. 0 unless told.
    static var rules: Int { get }

    /// The aggregate that a command addresses, and an event belongs to: the key of its record.
    static func key(of command: Command.Kind) -> String
    /// The aggregate that an event belongs to; of an event that a command made, the command's.
    static func key(of event: Event.Kind) -> String

    /// Refuses what no state could make acceptable. It runs before anything is written to the log.
    static func check(_ command: Command.Kind) throws(Malformed)
    /// The same of an event that comes as a fact.
    static func check(_ event: Event.Kind) throws(Malformed)

    /// The events that a command makes, none where it was done before.
    ///
    /// - Parameters:
    ///   - command: One that `check` has let pass.
    ///   - id: The command's id, for what is named by it: a hold, an order.
    ///   - state: What is known of its aggregate.
    ///   - now: When the command counts: its own time, or when the log took it.
    static func decide(
        _ command: Command.Kind, id: String, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind]
    /// Whether a fact recorded elsewhere is a legal next event.
    static func admit(_ event: Event.Kind, on state: State, at now: Timestamp) throws(Rejection)
    /// What the state is after an event. It takes every event that was ever accepted, also those of older rules.
    static func evolve(_ state: inout State, with event: Event.Kind, at time: Timestamp)
    /// The names in the state that are equal to one by Unicode (canonically), as they are spelled there: a command may go on
    /// with them, though they would not be taken as new ones (``Check/spelling(_:_:)``). Those of the key are left out. It is
    /// asked of names that are not ASCII. None unless told.
    static func spellings(of name: String, in state: State) -> [String]

    /// When time alone will next make a command necessary.
    static func nextDue(_ state: State) -> Timestamp?
    /// The commands due by a moment. Their ids are functions of the state, so that each is decided once.
    static func due(_ state: State, by now: Timestamp) -> [DueCommand<Command.Kind>]
}

extension Decider {
    /// 1, where a domain does not say otherwise.
    public static var stateVersion: Int { 1 }
    /// 0, where a domain does not say otherwise.
    public static var rules: Int { 0 }
    /// None: for a state that has no names of people's choice.
    public static func spellings(of name: String, in state: State) -> [String] { [] }
    /// Never: for a state in which time alone changes nothing.
    public static func nextDue(_ state: State) -> Timestamp? { nil }
    /// None: for a state in which time alone changes nothing.
    public static func due(_ state: State, by now: Timestamp) -> [DueCommand<Command.Kind>] { [] }
}

/// A command that became due at a moment.
public struct DueCommand<Command: Sendable>: Sendable {
    /// When it became due. It is decided at this time, however late it is sent.
    public var due: Timestamp
    /// The command's id: a function of the state, so that the same timer asks once.
    public var id: String
    /// The command itself.
    public var command: Command
    /// A command of that id, due at that moment.
    public init(_ command: Command, id: String, due: Timestamp) {
        self.due = due
        self.id = id
        self.command = command
    }
}

/// How facts that need no decision are checked on their way into the log.
public protocol Telemetry: Sendable {
    /// The envelope of its events: a `oneof` of all of them.
    associatedtype Event: Envelope
    /// The key of an event's record: events of one key keep their order.
    static func key(of event: Event.Kind) -> String
    /// Refuses an event that is not as it must be, before it is written.
    static func check(_ event: Event.Kind) throws(Malformed)
}

/// How far ahead of the writer's clock an event's time may lie before it is refused.
public let maximumClockSkew: Duration = .seconds(60)

/// Where and when an event stands on the log.
public struct EventPosition: Hashable, Sendable {
    /// The topic that the event is in: `tickets.events`.
    public var topic: String
    /// The topic's partition that the event is in.
    public var partition: Partition
    /// The event's offset in the partition.
    public var offset: Offset
    /// The record's timestamp: when it happened, as its writer says, or for an outcome when it was decided.
    public var timestamp: Timestamp
    /// A position whose parts are known.
    public init(topic: String, partition: Partition, offset: Offset, timestamp: Timestamp) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
    }

    /// As people write it: TOPIC/PARTITION@OFFSET.
    public var words: String { "\(topic)/\(partition)@\(offset)" }

    /// The position of a record that was read from a partition.
    public init(of record: Record, in source: TopicPartition) {
        self.init(
            topic: source.topic, partition: source.partition, offset: record.offset, timestamp: record.timestamp)
    }
}
