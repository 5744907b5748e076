import Foundation
import Testing

/// Pages that lead to others, and what is said in two places.
@Suite("Pages", .timeLimit(.minutes(10)))
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

    @Test func `folders and files of the project that a page names are there`() {
        // What a reader is to make.
        let toMake = ["Tests/Domains/Likes", "docs/domains/likes.md"]
        var count = 0
        for page in Document.all where page.path != "CHANGELOG.md" {
            for match in page.text.matches(of: #/`((?:Sources|Tests|Tools|docs|Plugins)\/[\w.\/+-]+)`/#) {
                if page.path == "docs/new-domain.md", toMake.contains(String(match.1)) { continue }
                let path = Document.root + "/" + match.1
                #expect(FileManager.default.fileExists(atPath: path), "\(page.path): \(match.1)")
                count += 1
            }
        }
        #expect(count > 10)
    }

    @Test func `tests that a page names are there`() {
        let tests = Code.files(in: ["Tests"])
        let folders = Set(tests.flatMap { $0.path.split(separator: "/").dropLast().map(String.init) })
        // Targets of domains' tests are named after their folders.
        let targets = folders.union(folders.map { "\($0)DomainTests" })
        for page in Document.all {
            for match in page.text.matches(of: #/`(\w+Tests)`/#) {
                let name = String(match.1)
                let isThere =
                    targets.contains(name)
                    || tests.contains { $0.path.hasSuffix("/\(name).swift") || $0.text.contains("struct \(name)") }
                #expect(isThere, "\(page.path): \(name)")
            }
        }
    }

    /// `Limits.keyBytes`, `headerBytes`: the type is said once for several.
    @Test func `each limit of the page is declared where the page says`() throws {
        var declared: [(types: Set<String>, names: Set<String>)] = []
        for (_, text) in Code.files(in: ["Sources"]) {
            let words = text.matches(of: #/(struct|class|enum|actor|extension|let|var|func|case) (\w+)/#)
            let isType: Set<Substring> = ["struct", "class", "enum", "actor", "extension"]
            declared.append(
                (
                    Set(words.filter { isType.contains($0.1) }.map { String($0.2) }),
                    Set(words.filter { !isType.contains($0.1) }.map { String($0.2) })
                ))
        }
        var count = 0
        for row in Document("docs/operations/limits.md").section("## Limits").split(separator: "\n") {
            guard let place = row.split(separator: "|").last, row.hasPrefix("| ") else { continue }
            var type = ""
            for match in place.matches(of: #/`(?:(\w+)\.)?(\w+)`/#) {
                if let named = match.1 { type = String(named) }
                let name = String(match.2)
                if name == "swift" || name.first?.isUppercase == true { continue }
                let isThere = declared.contains { file in
                    file.names.contains(name) && (type.isEmpty || file.types.contains(type))
                }
                #expect(isThere, "\(type).\(name)")
                count += 1
            }
        }
        #expect(count > 60)
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
