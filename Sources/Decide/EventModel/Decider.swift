/// How one domain answers commands: pure, with no I/O, clock or randomness.
///
/// A domain's file reads in this order: command, event, state, refusal, decide, evolve. The record's timestamp is the only
/// clock that comes in, and identifiers come with the command, so the same log always gives the same decisions.
public protocol Decider: Sendable {
    associatedtype Command: Envelope
    associatedtype Event: Envelope
    /// What is known of one aggregate: all events of one key, folded. Checkpoints keep it as JSON.
    associatedtype State: Codable & Sendable
    associatedtype Rejection: Refusal

    static var initial: State { get }
    /// Raised where the same events would give other states, or states of another shape: checkpoints of another version
    /// are not read, and the events are folded again. 1 unless told.
    static var stateVersion: Int { get }
    /// Raised where a command, or a fact, is answered otherwise than before on the same state: what was decided by other
    /// rules is not decided again to see whether it is right. 0 unless told.
    static var rules: Int { get }

    /// The aggregate that a command addresses, and an event belongs to: the key of its record.
    static func key(of command: Command.Kind) -> String
    static func key(of event: Event.Kind) -> String

    /// Refuses what no state could make acceptable. It runs before anything is written to the log.
    static func check(_ command: Command.Kind) throws(Malformed)
    static func check(_ event: Event.Kind) throws(Malformed)

    /// The events that a command makes, none where it was done before.
    static func decide(
        _ command: Command.Kind, id: String, on state: State, at now: Timestamp
    ) throws(Rejection) -> [Event.Kind]
    /// Whether a fact recorded elsewhere is a legal next event.
    static func admit(_ event: Event.Kind, on state: State, at now: Timestamp) throws(Rejection)
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
    public static var stateVersion: Int { 1 }
    public static var rules: Int { 0 }
    public static func spellings(of name: String, in state: State) -> [String] { [] }
    public static func nextDue(_ state: State) -> Timestamp? { nil }
    public static func due(_ state: State, by now: Timestamp) -> [DueCommand<Command.Kind>] { [] }
}

/// A command that became due at a moment.
public struct DueCommand<Command: Sendable>: Sendable {
    public var due: Timestamp
    public var id: String
    public var command: Command
    public init(_ command: Command, id: String, due: Timestamp) {
        self.due = due
        self.id = id
        self.command = command
    }
}

/// How facts that need no decision are checked on their way into the log.
public protocol Telemetry: Sendable {
    associatedtype Event: Envelope
    static func key(of event: Event.Kind) -> String
    static func check(_ event: Event.Kind) throws(Malformed)
}

/// How far ahead of the writer's clock an event's time may lie before it is refused.
public let maximumClockSkew: Duration = .seconds(60)

/// Where and when an event stands on the log.
public struct EventPosition: Hashable, Sendable {
    public var topic: String
    public var partition: Partition
    public var offset: Offset
    public var timestamp: Timestamp
    public init(topic: String, partition: Partition, offset: Offset, timestamp: Timestamp) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
    }

    /// As people write it: TOPIC/PARTITION@OFFSET.
    public var words: String { "\(topic)/\(partition)@\(offset)" }

    public init(of record: Record, in source: TopicPartition) {
        self.init(
            topic: source.topic, partition: source.partition, offset: record.offset, timestamp: record.timestamp)
    }
}
