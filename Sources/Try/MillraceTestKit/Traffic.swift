public import EventModel

/// What people ask of one domain while it is simulated: the same for the same seed.
///
/// The smaller the space of its keys, the more often asks get in each other's way, which is what finds mistakes.
public struct Traffic: Sendable {
    let domain: Domain
    let make: @Sendable (_ n: Int, _ random: inout SeededRandom) -> Ask

    /// Its domain's name.
    public var name: String { domain.name }

    /// - Parameter make: The ask of that number, from 0. It must depend on nothing but the number and what it draws.
    public init(_ domain: Domain, _ make: @escaping @Sendable (_ n: Int, _ random: inout SeededRandom) -> Ask) {
        self.domain = domain
        self.make = make
    }
}

extension Traffic: CustomStringConvertible {
    public var description: String { "traffic of \(name)" }
}

/// One command, or one fact of a domain that decides nothing.
public struct Ask: Sendable, Hashable {
    /// The command's or event's name: `HoldSeats`.
    public var kind: String
    /// Its fields as JSON.
    public var json: String
    /// The command's id; nil for one of its own.
    public var id: String?
    /// How long before it reaches the log a fact was observed.
    public var age: Duration

    public init(_ kind: String, _ json: String, id: String? = nil, age: Duration = .zero) {
        self.kind = kind
        self.json = json
        self.id = id
        self.age = age
    }
}

extension Traffic {
    /// Which of its seed's asks that is, in words.
    func ask(_ n: Int, seed: UInt64) -> Ask {
        var random = SeededRandom(seed, UInt64(n) &+ 0x5eed)
        return make(n, &random)
    }

    /// An ask on its way to the log.
    ///
    /// - Throws: ``Malformed`` where the domain has no such kind, or would not take it.
    func record(_ ask: Ask, _ n: Int, now: Timestamp) throws -> (topic: String, record: NewRecord) {
        if let decider = domain.decider, let kind = decider.commands.kind(named: ask.kind) {
            let value = try decider.commands.encode(kind, json: Bytes(ask.json))
            let command = EncodedCommand(
                type: ask.kind, key: try decider.keyOfCommand(value), value: value, id: ask.id ?? "c\(n)")
            return (domain.commandsTopic, command.record(now: now))
        }
        if let telemetry = domain.telemetry, let kind = telemetry.events.kind(named: ask.kind) {
            let value = try telemetry.events.encode(kind, json: Bytes(ask.json))
            let headers = [Header(HeaderName.type, Bytes(ask.kind))]
            return (
                telemetry.topic,
                NewRecord(
                    key: try telemetry.keyOfEvent(value), value: value, timestamp: now - ask.age, headers: headers)
            )
        }
        throw Malformed("kind", "\(ask.kind) is neither a command nor an event that \(domain.name) takes")
    }
}
