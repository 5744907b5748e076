internal import Foundation
public import SwiftProtobuf

/// What one topic may carry, without its types: the kinds of its envelope, and the way between bytes and JSON.
public struct Schema: Sendable {
    /// One event or command.
    public struct Kind: Hashable, Sendable {
        /// As people write it: `SeatHeld`.
        public var name: String
        /// What it means: the comment in its .proto.
        public var about: String
        /// Its fields, in the order of the .proto.
        public var fields: [Field]
        let number: Int
        let jsonName: String
        /// The protobuf name of its message: `millrace.tickets.SeatHeld`.
        package let message: String
    }

    /// A field of a message, as people see it.
    public struct Field: Hashable, Sendable {
        /// As in JSON: `expiresAt`.
        public var name: String
        /// `string`, `int64`, `timestamp`, or a message with its fields: `{amount: int64, currency: string}`.
        public var type: String
        /// Whether it is a list of that type.
        public var repeated: Bool
        /// What it means: the comment in its .proto.
        public var about: String
        /// Whether its value in JSON is text, so that a command line may leave the quotes out.
        public var textual: Bool
        /// The fields of its message, where it is one of this project's.
        public var parts: [Field] = []
        /// The values of its enumeration.
        public var values: [String] = []
        let number: Int

        /// Whether a person's word names it, in the spelling of JSON (`expiresAt`), of SQL (`expires_at`) or of options
        /// (`expires-at`).
        public func answers(to name: String) -> Bool { Spelling.same(self.name, name) }
    }

    /// The protobuf name of the envelope: `millrace.tickets.Event`.
    public let name: String
    /// What may be in the envelope, in the order of the .proto.
    public var kinds: [Kind] { deferredKinds.value }
    private let deferredKinds: Deferred<[Kind]>
    private let encoding: @Sendable (_ json: Data) throws -> Bytes
    private let decoding: @Sendable (Bytes) throws -> String
    /// Nil where nothing is ever lifted.
    private let lifting: (@Sendable (Bytes) throws -> Bytes)?
    private let hiding: @Sendable (Bytes) throws -> Bool
    /// Whether bytes are a message of this schema, without the way through JSON.
    public let check: @Sendable (Bytes) throws(Undecodable) -> Void

    /// The schema of an envelope, with its comments from a descriptor.
    public init<E: Envelope>(_ type: E.Type, _ descriptor: Descriptor) {
        name = E.protoMessageName
        deferredKinds = Deferred { Self.kinds(of: E.protoMessageName, descriptor) }
        check = { (bytes) throws(Undecodable) in _ = try E.kind(in: bytes) }
        encoding = { try E(jsonUTF8Bytes: $0).serializedBytes() }
        decoding = { bytes in
            var options = JSONEncodingOptions()
            options.alwaysPrintInt64sAsNumbers = true
            options.useDeterministicOrdering = true
            return try E(serializedBytes: bytes).jsonString(options: options)
        }
        if let lift = E.lift {
            lifting = { bytes in
                var envelope = try E(serializedBytes: bytes)
                envelope.kind = envelope.kind.map(lift)
                return try envelope.serializedBytes()
            }
        } else {
            lifting = nil
        }
        hiding = { bytes in
            var options = BinaryDecodingOptions()
            options.discardUnknownFields = true
            let known = try E(serializedBytes: bytes, options: options)
            let size = (try known.serializedBytes() as Bytes).count
            return try size != bytes.count && !known.isEqualTo(message: E(serializedBytes: bytes))
        }
    }

    private static func kinds(of envelope: String, _ descriptor: Descriptor) -> [Kind] {
        guard let fields = descriptor.messages[envelope]?.fields else {
            preconditionFailure("\(envelope) is not in its descriptor: run make proto")
        }
        return fields.map { field in
            guard let message = descriptor.messages[field.typeName] else {
                preconditionFailure("\(envelope).\(field.name) must be a message")
            }
            return Kind(
                name: message.name, about: message.about, fields: message.fields.map { Self.field($0, descriptor) },
                number: field.number, jsonName: field.jsonName, message: field.typeName)
        }
    }

