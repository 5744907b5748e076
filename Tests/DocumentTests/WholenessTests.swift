import Foundation
import Testing

/// The pages name all that the code has, and nothing that it has not.
@Suite("Documents and code", .timeLimit(.minutes(10)))
struct WholenessTests {
    // MARK: Variables of the environment

    /// Variables that tests set to see what becomes of any.
    private static let madeUp: Set<String> = ["MILLRACE_A_B", "MILLRACE_TEST_X", "MILLRACE_TEST_REPLICATION"]
    private static let literal = #""(MILLRACE_[A-Z_]*[A-Z])""#
    private static let trials = ["Sources/Test"]

    /// Those of the program: read by name, by the name of a setting, or in the values of a file of topics.
    private static func ofProgram() throws -> Set<String> {
        let settings = try Code.matches(
            #"ettings\.(?:integer|text)\(\s*"([a-z.-]+)""#, in: ["Sources"], without: trials)
        return try Code.matches(literal, in: ["Sources"], without: trials)
            .union(Code.matches(#"\$\{(MILLRACE_[A-Z_]*[A-Z])"#, in: ["Sources", "topics.yaml"], without: trials))
            .union(settings.map { "MILLRACE_" + $0.replacing(#/[.-]/#, with: "_").uppercased() })
    }

    /// Those of tests, benchmarks and tools.
    private static func ofTests() throws -> Set<String> {
        let places = ["Sources/Test", "Tests", "Tools", "Makefile"]
        return try Code.matches(literal, in: places, without: ["Tests/DocumentTests"])
            .union(Code.matches(#"\b(MILLRACE_[A-Z_]*[A-Z])\b"#, in: ["Tools", "Makefile"]))
            .subtracting(madeUp).subtracting(ofProgram())
    }

    private static func ours(_ cells: [String]) -> Set<String> { Set(cells.filter { $0.hasPrefix("MILLRACE_") }) }

    @Test func `every variable that the program reads is on the page of the environment, and no other`() throws {
        let code = try Self.ofProgram()
        #expect(code.isSuperset(of: ["MILLRACE_LOG", "MILLRACE_SOCIAL_FAN_OUT_LIMIT", "MILLRACE_REPLICATION"]))
        let page = Document("docs/operations/run.md").section("## Environment")
        expectSame(Self.ours(Document.firstCells(page)), code)
    }

    @Test func `every variable that tests and tools read is in CONTRIBUTING, and no other`() throws {
        let code = try Self.ofTests()
        #expect(code.isSuperset(of: ["MILLRACE_TEST_KAFKA", "MILLRACE_MINUTES", "MILLRACE_ADD_FIELDS"]))
        let page = Document("CONTRIBUTING.md").section("### Variables for tests and tools")
        expectSame(Self.ours(Document.firstCells(page)), code)
    }

    @Test func `no page names a variable that nobody reads`() throws {
        let known = try Self.ofProgram().union(Self.ofTests())
        let files =
            Document.all.map { ($0.path, $0.text) }
            + Code.files(in: ["docs/operations/systemd", "Dockerfile", "docker-compose.yml"])
        for (path, text) in files {
            for match in text.matches(of: #/\bMILLRACE_[A-Z_]*[A-Z]/#) {
                #expect(known.contains(String(match.output)), "\(path): \(match.output)")
            }
        }
    }

    // MARK: Tables

    @Test func `every table beside those of projections is on the page of the log's format, and no other`() throws {
        let stores = ["Sources/Deliver", "Sources/Project"]
        let model = stores + ["Sources/Decide/EventModel"]
        let code = try Code.matches(#"CREATE TABLE IF NOT EXISTS (\w+)\("#, in: stores)
            .union(Code.matches(#"\bTable\(\s*"(\w+)""#, in: stores))
            .union(Code.matches(#"\bprefix(?:\(of: \w+\))? \+ "(_\w+)""#, in: model))
        #expect(code.isSuperset(of: ["batches", "_checkpoints", "tries", "_quarantine", "_ids"]))
        let page = Document("docs/log-format.md")
        let cells = ["## The local log's tables", "## The views' databases"].flatMap {
            Document.firstCells(page.section($0))
        }
        // `<worker>_ids` without what stands for a name.
        expectSame(Set(cells.map { $0.replacing(#/<\w+>/#, with: "") }), code)
    }

    @Test func `topics and databases that are no domain's are on the page of the log's format`() throws {
        let page = Document("docs/log-format.md").text
        let topics = try Code.matches(#""(millrace\.\w+)", partitions:"#, in: ["Sources"])
        #expect(topics.isSuperset(of: ["millrace.topics", "millrace.quarantine", "millrace.imports"]))
        for topic in topics { #expect(page.contains("| `\(topic)` |"), "\(topic)") }
        let databases = try Code.matches(#"keptBy: "([a-z.]+)""#, in: ["Sources"])
        #expect(databases.contains("millrace.tries"))
        for database in databases { #expect(page.contains("`\(database)@"), "\(database)") }
    }

    @Test func `no page of a domain has a table, query, event or command that is not there`() async throws {
        let views = try await Program.objects("views --json")
        var tables: Set<String> = []
        var queries: Set<String> = []
        for view in views {
            tables.formUnion((view["tables"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String })
            queries.formUnion(view["queries"] as? [String] ?? [])
        }
        let kinds = try await Program.names("events --json", "name")
        for page in Document.all where page.path.hasPrefix("docs/domains/") {
            for (column, known) in [("table", tables), ("query", queries), ("event", kinds), ("command", kinds)] {
                let cells = Set(Document.firstCells(page.text, of: column))
                #expect(cells.subtracting(known).sorted() == [], "\(page.path), \(column)")
            }
        }
    }

    // MARK: Exit codes

    @Test func `MirrorMaker is told of the topics of every domain`() async throws {
        let page = Document("docs/scaling.md").text
        let told = try #require(page.firstMatch(of: #/a->b\.topics = \(([a-z|]+)\)/#)).1.split(separator: "|").map(
            String.init)
        let topics = try await Program.names("topics list --json", "topic")
        #expect(Set(told + ["millrace"]) == Set(topics.map { String($0.prefix { $0 != "." }) }), "\(told)")
    }

    @Test func `exit codes of the code, of the help and of the page are the same`() async throws {
        let source = try #require(Code.files(in: ["Sources"]).first { $0.text.contains("enum Exit: Int32") }).text
        let declared = source.matches(of: #/case \w+ = (\d+)/#).compactMap { Int($0.1) }
        let code = Set(declared).union([0])
        #expect(code.count > 8)
        let rows = Document("docs/operations/run.md").section("## Exit codes").split(separator: "\n")
        expectSame(Set(rows.compactMap { $0.firstMatch(of: #/^\| (\d+) \|/#).flatMap { Int($0.1) } }), code)
        let help = try await Shell.millrace("--help").joined(separator: " ")
        let told = try #require(help.firstMatch(of: #/Exit codes:(.*?)USAGE/#)).1
        expectSame(Set(told.matches(of: #/\d+/#).compactMap { Int($0.output) }), code)
        // The upgrade drill has one of its own.
        let tools: [String: Set<Int>] = ["docs/testing.md": [3]]
        for page in Document.all {
            for match in page.text.matches(of: #/(?:exit code|exits with|ends with) (\d+)\b/#) {
                let number = try #require(Int(match.1))
                let isKnown = code.contains(number) || tools[page.path]?.contains(number) == true
                #expect(isKnown, "\(page.path): \(match.0)")
            }
        }
    }

    /// A limit ends a test that hangs. One that a busy machine comes to fails by chance.
    @Test func `no test is told to be over in less than ten minutes`() throws {
        let limits = try Code.matches(#"\.timeLimit\(\.minutes\((\d+)\)\)"#, in: ["Tests", "Examples"])
        #expect(limits.contains("10"))
        #expect(limits.compactMap { Int($0) }.filter { $0 < 10 } == [])
    }

    private func expectSame<T: Hashable & Comparable>(
        _ page: Set<T>, _ code: Set<T>, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(code.subtracting(page).sorted() == [], "in the code, not on the page", sourceLocation: sourceLocation)
        #expect(page.subtracting(code).sorted() == [], "on the page, not in the code", sourceLocation: sourceLocation)
    }
}
