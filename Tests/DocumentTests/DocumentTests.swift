import Foundation
import Testing

/// What the documents say is so.
@Suite("Documents", .serialized, .timeLimit(.minutes(10)))
struct DocumentTests {
    @Test(arguments: Document.withCommands)
    func `commands that a document gives work and print what it shows`(document: Document) async throws {
        let blocks = document.blocks.filter { $0.notRun == nil }
        let ended = try await Shell.run(blocks.map(\.commands))
        for (block, real) in zip(blocks, ended.outputs) {
            guard let shown = block.shown, let difference = difference(shown: shown, real: real) else { continue }
            Issue.record("\(document.path):\(block.line) prints something else.\n\(difference)")
        }
        guard ended.exit != 0, ended.begun > 0 else {
            #expect(ended.begun == blocks.count)
            return
        }
        let failed = blocks[ended.begun - 1]
        let output = ended.outputs[ended.begun - 1].joined(separator: "\n")
        Issue.record("\(document.path):\(failed.line) exits with \(ended.exit).\n\(failed.commands)\n\(output)")
    }

    @Test func `every command of the program is in the table of commands`() async throws {
        let commands = try await Program.commands()
        let table = Document("docs/commands.md").text.split(separator: "\n").filter { $0.hasPrefix("| `") }
        for command in commands {
            #expect(table.contains { $0.hasPrefix("| `\(command)`") || $0.hasPrefix("| `\(command) ") }, "\(command)")
        }
    }

    @Test func `every importer is in the table of commands`() async throws {
        let help = try await Shell.millrace("import --help").drop { !$0.hasPrefix("IMPORTERS") }
        let importers = help.compactMap { $0.firstMatch(of: #/^  ([a-z-]+)  /#).map { String($0.1) } }
        #expect(importers.count > 5)
        let table = Document("docs/commands.md").text
        for importer in importers { #expect(table.contains("| `import \(importer) "), "\(importer)") }
    }

    @Test func `every event and command is on the page of its domain`() async throws {
        let kinds = try await Program.objects("events --json")
        #expect(kinds.count > 10)
        for kind in kinds {
            let page = Document("docs/domains/\(kind["domain"] ?? "").md").text
            let fields = (kind["fields"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
            let row = page.split(separator: "\n").first { $0.hasPrefix("| `\(kind["name"] ?? "")` |") }
            for field in fields {
                #expect(row?.contains(try Regex("\\b\(field)\\b")) == true, "\(kind["name"] ?? "") has \(field)")
            }
        }
    }

    @Test func `every query, table and column is on the page of its domain`() async throws {
        let projections = try await Program.objects("views --json")
        #expect(!projections.isEmpty)
        for projection in projections {
            let name = projection["projection"] as? String ?? ""
            let page = Document("docs/domains/\(name.prefix { $0 != "." }).md").text
            #expect(page.contains("`\(name)` (version \(projection["version"] ?? 0)"))
            for query in projection["queries"] as? [String] ?? [] { #expect(page.contains("| `\(query)` |")) }
            for table in projection["tables"] as? [[String: Any]] ?? [] {
                let row = page.split(separator: "\n").first { $0.hasPrefix("| `\(table["name"] ?? "")` |") }
                for column in table["columns"] as? [[String: Any]] ?? [] {
                    let name = column["name"] as? String ?? ""
                    #expect(row?.contains(try Regex("\\b\(name)\\b")) == true, "\(table["name"] ?? "") has \(name)")
                }
            }
        }
    }

    @Test(arguments: Document.all)
    func `links within the project lead somewhere`(document: Document) throws {
        // One that goes over the end of a line is no link.
        #expect(document.text.firstMatch(of: #/\]\([^)\s]+\s/#) == nil)
        let folder = URL(fileURLWithPath: Document.root + "/" + document.path).deletingLastPathComponent()
        for link in document.text.matches(of: #/\]\(([^)\s]+)\)/#).map({ String($0.1) }) where !link.contains("://") {
            let parts = link.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
            let target =
                parts[0].isEmpty ? Document.root + "/" + document.path : folder.appendingPathComponent(parts[0]).path
            #expect(FileManager.default.fileExists(atPath: target), "\(link)")
            guard parts.count == 2, let text = try? String(contentsOfFile: target, encoding: .utf8) else { continue }
            #expect(headings(text).contains(parts[1]), "\(link)")
        }
    }

    @Test(arguments: [
        (
            "docs/testing.md", "swift",
            [
                "Examples/Likes/Sources/LikesDomain/LikesInvariants.swift",
                "Examples/Likes/Sources/LikesDomain/LikesDemonstration.swift",
                "Examples/Likes/Tests/LikesTests/LikesSimulation.swift",
            ]
        ),
        (
            "docs/new-domain.md", "swift",
            [
                "Examples/Likes/Sources/LikesDomain/Likes.swift", "Sources/Domains/Tickets/Tickets.swift",
                "Sources/Domains/Orders/OrdersDomain.swift", "Tests/GatewayTests/RouteTests.swift",
            ]
        ),
        ("docs/new-domain.md", "proto", ["Examples/Likes/Sources/LikesDomain/likes.proto"]),
        (
            "docs/extending.md", "swift",
            [
                "Examples/Likes/Package.swift", "Examples/Likes/Sources/likes/Main.swift",
                "Examples/Likes/Sources/embedded/Main.swift",
                "Examples/Likes/Tests/LikesTests/LikesSpecification.swift",
            ]
        ),
        ("docs/evolution.md", "swift", ["Tests/WorkerTests/Guests/Guests.swift"]),
    ])
    func `code that a page shows is run by a test`(page: String, language: String, files: [String]) throws {
        let source = try files.map { try String(contentsOfFile: "\(Document.root)/\($0)", encoding: .utf8) }.joined()
        let shown = Document(page).text.matches(of: try Regex("```\(language)\n((?s).*?)```")).map {
            String($0.output[1].substring ?? "")
        }
        #expect(!shown.isEmpty)
        for block in shown { #expect(source.contains(block), "\(block)") }
    }

    @Test func `an output is compared without what is another each time`() {
        let shown = [
            "up after 7 ms", "7c2fdcd4-8c6d-4a98-9c2a-721e43b5a7c3 at tickets.events/3@1", "...", "SITE  HITS",
        ]
        let real = [
            "up after 12 ms", "00000000-8c6d-4a98-9c2a-721e43b5a7c3 at tickets.events/3@9", "a", "b", "SITE HITS", "",
        ]
        #expect(difference(shown: shown, real: real) == nil)
        #expect(difference(shown: ["3 hits"], real: ["4 hits"]) != nil)
        #expect(difference(shown: ["a"], real: ["a", "b"]) != nil)
        #expect(difference(shown: ["a", "b"], real: ["a"]) != nil)
    }

    /// The anchors of a document's headings, as GitHub makes them.
    private func headings(_ text: String) -> [String] {
        text.split(separator: "\n").filter { $0.hasPrefix("#") }.map { line in
            line.drop { $0 == "#" || $0 == " " }.lowercased().filter {
                $0.isLetter || $0.isNumber || " -_".contains($0)
            }
            .replacing(" ", with: "-")
        }
    }
}
