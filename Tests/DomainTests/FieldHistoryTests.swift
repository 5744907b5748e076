import Domains
import EventModel
import Foundation
import SwiftProtobuf
import Testing

@testable import Quarantining

/// Every field that a message of ours ever had, so that no number and no name comes back as something else.
///
/// `fields.txt` has a line for each; `make fields` adds those that are new. A line is never changed nor taken away: a field
/// that is not in its message any more is `reserved` there, by number and by name.
@Suite("The history of fields")
struct FieldHistoryTests {
    struct Field: Hashable, CustomStringConvertible {
        var message: String
        var number: Int
        var name: String
        var type: String
        /// `-`, `repeated`, `optional`, or the `oneof` that it is one of.
        var label: String

        init(_ message: String, _ number: Int32, _ name: String, _ type: String, _ label: String) {
            (self.message, self.number, self.name, self.type, self.label) = (message, Int(number), name, type, label)
        }
        init?(line: Substring) {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 5, let number = Int32(words[1]) else { return nil }
            self.init(words[0], number, words[2], words[3], words[4])
        }
        var description: String { "\(message) \(number) \(name) \(type) \(label)" }
    }

    /// What descriptors say now.
    struct Schemas {
        var fields: [Field] = []
        var messages: Set<String> = []
        /// Numbers and names that are not to be used again.
        var reserved: [String: (numbers: [ClosedRange<Int>], names: Set<String>)] = [:]

        init(_ descriptors: [String]) throws {
            for descriptor in descriptors {
                let data = try #require(Data(base64Encoded: descriptor))
                for file in try Google_Protobuf_FileDescriptorSet(serializedBytes: data).file {
                    for message in file.messageType { add(message, in: file.package) }
                    for type in file.enumType { add(type, in: file.package) }
                }
            }
        }

        mutating func add(_ message: Google_Protobuf_DescriptorProto, in scope: String) {
            let name = "\(scope).\(message.name)"
            messages.insert(name)
            reserved[name] = (
                message.reservedRange.map { Int($0.start)...max(Int($0.start), Int($0.end) - 1) },
                Set(message.reservedName)
            )
            for field in message.field {
                let type =
                    field.typeName.isEmpty
                    ? "\(field.type)".split(separator: ".").last.map(String.init) ?? ""
                    : String(field.typeName.dropFirst())
                let label =
                    field.proto3Optional
                    ? "optional"
                    : field.hasOneofIndex
                        ? "oneof:\(message.oneofDecl[Int(field.oneofIndex)].name)"
                        : field.label == .repeated ? "repeated" : "-"
                fields.append(Field(name, field.number, field.name, type, label))
            }
            for inner in message.nestedType { add(inner, in: name) }
            for inner in message.enumType { add(inner, in: name) }
        }

        mutating func add(_ type: Google_Protobuf_EnumDescriptorProto, in scope: String) {
            let name = "\(scope).\(type.name)"
            messages.insert(name)
            reserved[name] = (
                type.reservedRange.map { Int($0.start)...max(Int($0.start), Int($0.end)) }, Set(type.reservedName)
            )
            for value in type.value { fields.append(Field(name, value.number, value.name, "value", "-")) }
        }
    }

    /// What is wrong with the schemas, given their history.
    static func problems(_ schemas: Schemas, history: [Field]) -> [String] {
        var problems: [String] = []
        let (now, past) = (Set(schemas.fields), Set(history))
        for field in schemas.fields where !past.contains(field) {
            if let before = history.first(where: { $0.message == field.message && $0.number == field.number }) {
                problems.append("\(field) was \(before): a number keeps its name, type and label; take a new one")
            } else if let before = history.first(where: { $0.message == field.message && $0.name == field.name }) {
                problems.append("\(field) was \(before): a name does not come back; take a new one")
            } else {
                problems.append("\(field) is not in fields.txt: make fields")
            }
        }
        for field in history where !now.contains(field) && schemas.messages.contains(field.message) {
            if schemas.fields.contains(where: { $0.message == field.message && $0.number == field.number }) { continue }
            let reserved = schemas.reserved[field.message]
            if reserved?.numbers.contains(where: { $0.contains(field.number) }) != true {
                problems.append("\(field) is gone: write  reserved \(field.number);  into \(field.message)")
            }
            if reserved?.names.contains(field.name) != true {
                problems.append("\(field) is gone: write  reserved \"\(field.name)\";  into \(field.message)")
            }
        }
        return problems
    }

