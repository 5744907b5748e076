/// How events of one topic become commands or events of others: pure, with ids that follow from what it was given.
public protocol Reaction: Sendable {
    /// The envelope of the topic that it reads.
    associatedtype Event: Envelope
    /// In its domain: `open-sections`.
    static var name: String { get }
    /// The topic that it reads.
    static var topic: String { get }
    /// What an event makes necessary elsewhere; none for most.
    static func react(to event: Event.Kind, at place: EventPosition) -> [Emission]
}

/// A reaction that remembers: what it has read of a key shapes what it makes of that key's next event.
///
/// It may read several topics that are co-partitioned: the same key and the same partition count, so that all of a key
/// meets in one worker. The state is no truth of its own: when a partition changes hands it is taken from a checkpoint, and
/// what the group has consumed of each topic since is folded. Each topic is folded in its order, but how the topics
/// interleaved is not known then, so **what is evolved from one topic must not depend on how far another has been read**.
///
/// What it writes to a topic of its own is read back later, behind what was there before. Where the state must know of it at
/// once, its input says so (`ahead`): the change is made as it is written, and made again of what is written and not yet read
/// when the state is folded anew. So it must be the same however often it is made, and whenever among the topic's others.
public protocol StatefulReaction: Sendable {
    /// Checkpoints keep it as JSON.
    associatedtype State: Codable & Sendable
    /// In its domain: `fan-out`.
    var name: String { get }
    /// Raised where the same events would give other states, or states of another shape. 1 unless told.
    var stateVersion: Int { get }
    /// The state of a key that nothing has been read of.
    var initial: State { get }
    /// What it reads. The first topic leads: who is given a partition of it has that partition of the others.
    var inputs: [ReactionInput<State>] { get }
    /// Whether a state says no more than the initial one, and need not be kept.
    func isBlank(_ state: State) -> Bool
}

extension StatefulReaction {
    /// 1, where a reaction does not say otherwise.
    public var stateVersion: Int { 1 }
    /// Never: every state is kept.
    public func isBlank(_ state: State) -> Bool { false }
}

/// One topic that a stateful reaction reads.
public struct ReactionInput<State: Sendable>: Sendable {
    /// The topic that is read.
    public let topic: String
    fileprivate let react: @Sendable (Record, TopicPartition, State) throws -> [Emission]
    fileprivate let evolve: @Sendable (Record, TopicPartition, inout State) throws -> Bool
    fileprivate let ahead: (@Sendable (Bytes) throws -> Ahead<State>?)?

    /// - Parameters:
    ///   - topic: The topic that is read.
    ///   - type: The envelope of its records.
    ///   - react: What an event makes necessary, seen from the state before it.
    ///   - evolve: Folds the event; says whether it concerned the state at all.
    ///   - ahead: Of the events that this reaction itself writes to the topic, for the key that it reacts to: what they change
    ///     from the moment on that they are written. Nil where that waits until they are read.
    public init<E: Envelope>(
        _ topic: String, _ type: E.Type,
        react: @escaping @Sendable (E.Kind, State, EventPosition) -> [Emission],
        evolve: @escaping @Sendable (E.Kind, inout State, EventPosition) -> Bool,
        ahead: (@Sendable (E.Kind) -> Ahead<State>?)? = nil
    ) {
        self.topic = topic
        if let ahead {
            self.ahead = { bytes in
                guard let kind = try E.kind(in: bytes) else { return nil }
                return ahead(kind)
            }
        } else {
            self.ahead = nil
        }
        self.react = { record, source, state in
            guard let kind = try E.kind(in: record.value) else { return [] }
            return react(kind, state, EventPosition(of: record, in: source))
        }
        self.evolve = { record, source, state in
            guard let kind = try E.kind(in: record.value) else { return false }
            return evolve(kind, &state, EventPosition(of: record, in: source))
        }
    }
}

/// What an event changes before it is read back.
public typealias Ahead<State> = @Sendable (inout State) -> Void

/// What a reaction wants written: a command of another aggregate, or a derived event.
public struct Emission: Sendable {
    /// The most keys that one record of a fan-out is for.
    public static let keysPerRecord = 4000

    private enum Target: Sendable {
        case one(key: Bytes, value: Bytes)
        case many(keys: [String], value: @Sendable (_ keys: [String]) -> Bytes)
    }
    /// The topic that it is written to.
    public let topic: String
    /// The name of the command or event.
    public let type: String
    /// The command's id, nil for a derived event.
    public let commandID: String?
    /// Since when it holds; nil is the time of the event that it follows from.
    public let time: Timestamp?
    private let target: Target

    /// - Parameters:
    ///   - topic: The topic that it is written to: another aggregate's commands, or derived events.
    ///   - key: The key of its record.
    ///   - value: Its envelope as protobuf.
    ///   - type: The name of the command or event.
    ///   - commandID: The command's id; nil for a derived event.
    ///   - time: Told where it follows from several events, of which the one that came last is not the latest.
    public init(
        topic: String, key: Bytes, value: Bytes, type: String, commandID: String? = nil, at time: Timestamp? = nil
    ) {
        self.topic = topic
        self.type = type
        self.commandID = commandID
        self.time = time
        target = .one(key: key, value: value)
    }

    /// The value of a record for one key alone.
    fileprivate func value(for one: Bytes) -> Bytes? {
        guard case .one(let key, let value) = target, key == one else { return nil }
        return value
    }

