import Foundation
import Testing

/// What other packages may build on. A change of it is seen in a review: `API/MODULE.txt` has a line for each public
/// declaration, and `MILLRACE_WRITE_API=1 swift test --filter PublicAPITests` writes the files anew.
@Suite("The public API")
struct PublicAPITests {
    private static let modules = [
        "EventModel": "Sources/Decide/EventModel", "MillraceBus": "Sources/Serve/MillraceBus",
        "MillraceApp": "Sources/Serve/MillraceApp", "MillraceTestKit": "Sources/Test/MillraceTestKit",
        "Kafka": "Sources/Deliver/Kafka",
    ]
    private static let list = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("API")

    /// What needs no comment, for everybody knows what these do: they are asked for by protocols of the standard library.
    private static let exempt = [
        "description", "== (", "< (", "hash(into", "init(rawValue", "init(stringLiteral", "init(integerLiteral",
        "typealias Element", "makeAsyncIterator",
        // Described where the protocols ask for them.
        "var columnKind", "var columnValue", "init?(_ value: Value)", "var parameterKind", "init?(argument: Value)",
    ]

    @Test(arguments: modules.keys.sorted())
    func `says of each declaration what it is`(module: String) throws {
        let path = try #require(Self.modules[module])
        let declared = try Self.found(in: Document.root + "/" + path)
        let silent = declared.filter { declaration in
            !declaration.isDocumented && !Self.exempt.contains { declaration.signature.contains($0) }
        }
        #expect(silent.isEmpty, "without a comment: \(silent.map(\.signature).joined(separator: "\n"))")
        #expect(declared.contains { $0.isDocumented })
    }

    @Test(arguments: [
        ("Decider.swift", "public protocol Decider"), ("Projection.swift", "public protocol Projection"),
        ("Domain.swift", "public struct Domain"),
    ])
    func `shows code that is compiled and tested`(file: String, declaration: String) throws {
        let text = try String(contentsOfFile: Document.root + "/Sources/Decide/EventModel/" + file, encoding: .utf8)
        let likes = try String(
            contentsOfFile: Document.root + "/Examples/Likes/Sources/LikesDomain/Likes.swift", encoding: .utf8)
        func lines(_ text: some StringProtocol) -> String {
            text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: "\n")
        }
        let before = text[
            ..<(try #require(text.range(of: "\n\(declaration):") ?? text.range(of: "\n\(declaration) "))).lowerBound]
        let comment = before.split(separator: "\n").reversed().prefix { $0.hasPrefix("///") }.reversed()
            .map { $0.dropFirst(3) }.joined(separator: "\n")
        let blocks = comment.matches(of: /```swift\n([\s\S]*?)```/).map { lines($0.1) }
        #expect(!blocks.isEmpty)
        for block in blocks {
            #expect(lines(likes).contains(block), "not as it stands in Examples/Likes:\n\(block)")
        }
    }

    @Test(arguments: modules.keys.sorted())
    func `is as it is listed`(module: String) throws {
        let path = try #require(Self.modules[module])
        let declared = try Self.declarations(in: Document.root + "/" + path)
        #expect(!declared.isEmpty)
        let file = Self.list.appendingPathComponent("\(module).txt")
        if ProcessInfo.processInfo.environment["MILLRACE_WRITE_API"] == "1" {
            try FileManager.default.createDirectory(at: Self.list, withIntermediateDirectories: true)
            try (declared.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
            return
        }
        let listed = Set(try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init))
        let new = declared.filter { !listed.contains($0) }
        let gone = listed.subtracting(declared).sorted()
        #expect(
            new.isEmpty && gone.isEmpty,
            """
            The public API of \(module) is another. New: \(new). Gone: \(gone). If that is meant, say it in CHANGELOG.md and \
            run: MILLRACE_WRITE_API=1 swift test --filter PublicAPITests
            """)
    }

    /// The public declarations of a module's sources, each in one line with the file it stands in, without bodies.
    private static func declarations(in folder: String) throws -> [String] { try found(in: folder).map(\.signature) }

    private static func found(in folder: String) throws -> [(signature: String, isDocumented: Bool)] {
        var all: [(signature: String, isDocumented: Bool)] = []
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".swift") }
            .sorted()
        for name in files where !name.hasSuffix(".pb.swift") {
            let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            var open = ""
            var (isDocumented, isText) = (false, false)
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                let line = line.trimmingCharacters(in: .whitespaces)
                // Swift that a program writes is no declaration of its own.
                if line.matches(of: /"""/).count % 2 == 1 { isText.toggle() }
                if isText { continue }
                if open.isEmpty, line.hasPrefix("///") { isDocumented = true }
                if open.isEmpty {
                    let begins = line.hasPrefix("public ") || line.contains(" public ") && line.hasPrefix("@")
                    guard begins, !line.hasPrefix("public import"), !line.contains("@_exported") else {
                        // Attributes stand between a comment and what it is about.
                        if !line.hasPrefix("///"), !line.hasPrefix("@") { isDocumented = false }
                        continue
                    }
                }
                open += (open.isEmpty ? "" : " ") + line
                // A signature may go over several lines: it ends where its parentheses are closed.
                let depth = open.reduce(0) { $0 + ($1 == "(" ? 1 : $1 == ")" ? -1 : 0) }
                if depth > 0 { continue }
                all.append(("\(name): \(signature(open))", isDocumented))
                (open, isDocumented) = ("", false)
            }
        }
        return all
    }

    /// What stands before the body, or before a value.
    private static func signature(_ declaration: String) -> String {
        var depth = 0
        var end = declaration.endIndex
        for i in declaration.indices {
            switch declaration[i] {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where depth == 0: end = min(end, i)
            default: break
            }
            if end != declaration.endIndex { break }
        }
        return declaration[..<end].trimmingCharacters(in: .whitespaces)
    }
}
