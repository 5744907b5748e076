public import SwiftProtobuf

/// One thing that is asked of a domain, as anybody outside asks it: a command, or a fact that needs no decision.
public struct LoadRequest: Sendable, Hashable {
    /// The command's or event's name: `HoldSeats`.
    public var kind: String
    /// Its fields as JSON.
    public var json: String
    /// The command's id; nil for one of its own.
    public var id: String?
    /// How long before it reaches the log a command was meant to be decided, or a fact was observed.
    public var age: Duration

    /// A request for a command or event of that name, with its fields as proto3 JSON.
    public init(_ kind: String, _ json: String, id: String? = nil, age: Duration = .zero) {
        self.kind = kind
        self.json = json
        self.id = id
        self.age = age
    }

    /// A command or fact as its generated type has it: the name is the message's.
    public init(_ message: some Message, id: String? = nil, age: Duration = .zero) {
        var options = JSONEncodingOptions()
        options.alwaysPrintInt64sAsNumbers = true
        options.useDeterministicOrdering = true
        // Only a time that no calendar has, or a number that is none, can make this fail.
        guard let json = try? message.jsonString(options: options) else {
            preconditionFailure("\(type(of: message)) cannot be written as JSON")
        }
        let name = type(of: message).protoMessageName
        self.init(
            String(name[(name.lastIndex(of: ".").map(name.index(after:)) ?? name.startIndex)...]), json, id: id,
            age: age)
    }

    /// The id that a simulation gives the command of that number where the request has none.
    public static func id(of number: Int) -> String { "c\(number)" }
}

/// A request, encoded and checked.
public enum EncodedRequest: Sendable, Hashable {
    case command(EncodedCommand)
    case fact(topic: String, record: NewRecord)
}

extension Domain {
    /// A request on its way to the log.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - id: Of a command that has none of its own.
    ///   - now: The writer's clock.
    /// - Throws: ``Malformed`` where the domain has no such kind, or would not take it.
    public func encode(_ request: LoadRequest, id: @autoclosure () -> String, now: Timestamp) throws -> EncodedRequest {
        if let decider, decider.commands.kind(named: request.kind) != nil {
            var command = try decider.command(request.kind, json: Bytes(request.json), id: request.id ?? id())
            if request.age != .zero { command.time = now - request.age }
            return .command(command)
        }
        for telemetry in telemetry {
            guard let kind = telemetry.events.kind(named: request.kind) else { continue }
            let value = try telemetry.events.encode(kind, json: Bytes(request.json))
            let record = NewRecord(key: try telemetry.keyOfEvent(value), value: value, timestamp: now - request.age)
            return .fact(topic: telemetry.topic, record: record)
        }
        throw Malformed("kind", "\(request.kind) is neither a command nor an event that \(name) takes")
    }
}

/// Among which names requests at random choose.
///
/// The fewer there are, the more often requests get in each other's way, which is what finds mistakes.
public struct KeySpace: Sendable, Hashable {
    /// What every name begins with: loads of different prefixes never meet.
    public var prefix: String
    /// 1 is the smallest space, in which nearly everything meets; one of 10 has ten times as many names of each kind.
    public var size: Int

    /// Keys that begin with `prefix`, as many of each kind as the size says.
    public init(prefix: String = "", size: Int = 1) {
        self.prefix = prefix
        self.size = max(1, size)
    }
}

/// What a request at random is made of: which one it is, and what it draws. The same draw gives the same request.
public struct LoadDraw: Sendable {
    /// Which request of its load it is, from 0.
    public let number: Int
    /// The keys that requests are about.
    public let keys: KeySpace
    /// About when it is asked; a simulation gives its beginning.
    public let now: Timestamp
    /// Where choices come from: the same seed makes the same.
    public var random: SeededRandom

    /// The draw of one request.
    public init(_ number: Int, in keys: KeySpace, at now: Timestamp, _ random: SeededRandom) {
        self.number = number
        self.keys = keys
        self.now = now
        self.random = random
    }

    /// One of `count` names, or of as many times more as the key space is larger: `name("order", 4)` is `order3`.
    public mutating func name(_ word: String, _ count: Int) -> String {
        name(word, number: random.number(1...count * keys.size))
    }
    /// The name of that number.
    public func name(_ word: String, number: Int) -> String { "\(keys.prefix)\(word)\(number)" }
    /// A number of a range, each as likely as any other.
    public mutating func number(_ range: ClosedRange<Int>) -> Int { random.number(range) }
    /// True in so many of a hundred cases.
    public mutating func chance(_ percent: Double) -> Bool { random.chance(percent) }
    /// One of them; there must be some.
    public mutating func one<T>(of all: [T]) -> T { random.one(of: all) }
}