    /// A domain's history stands beside its tests; that of what all domains share, beside this one.
    private struct Place {
        var file: URL
        var schemas: Schemas

        func history() throws -> [Field] {
            try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }
                .map { try #require(Field(line: $0), "\(file.path): \($0)") }
        }
    }

    private static func places() throws -> [Place] {
        let shared = Place(
            file: URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("fields.txt"),
            schemas: try Schemas([outcomeDescriptor, quarantineDescriptor]))
        return try [shared]
            + Domains.all.map { domain in
                Place(
                    file: domain.testFolder.appendingPathComponent("fields.txt"),
                    schemas: try Schemas([domain.descriptorText]))
            }
    }

    @Test func `has every field, and none is another than it was`() throws {
        for place in try Self.places() {
            if ProcessInfo.processInfo.environment["MILLRACE_ADD_FIELDS"] != nil { try add(place) }
            let problems = Self.problems(place.schemas, history: (try? place.history()) ?? [])
            #expect(problems.isEmpty, "\(place.file.path):\n\(problems.joined(separator: "\n"))")
        }
    }

    /// Adds what is new at its place, and leaves all else as it is.
    private func add(_ place: Place) throws {
        let head =
            "# Every field that a message ever had: message, number, name, type, label. "
            + "make fields adds lines; none is ever changed."
        let history = (try? place.history()) ?? []
        let new = place.schemas.fields.filter { field in
            !history.contains { $0.message == field.message && ($0.number == field.number || $0.name == field.name) }
        }
        if new.isEmpty { return }
        let all = (history + new).sorted { ($0.message, $0.number) < ($1.message, $1.number) }
        let text = head + "\n" + all.map { "\($0)\n" }.joined()
        try text.write(to: place.file, atomically: true, encoding: .utf8)
        for field in new { print("added: \(field)") }
    }

    private static func schemas(_ fields: [(Int32, String, Google_Protobuf_FieldDescriptorProto.TypeEnum)]) throws
        -> Schemas
    {
        var message = Google_Protobuf_DescriptorProto()
        message.name = "M"
        message.field = fields.map { number, name, type in
            .with { ($0.number, $0.name, $0.type, $0.label) = (number, name, type, .optional) }
        }
        var schemas = try Schemas([])
        schemas.add(message, in: "p")
        return schemas
    }

    @Test func `tells a number that is reused, retyped or renamed, and a name that comes back`() throws {
        let history = try Self.schemas([(1, "a", .string), (2, "b", .int64)]).fields
        func problems(_ fields: [(Int32, String, Google_Protobuf_FieldDescriptorProto.TypeEnum)]) throws -> [String] {
            Self.problems(try Self.schemas(fields), history: history)
        }
        #expect(try problems([(1, "a", .string), (2, "b", .int64)]) == [])
        #expect(
            try problems([(1, "a", .string), (2, "b", .int32)]).first?.contains("p.M 2 b int64 -: a number") == true)
        #expect(
            try problems([(1, "z", .string), (2, "b", .int64)]).first?.contains("p.M 1 a string -: a number") == true)
        #expect(
            try problems([(1, "a", .string), (2, "b", .int64), (3, "c", .bool)]).first?.hasSuffix("make fields") == true
        )
        let moved = try problems([(1, "a", .string), (3, "b", .int64)])
        #expect(moved.contains { $0.contains("a name does not come back") })
        let gone = try problems([(1, "a", .string)])
        #expect(gone.count == 2 && gone[0].hasSuffix("write  reserved 2;  into p.M") && gone[1].contains("\"b\""))
        var reserved = try Self.schemas([(1, "a", .string)])
        reserved.reserved["p.M"] = ([2...2], ["b"])
        #expect(Self.problems(reserved, history: history) == [])
        // Another label is another field, and so it is for one that leaves its oneof.
        var repeated = reserved
        repeated.fields[0].label = "repeated"
        #expect(Self.problems(repeated, history: history).count == 1)
    }
}
