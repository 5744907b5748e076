internal import Foundation
internal import SwiftProtobuf

/// What a `.proto` file says: its messages, fields and comments. `make proto` writes it beside the generated code.
public struct Descriptor: Sendable {
    struct Message {
        var name: String
        var about: String
        var fields: [Field]
    }
    struct Field {
        var name: String
        var jsonName: String
        var number: Int
        var kind: Google_Protobuf_FieldDescriptorProto.TypeEnum
        var typeName: String
        var repeated: Bool
        var about: String
    }

    struct Content: Sendable {
        let messages: [String: Message]
        /// The values of each enumeration, but the first, which in proto3 stands for none.
        let enums: [String: [String]]
    }

    private let content: Deferred<Content>
    var messages: [String: Message] { content.value.messages }
    var enums: [String: [String]] { content.value.enums }

    /// Text that is damaged ends the program when it is first read.
    ///
    /// - Parameter base64: a serialized `FileDescriptorSet` with source info. It is read when something of it is first asked for.
    public init(base64: String) {
        content = Deferred { Content(base64: base64) }
    }
}

extension Descriptor.Content {
    init(base64: String) {
        guard let data = Data(base64Encoded: base64),
            let set = try? Google_Protobuf_FileDescriptorSet(serializedBytes: data)
        else { preconditionFailure("a generated descriptor is damaged: run make proto") }
        typealias Message = Descriptor.Message
        typealias Field = Descriptor.Field
        var messages: [String: Message] = [:]
        var enums: [String: [String]] = [:]
        for file in set.file {
            var comments: [[Int32]: String] = [:]
            for location in file.sourceCodeInfo.location where !location.leadingComments.isEmpty {
                comments[location.path] = location.leadingComments.split(separator: "\n")
                    .map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: " ")
            }
            for type in file.enumType {
                let name = file.package.isEmpty ? type.name : "\(file.package).\(type.name)"
                enums[name] = type.value.filter { $0.number != 0 }.map(\.name)
            }
            for (m, message) in file.messageType.enumerated() {
                let fields = message.field.enumerated().map { f, field in
                    Field(
                        name: field.name, jsonName: field.jsonName, number: Int(field.number), kind: field.type,
                        typeName: String(field.typeName.drop { $0 == "." }), repeated: field.label == .repeated,
                        about: comments[[4, Int32(m), 2, Int32(f)]] ?? "")
                }
                let name = file.package.isEmpty ? message.name : "\(file.package).\(message.name)"
                messages[name] = Message(name: message.name, about: comments[[4, Int32(m)]] ?? "", fields: fields)
            }
        }
        (self.messages, self.enums) = (messages, enums)
    }
}