    private static func field(_ field: Descriptor.Field, _ descriptor: Descriptor) -> Field {
        var textual = false
        var parts: [Field] = []
        let type: String
        switch field.kind {
        case .message where field.typeName == "google.protobuf.Timestamp":
            (type, textual) = ("timestamp", true)
        case .message:
            parts = (descriptor.messages[field.typeName]?.fields ?? []).map { Self.field($0, descriptor) }
            let described = parts.map { "\($0.name): \($0.repeated ? "[\($0.type)]" : $0.type)" }
            type = "{\(described.joined(separator: ", "))}"
        case .string: (type, textual) = ("string", true)
        case .bytes: (type, textual) = ("base64", true)
        case .enum: (type, textual) = ("enum", true)
        case .bool: type = "bool"
        case .int32, .sint32, .sfixed32: type = "int32"
        case .int64, .sint64, .sfixed64: type = "int64"
        case .uint32, .fixed32: type = "uint32"
        case .uint64, .fixed64: type = "uint64"
        case .double: type = "double"
        case .float: type = "float"
        case .group: type = "group"
        }
        return Field(
            name: field.jsonName, type: type, repeated: field.repeated, about: field.about, textual: textual,
            parts: parts, values: descriptor.enums[field.typeName] ?? [], number: field.number)
    }

    /// The kind of exactly that name; nil where there is none.
    public func kind(named name: String) -> Kind? { kinds.first { $0.name == name } }

    /// The kind whose message is of a type.
    public func kind<M: Message>(of type: M.Type) -> Kind? { kinds.first { $0.message == M.protoMessageName } }

    /// The bytes as a writer of today would have written them: see ``Envelope/lift``. What is no message stays as it is.
    public func lifted(_ bytes: Bytes) -> Bytes { (try? lifting?(bytes)) ?? bytes }

    /// Whether there are fields or kinds of a newer writer in the bytes, which the JSON of ``decode(_:)`` has not.
    public func hides(_ bytes: Bytes) -> Bool { (try? hiding(bytes)) ?? false }

    /// The name of the kind in an envelope's bytes, lifted, by its tag alone; `unknown` and the tag where a newer writer's is
    /// not known. Of several the last counts, as in every reader of protobuf.
    public func kindName(in bytes: Bytes) -> String {
        let bytes = lifted(bytes)
        var unknown: Int?
        let found = bytes.withUnsafeBytes { buffer -> String? in
            var tags = TagScanner(buffer)
            var name: String?
            while let number = tags.next() {
                if let kind = kinds.firstIndex(where: { $0.number == number }) { name = kinds[kind].name }
                unknown = unknown ?? number
            }
            return name
        }
        return found ?? unknown.map { "unknown-\($0)" } ?? "empty"
    }

    /// The bytes of the envelope around one kind given as proto3 JSON, in which no member is there twice.
    public func encode(_ kind: Kind, json: Bytes) throws(Malformed) -> Bytes {
        try JSONMembers.checkOnce(json.slice)
        let decoded: Bytes
        do throws(JSONEscapes.LoneSurrogate) {
            decoded = try JSONEscapes.decodingPairs(json)
        } catch {
            throw Malformed(
                error.member.isEmpty ? kind.name : error.member,
                "has \(error.escape), half of a surrogate pair, which stands for no character")
        }
        let json = Data(decoded.slice)
        let bytes: Bytes
        do {
            bytes = try encoding(Data("{\"\(kind.jsonName)\":".utf8) + json + Data("}".utf8))
        } catch {
            throw explain(error, kind, json)
        }
        // JSON's null is read as no message at all.
        if bytes.isEmpty { throw notAnObject(kind) }
        if bytes.count > Limits.valueBytes {
            throw Malformed(kind.name, "has \(bytes.count) bytes, at most \(Limits.valueBytes) are allowed")
        }
        return bytes
    }

