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
    private static func declarations(in folder: String) throws -> [String] {
        var all: [String] = []
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".swift") }
            .sorted()
        for name in files where !name.hasSuffix(".pb.swift") {
            let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            var open = ""
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                let line = line.trimmingCharacters(in: .whitespaces)
                if open.isEmpty {
                    let begins = line.hasPrefix("public ") || line.contains(" public ") && line.hasPrefix("@")
                    guard begins, !line.hasPrefix("public import"), !line.contains("@_exported") else { continue }
                }
                open += (open.isEmpty ? "" : " ") + line
                // A signature may go over several lines: it ends where its parentheses are closed.
                let depth = open.reduce(0) { $0 + ($1 == "(" ? 1 : $1 == ")" ? -1 : 0) }
                if depth > 0 { continue }
                all.append("\(name): \(signature(open))")
                open = ""
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
