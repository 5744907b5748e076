import Foundation
import Testing

/// Pages that lead to others, and what is said in two places.
@Suite("Pages", .timeLimit(.minutes(2)))
struct PagesTests {
    @Test func `the index leads to every page`() {
        let index = Document("docs/README.md").text
        for page in Document.all where page.path != "docs/README.md" && page.path != "docs/operations.md" {
            if page.path.hasPrefix("docs/decisions/"), page.path != "docs/decisions/README.md" { continue }
            let link = page.path.hasPrefix("docs/") ? String(page.path.dropFirst(5)) : "../" + page.path
            #expect(index.contains("](\(link))"), "\(link)")
        }
    }

    @Test func `the list of decisions leads to each`() {
        let index = Document("docs/decisions/README.md").text
        for page in Document.all where page.path.hasPrefix("docs/decisions/0") {
            let number = Int(page.path.split(separator: "/")[2].prefix(4)) ?? 0
            #expect(index.contains("- [\(number). "), "\(page.path)")
            #expect(page.text.hasPrefix("# \(number). "), "\(page.path)")
        }
    }

    @Test func `pages of domains and of operations lead to the glossary`() {
        let pages = Document.all.filter { $0.path.hasPrefix("docs/domains/") || $0.path.hasPrefix("docs/operations/") }
        #expect(pages.count > 8)
        for page in pages { #expect(page.text.contains("(../glossary.md)"), "\(page.path)") }
    }

    @Test func `what the glossary places in the code is there`() async throws {
        let glossary = Document("docs/glossary.md").text
        let types = glossary.matches(of: #/`(\w+)` in `(\w+)`/#)
        #expect(types.count > 30)
        let sources = Code.files(in: ["Sources"])
        for match in types {
            let (type, module) = (String(match.1), String(match.2))
            let declaration = try Regex("(?:struct|class|enum|protocol|actor) \(type)\\b")
            let isThere = sources.contains { $0.path.contains("/\(module)/") && $0.text.contains(declaration) }
            #expect(isThere, "\(module) has no \(type)")
        }
        let commands = try await Program.commands()
        for match in glossary.matches(of: #/`millrace ([a-z]+)/#) {
            #expect(commands.contains(String(match.1)), "\(match.0)")
        }
    }

    @Test func `figures of README are those of the performance page`() {
        let performance = Document("docs/performance.md").text
        let figures = Document("README.md").text.matches(of: #/\b\d{1,3}(?:,\d{3})+\b/#).map { String($0.output) }
        #expect(figures.count >= 8)
        for figure in figures { #expect(performance.contains("\(figure) /s"), "\(figure)") }
    }

    @Test func `the newest version of the changelog, and that of README, is the program's`() async throws {
        let version = try #require(try await Shell.millrace("--version").first)
        let changelog = Document("CHANGELOG.md").text.matches(of: #/\n## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d\n/#)
        #expect(changelog.first.map { String($0.1) } == version)
        #expect(Document("README.md").text.contains("| Millrace \(version) |"))
    }

    private static let analyze = "/usr/bin/systemd-analyze"

    /// Checks the units' words and that what they start is there.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: analyze), "there is no systemd-analyze"))
    func `units of systemd are taken by systemd-analyze, and their commands by the program`() async throws {
        let units = Code.files(in: ["docs/operations/systemd"])
        #expect(units.count == 2)
        for (path, text) in units {
            let name = String(path.split(separator: "/").last ?? "").replacing("@.", with: "@handler.")
            let unit = text.replacing("/usr/bin/millrace", with: Shell.program)
            let checked = try await Shell.run([
                "cat >\(name) <<'END'\n\(unit)\nEND\nsystemd-analyze verify --man=no ./\(name)"
            ])
            #expect(checked.exit == 0, "\(path)")
            #expect(checked.outputs.joined().filter { $0.contains(name) } == [], "\(path)")
            let command = try #require(text.firstMatch(of: #/\nExecStart=\/usr\/bin\/millrace (\w+)(.*)/#))
            let help = try await Shell.millrace("\(command.1) --help").joined(separator: " ")
            for option in command.2.matches(of: #/--[a-z-]+/#) { #expect(help.contains(option.output), "\(path)") }
        }
    }
}
