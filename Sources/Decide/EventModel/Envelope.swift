public import SwiftProtobuf

/// The one message that a topic carries: a `oneof` named `kind` of all its events, or of all its commands.
///
/// A reader can tell the kind from the bytes alone, and survives kinds and fields of a newer writer.
public protocol Envelope: Message {
    /// The `oneof`, as its generated Swift has it.
    associatedtype Kind: Sendable & Equatable
    /// What is in the envelope; nil where this program does not know it.
    var kind: Kind? { get set }
    /// Lifts what an older writer wrote to what the code speaks of now: from fields that went to those in their place, from
    /// a kind to its successor. Whoever reads the topic sees the lifted kind only.
    ///
    /// It must leave alone what is lifted already. Nil, unless told: nothing of the topic was ever changed so.
    static var lift: (@Sendable (Kind) -> Kind)? { get }
}

extension Envelope {
    /// Nil: for a schema that has never had an older form.
    public static var lift: (@Sendable (Kind) -> Kind)? { nil }
}

/// What a projection reads: the envelope of its topic, or a sum of those of several topics.
public protocol Readable {
    /// What a projection is given.
    associatedtype Content: Sendable
    /// Nil where a newer writer's kind is not known here.
    static func content(of bytes: Bytes, in topic: String) throws(Undecodable) -> Content?
}

/// Topics that all carry one envelope.
public enum Only<E: Envelope>: Readable {
    /// The kind in the envelope, whatever the topic; nil where a newer writer's is not known here.
    public static func content(of bytes: Bytes, in topic: String) throws(Undecodable) -> E.Kind? {
        try E.kind(in: bytes)
    }
}

extension Envelope {
    /// The envelope with a kind in it.
    public init(_ kind: Kind) {
        self.init()
        self.kind = kind
    }

    /// The bytes of an envelope around one kind.
    public static func bytes(_ kind: Kind) -> Bytes {
        // Only a missing required field (proto2) or over 2 GiB can make this fail.
        guard let bytes: Bytes = try? Self(kind).serializedBytes() else { preconditionFailure("a message over 2 GiB") }
        return bytes
    }

    /// The kind in the bytes, lifted; nil where a newer writer's kind is not known here.
    public static func kind(in bytes: Bytes) throws(Undecodable) -> Kind? {
        do {
            let kind = try Self(serializedBytes: bytes).kind
            if let lift { return kind.map(lift) }
            return kind
        } catch {
            throw Undecodable(schema: protoMessageName, why: String(describing: error))
        }
    }
}

/// Bytes that are not a message of the schema they should be.
public struct Undecodable: Error, Sendable, CustomStringConvertible {
    /// The protobuf name of the message that the bytes were to be.
    public var schema: String
    /// What is wrong with them.
    public var why: String
    /// Bytes that are no message of that schema.
    public init(schema: String, why: String) {
        self.schema = schema
        self.why = why
    }
    public var description: String { "the value is not a \(schema): \(why)" }
}

extension Timestamp {
    /// Rounded down to milliseconds.
    public init(_ proto: Google_Protobuf_Timestamp) {
        self.init(proto.seconds.clampedProduct(1000).clampedSum(Int64(proto.nanos) / 1_000_000))
    }
    /// As protobuf writes moments: seconds and nanoseconds since 1970.
    public var proto: Google_Protobuf_Timestamp {
        Google_Protobuf_Timestamp(seconds: second, nanos: Int32(millisecond) * 1_000_000)
    }
}

extension Check {
    /// A moment that a ``Timestamp`` can hold and JSON can write.
    public static func moment(_ value: Google_Protobuf_Timestamp, _ field: String) throws(Malformed) {
        let seconds = Timestamp.calendar.lowerBound.second...Timestamp.calendar.upperBound.second
        if !seconds.contains(value.seconds) { throw Malformed(field, "is not in the years 1 to 9998") }
        if !(0..<1_000_000_000).contains(value.nanos) {
            throw Malformed(field, "has \(value.nanos) nanoseconds, it must be 0 to 999999999")
        }
    }
}