    /// The kind whose message that is, and the bytes of the envelope around it; nil where the schema has no such kind.
    ///
    /// - Throws: ``Malformed`` where it is too large.
    public func encode<M: Message>(_ message: M) throws(Malformed) -> (kind: Kind, value: Bytes)? {
        guard let kind = kind(of: M.self) else { return nil }
        // Only a missing required field (proto2) or over 2 GiB can make this fail.
        guard let body: [UInt8] = try? message.serializedBytes() else {
            throw Malformed(kind.name, "cannot be written as protobuf")
        }
        // A field of the wire type LEN (protobuf.dev/programming-guides/encoding).
        var bytes = Self.varint(UInt64(kind.number) << 3 | 2) + Self.varint(UInt64(body.count))
        bytes += body
        if bytes.count > Limits.valueBytes {
            throw Malformed(kind.name, "has \(bytes.count) bytes, at most \(Limits.valueBytes) are allowed")
        }
        return (kind, Bytes(bytes))
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var (rest, bytes) = (value, [UInt8]())
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    /// The name of the kind, lifted, and its proto3 JSON; 64-bit integers are numbers.
    public func decode(_ bytes: Bytes) throws(Undecodable) -> (kind: String, json: String) {
        let bytes = lifted(bytes)
        do {
            let json = try decoding(bytes)
            let kind = kindName(in: bytes)
            // The envelope has one member: {"seatHeld":{...}}.
            guard let colon = json.firstIndex(of: ":") else { return (kind, "{}") }
            return (kind, String(json[json.index(after: colon)...].dropLast()))
        } catch {
            throw Undecodable(schema: name, why: String(describing: error))
        }
    }

    /// Names the field that is at fault, by trying each alone.
    private func explain(_ error: any Error, _ kind: Kind, _ json: Data) -> Malformed {
        if String(validating: json, as: UTF8.self) == nil { return Malformed(kind.name, "is not UTF-8") }
        if json.starts(with: ByteOrderMark.bytes) {
            return Malformed(kind.name, "begins with a byte order mark; leave it out")
        }
        let parsed: Any
        do {
            parsed = try JSONSerialization.jsonObject(with: json, options: .fragmentsAllowed)
        } catch {
            return Malformed(kind.name, "is not JSON: \(Self.reason(error))")
        }
        guard let object = parsed as? [String: Any] else { return notAnObject(kind) }
        for (name, value) in object.sorted(by: { $0.key < $1.key }) {
            guard let field = kind.fields.first(where: { $0.name == name || Self.snake($0.name) == name }) else {
                return Malformed(name, Nearest.notA("field", of: kind.name, name, among: kind.fields.map(\.name)))
            }
            guard let alone = try? JSONSerialization.data(withJSONObject: [name: value]) else { continue }
            if (try? encoding(Data("{\"\(kind.jsonName)\":".utf8) + alone + Data("}".utf8))) == nil {
                if let text = value as? String, !field.values.isEmpty {
                    return Malformed(name, Nearest.notOne(text, of: field.values))
                }
                let type = field.repeated ? "a list of \(field.type)" : field.type
                return Malformed(name, "must be \(type)")
            }
        }
        return Malformed(kind.name, "is not acceptable: \(error)")
    }

    private func notAnObject(_ kind: Kind) -> Malformed {
        Malformed(kind.name, "must be a JSON object: {\"\(kind.fields.first?.name ?? "field")\": ...}")
    }

    private static func reason(_ error: any Error) -> String {
        let why = (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String
        return why ?? "it cannot be parsed"
    }

    static func snake(_ camel: String) -> String {
        camel.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : String($1) }
    }
}

extension Schema {
    /// The text in a field of a kind's message, in an envelope's bytes; empty where there is none.
    package func text(_ field: Field, of kind: Kind, in bytes: Bytes) -> String {
        var text = ""
        bytes.withUnsafeBytes { envelope in
            Self.eachText(in: envelope, numbered: kind.number) { message in
                // Of several the last counts, as in every reader of protobuf.
                Self.eachText(in: message, numbered: field.number) { text = String(decoding: $0, as: UTF8.self) }
            }
        }
        return text
    }

    /// The same envelope with another text in a field of its kind's message.
    package func setting(_ field: Field, of kind: Kind, to text: String, in bytes: Bytes) -> Bytes {
        var message: [UInt8] = []
        bytes.withUnsafeBytes { envelope in
            Self.eachText(in: envelope, numbered: kind.number) { message += $0 }
        }
        // Behind the others, so that it counts.
        message += Self.varint(UInt64(field.number) << 3 | 2) + Self.varint(UInt64(text.utf8.count)) + Array(text.utf8)
        return Bytes(Self.varint(UInt64(kind.number) << 3 | 2) + Self.varint(UInt64(message.count)) + message)
    }

    private static func eachText(
        in bytes: UnsafeRawBufferPointer, numbered number: Int, _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        var tags = TagScanner(bytes)
        while let next = tags.next() {
            if next == number, let text = tags.text { body(UnsafeRawBufferPointer(rebasing: bytes[text])) }
        }
    }
}

/// Walks the top-level field numbers of a protobuf message (encoding: protobuf.dev/programming-guides/encoding).
private struct TagScanner {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0
    /// Where the value of the last field is, of those that have a length.
    private(set) var text: Range<Int>?

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func next() -> Int? {
        guard let tag = varint() else { return nil }
        text = nil
        switch tag & 7 {
        case 0: guard varint() != nil else { return nil }
        case 1: at += 8
        case 2:
            guard let length = varint(), length <= UInt64(bytes.count - at) else { return nil }
            text = at..<at + Int(length)
            at += Int(length)
        case 5: at += 4
        default: return nil
        }
        return at <= bytes.count ? Int(tag >> 3) : nil
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while at < bytes.count, shift < 64 {
            let byte = bytes[at]
            at += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}
