public import EventModel
internal import SwiftProtobuf

/// What a handler answered to one command.
public struct Outcome: Hashable, Sendable {
    /// An event that the command wrote, and where it stands.
    public struct Written: Hashable, Sendable {
        public var place: TopicPartition
        public var offset: Offset
        public var type: String
        public init(place: TopicPartition, offset: Offset, type: String) {
            (self.place, self.offset, self.type) = (place, offset, type)
        }
    }
    public var id: String
    public var accepted: Bool
    /// Why it was refused; empty where it was accepted.
    public var reason: String
    public var message: String
    public var events: [Written]
    /// Tells another body under the same id from the same command sent again.
    var digest: UInt64
    /// The command that was answered first under this id.
    public var commandOffset: Offset
    /// The ``AnyDecider/rules`` by which it was decided.
    var rules: Int

    init(id: String, decision: Decision, digest: UInt64, commandOffset: Offset, rules: Int = 0) {
        self.id = id
        self.digest = digest
        self.commandOffset = commandOffset
        self.rules = rules
        events = []
        switch decision {
        case .accepted: (accepted, reason, message) = (true, "", "")
        case .refused(let no): (accepted, reason, message) = (false, no.reason, no.message)
        }
    }

    public init(_ bytes: Bytes) throws(Undecodable) {
        let wire: WireOutcome
        do {
            wire = try WireOutcome(serializedBytes: bytes)
        } catch {
            throw Undecodable(schema: WireOutcome.protoMessageName, why: String(describing: error))
        }
        id = wire.id
        accepted = wire.accepted
        reason = wire.reason
        message = wire.message
        events = wire.events.map { event in
            Written(
                place: TopicPartition(event.topic, Partition(rawValue: event.partition)), offset: Offset(event.offset),
                type: event.type)
        }
        digest = wire.digest
        commandOffset = Offset(wire.commandOffset)
        rules = Int(wire.rules)
    }

    func record(key: Bytes, at time: Timestamp) -> NewRecord {
        let wire = WireOutcome.with { wire in
            wire.id = id
            wire.accepted = accepted
            wire.reason = reason
            wire.message = message
            wire.events = events.map { event in
                .with {
                    $0.topic = event.place.topic
                    $0.partition = event.place.partition.rawValue
                    $0.offset = event.offset.rawValue
                    $0.type = event.type
                }
            }
            wire.digest = digest
            wire.commandOffset = commandOffset.rawValue
            wire.rules = UInt32(clamping: rules)
        }
        // Only a message over 2 GiB can make this fail; a command's own limits keep it far below.
        let value: Bytes = (try? wire.serializedBytes()) ?? Bytes()
        return NewRecord(
            key: key, value: value, timestamp: time,
            headers: [Header(HeaderName.id, Bytes(id)), Header(HeaderName.type, accepted ? "Accepted" : "Refused")])
    }
}

/// The hash of a command's kind and body.
func digest(of command: Bytes, isFact: Bool) -> UInt64 {
    var hash = FNV1a()
    hash.add(isFact ? 1 : 0)
    command.withUnsafeBytes { hash.add($0) }
    return hash.value
}

extension Record {
    /// Whether the value is an event to be admitted, not a command to be decided.
    var isFact: Bool { self[header: HeaderName.kind] == "fact" }
}
