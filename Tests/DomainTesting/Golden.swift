package import EventModel
internal import SwiftProtobuf
package import Testing

/// A value, and the bytes that it has on people's logs.
package struct Golden: Sendable, CustomTestStringConvertible {
    package let schema: String
    package let bytes: Bytes
    package let made: @Sendable () -> Bytes
    package let isReadBack: @Sendable () throws -> Bool
    package let testDescription: String

    package init<E: Envelope>(_ type: E.Type, _ kind: E.Kind, _ hex: String) {
        let digits = Array(hex.utf8).map { UInt8($0 < 97 ? $0 - 48 : $0 - 87) }
        let bytes = Bytes(stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
        (schema, self.bytes, testDescription) = (E.protoMessageName, bytes, "\(E.protoMessageName) \(hex.prefix(24))")
        made = { E.bytes(kind) }
        isReadBack = { try E.kind(in: bytes) == kind }
    }
}

/// Expects that values have the bytes that they had, are read back, and that every kind of these schemas has such bytes.
///
/// The bytes are made by `protoc --encode` from the same values as text.
package func expect(_ goldens: [Golden], of schemas: [Schema], sourceLocation: SourceLocation = #_sourceLocation) {
    for golden in goldens {
        #expect(golden.made() == golden.bytes, "\(golden.testDescription)", sourceLocation: sourceLocation)
        let isReadBack = (try? golden.isReadBack()) ?? false
        #expect(isReadBack, "\(golden.testDescription)", sourceLocation: sourceLocation)
    }
    for schema in schemas {
        let known = Set(goldens.filter { $0.schema == schema.name }.map { schema.kindName(in: $0.bytes) })
        let missing = schema.kinds.map(\.name).filter { !known.contains($0) }
        #expect(
            missing == [], "\(schema.name): make golden bytes with protoc --encode", sourceLocation: sourceLocation)
    }
}

extension Domain {
    /// The schemas of all its topics.
    package var schemas: [Schema] {
        [decider?.commands, decider?.events].compactMap { $0 } + telemetry.map(\.events) + derived.map(\.events)
    }
}