    /// A derived event that is for many keys (fan-out). It is written once for each partition that has some of them,
    /// not once for each key; the records' own keys are empty.
    ///
    /// - Parameters:
    ///   - topic: The topic that it is written to.
    ///   - keys: Each once, and in an order that follows from the log alone.
    ///   - type: The name of the event.
    ///   - value: The event for some of the keys.
    public init(
        topic: String, to keys: [String], type: String, value: @escaping @Sendable (_ keys: [String]) -> Bytes
    ) {
        self.topic = topic
        self.type = type
        commandID = nil
        time = nil
        target = .many(keys: keys, value: value)
    }

    /// The records to write, each with its partition.
    public func records(among partitions: Int) -> [(partition: Partition, key: Bytes, value: Bytes)] {
        switch target {
        case .one(let key, let value): return [(Partitioner.partition(of: key, among: partitions), key, value)]
        case .many(let keys, let value):
            var groups = [[String]](repeating: [], count: partitions)
            for key in keys {
                groups[Int(Partitioner.partition(of: Bytes(key), among: partitions).rawValue)].append(key)
            }
            return groups.enumerated().flatMap { partition, group in
                stride(from: 0, to: group.count, by: Self.keysPerRecord).map { start in
                    let keys = Array(group[start..<min(start + Self.keysPerRecord, group.count)])
                    return (Partition(partition), Bytes(), value(keys))
                }
            }
        }
    }
}

/// A reaction without its types.
public struct AnyReaction: Sendable {
    /// With its domain: `tickets.open-sections`.
    public let name: String
    /// The first leads; the others are co-partitioned with it.
    public let topics: [String]
    /// Whether its past must be folded before it goes on.
    public let remembers: Bool
    /// Raised where checkpoints hold states of another shape or meaning.
    public let stateVersion: Int
    /// What it knows of the partitions of one number; of no use to another owner.
    public let memory: @Sendable () -> any ReactionMemory

    /// A reaction of a domain, under the domain's name and its own.
    public init<R: Reaction>(_ type: R.Type, domain: String) {
        name = "\(domain).\(R.name)"
        topics = [R.topic]
        remembers = false
        stateVersion = 1
        memory = { Forgetful<R>() }
    }

    /// A reaction that remembers, under the domain's name and its own.
    public init<R: StatefulReaction>(remembering reaction: R, domain: String) {
        name = "\(domain).\(reaction.name)"
        topics = reaction.inputs.map(\.topic)
        remembers = true
        stateVersion = reaction.stateVersion
        memory = { Remembering(reaction) }
    }
}

/// What a reaction knows, and what it makes of the next record. One task owns it.
///
/// Both throw ``Undecodable`` where the value is not of the topic's schema.
public protocol ReactionMemory: AnyObject {
    /// What follows from a record; it is folded too.
    func react(to record: Record, from source: TopicPartition) throws -> [Emission]
    /// Folds a record that was reacted to before.
    func evolve(with record: Record, from source: TopicPartition) throws
    /// The topics of which it must be told what was written and not yet read.
    var ahead: [String] { get }
    /// Whether a record that is not yet read changes its key's state already; if so, and the state is in memory, it does.
    func foresee(_ record: Record, in source: TopicPartition, isLoaded: Bool) throws -> Bool
    /// What is known, for a checkpoint to keep; nil where nothing is.
    var states: (any StateCache)? { get }
}

private final class Forgetful<R: Reaction>: ReactionMemory {
    func react(to record: Record, from source: TopicPartition) throws -> [Emission] {
        guard let kind = try R.Event.kind(in: record.value) else { return [] }
        return R.react(to: kind, at: EventPosition(of: record, in: source))
    }
    func evolve(with record: Record, from source: TopicPartition) {}
    var ahead: [String] { [] }
    func foresee(_ record: Record, in source: TopicPartition, isLoaded: Bool) -> Bool { false }
    var states: (any StateCache)? { nil }
}

private final class Remembering<R: StatefulReaction>: ReactionMemory {
    private let reaction: R
    private let inputs: [String: ReactionInput<R.State>]
    private let known = States<R.State>()
    let ahead: [String]

    var states: (any StateCache)? { known }

    init(_ reaction: R) {
        self.reaction = reaction
        inputs = Dictionary(uniqueKeysWithValues: reaction.inputs.map { ($0.topic, $0) })
        ahead = reaction.inputs.filter { $0.ahead != nil }.map(\.topic)
    }

    func react(to record: Record, from source: TopicPartition) throws -> [Emission] {
        guard let input = inputs[source.topic] else { return [] }
        let emissions = try input.react(record, source, known[record.key] ?? reaction.initial)
        try evolve(with: record, from: source)
        if !ahead.isEmpty {
            for emission in emissions where ahead.contains(emission.topic) {
                if let value = emission.value(for: record.key), let change = try inputs[emission.topic]?.ahead?(value) {
                    foresee(change, of: record.key)
                }
            }
        }
        return emissions
    }

    func foresee(_ record: Record, in source: TopicPartition, isLoaded: Bool) throws -> Bool {
        guard let change = try inputs[source.topic]?.ahead?(record.value) else { return false }
        if isLoaded { foresee(change, of: record.key) }
        return true
    }

    private func foresee(_ change: Ahead<R.State>, of key: Bytes) {
        known.change(key) { held in
            var state = held ?? reaction.initial
            held = nil
            change(&state)
            if !reaction.isBlank(state) { held = state }
        }
    }

    func evolve(with record: Record, from source: TopicPartition) throws {
        guard let input = inputs[source.topic] else { return }
        try known.change(record.key) { held in
            // Taken out while it changes, so that it is changed in place.
            let before = held != nil
            var state = held ?? reaction.initial
            held = nil
            let concerned = try input.evolve(record, source, &state)
            if before || concerned, !reaction.isBlank(state) { held = state }
        }
    }
}
