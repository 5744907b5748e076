import DomainTesting
import Domains
import EventModel
import Foundation
import Testing

/// Bytes of a made-up value of each kind, with every field set, as they were when the kind came: the log has such bytes forever.
///
/// `samples.txt` beside a domain's tests has a line for each kind: its name, the bytes in hex, and the JSON that they are read
/// as. `make fields` adds a line for a kind that is new, and one more for a kind that has new fields. A line is never changed
/// nor taken away.
@Suite("The bytes of samples")
struct SampleBytesTests {
    private static let head =
        "# Bytes of a sample of each kind, and the JSON that they are read as. make fields adds lines; none is ever changed."

    struct Sample: Hashable {
        var envelope: String
        var kind: String
        var hex: String
        var json: String

        init(_ envelope: String, _ kind: String, _ hex: String, _ json: String) {
            (self.envelope, self.kind, self.hex, self.json) = (envelope, kind, hex, json)
        }
        init?(line: Substring) {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            guard words.count == 4 else { return nil }
            self.init(words[0], words[1], words[2], words[3])
        }
        /// The sample of a kind as its fields are now.
        init(of kind: Schema.Kind, in schema: Schema) throws {
            let bytes = try schema.encode(kind, json: Bytes(Self.json(of: kind.fields).utf8))
            self.init(
                schema.name, kind.name, bytes.slice.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(),
                try schema.decode(bytes).json)
        }

        var line: String { "\(envelope) \(kind) \(hex) \(json)\n" }
        var bytes: Bytes {
            let digits = Array(hex.utf8).map { UInt8($0 < 97 ? $0 - 48 : $0 - 87) }
            return Bytes(stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
        }

        private static func json(of fields: [Schema.Field]) -> String {
            let members = fields.enumerated().map { i, field in
                let value = json(of: field, i + 1)
                return "\"\(field.name)\":" + (field.repeated ? "[\(value),\(json(of: field, i + 101))]" : value)
            }
            return "{\(members.joined(separator: ","))}"
        }

        /// A value that no other field beside it has.
        private static func json(of field: Schema.Field, _ n: Int) -> String {
            if !field.parts.isEmpty { return json(of: field.parts) }
            return switch field.type {
            case "timestamp": "\"\((Timestamp(1_767_225_600_000) + .seconds(Int64(n))).rfc3339)\""
            case "base64": "\"\(Data([0, UInt8(truncatingIfNeeded: n)]).base64EncodedString())\""
            case "enum": "\"\(field.values.last ?? "")\""
            case "bool": "true"
            case "double", "float": "\(n).5"
            case "string": "\"\(field.name) \(n) \u{e9}\""
            default: "\(n)"
            }
        }
    }

    @Test(arguments: Domains.all.map(\.name))
    func `stay as they are, are read as they were, and are known for every kind`(name: String) throws {
        let domain = try #require(Domains.all.first { $0.name == name })
        let file = domain.testFolder.appendingPathComponent("samples.txt")
        let adds = ProcessInfo.processInfo.environment["MILLRACE_ADD_FIELDS"] != nil
        let now = try domain.schemas.flatMap { schema in try schema.kinds.map { try Sample(of: $0, in: schema) } }
        var known = try ((try? String(contentsOf: file, encoding: .utf8)) ?? "").split(separator: "\n")
            .filter { !$0.hasPrefix("#") }.map { try #require(Sample(line: $0), "\(file.path): \($0)") }
        let new = now.filter { !known.contains($0) }
        if adds, !new.isEmpty {
            known += new
            try (Self.head + "\n" + known.map(\.line).joined()).write(to: file, atomically: true, encoding: .utf8)
            for sample in new { print("added: \(sample.line)") }
        }
        #expect(new.isEmpty || adds, "\(new.map(\.kind)): not in \(file.path), or other bytes than there: make fields")
        for sample in known {
            let schema = try #require(domain.schemas.first { $0.name == sample.envelope }, "\(sample.line)")
            #expect(throws: Never.self, "\(sample.line)") { try schema.check(sample.bytes) }
            let (kind, json) = try schema.decode(sample.bytes)
            #expect(kind == sample.kind, "\(sample.line)")
            // What has got more fields since is still read as it was.
            #expect(json == sample.json, "\(sample.line)")
        }
    }

    @Test func `tell a kind whose bytes have changed`() throws {
        let schema = try #require(Domains.all.lazy.compactMap(\.decider).first).events
        let kind = try #require(schema.kinds.first)
        let sample = try Sample(of: kind, in: schema)
        var other = sample
        other.hex.removeLast(2)
        #expect(Sample(line: Substring(sample.line.dropLast())) == sample)
        #expect(throws: Undecodable.self) { _ = try schema.decode(other.bytes) }
    }
}

extension Domain {
    /// The folder of its tests.
    var testFolder: URL {
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let folders = here.deletingLastPathComponent().appendingPathComponent("Domains")
        // Of the domain's name, or as an abbreviation is written: KV.
        let usual = name.prefix(1).uppercased() + name.dropFirst()
        let all = (try? FileManager.default.contentsOfDirectory(atPath: folders.path)) ?? []
        return folders.appendingPathComponent(all.first { $0.lowercased() == name } ?? usual)
    }
}
