internal import ArgumentParser
internal import EventModel
internal import MillraceBus

/// `millrace describe`.
struct Describe: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "describe",
            abstract: "Print what a domain has, in Markdown: the tables of its page in the documents.",
            paragraphs: """
                Commands, events, topics, workers, views, queries and importers, as the domain
                declares them. What the code does not know is left to be written: the flow, when
                a command is refused, a run.

                Examples:
                  \(Program.name) describe tickets
                  \(Program.name) describe ratings > docs/domains/ratings.md
                """)
    }
    @Argument(help: "The domain.", completion: .names)
    var domain: String

    func run(in app: Application) throws {
        guard let found = Naming.find(domain, in: app.domains, names: { [$0.name] }).first else {
            throw Unknown.failure("domain", domain, among: app.domains.map(\.name), shownBy: "\(Program.name) events")
        }
        try Output.standard.write(DomainPage(found, app.catalogue).text)
    }
}

/// A domain's page, as far as the code knows it.
struct DomainPage {
    private let domain: Domain
    private let catalogue: Catalogue

    init(_ domain: Domain, _ catalogue: Catalogue) { (self.domain, self.catalogue) = (domain, catalogue) }

    var text: String {
        let parts = [
            "# \(domain.name)\n\n\(domain.about)\n\nWords that are new to you are in the [glossary](../glossary.md).\n",
            section("Commands", commands), section("Events", events), section("Topics", topics),
            section("Views", views), section("Queries", queries), section("Importers", importers),
        ]
        return parts.compactMap { $0 }.joined(separator: "\n")
    }

    private func section(_ title: String, _ body: String?) -> String? { body.map { "## \(title)\n\n\($0)" } }

    private func table(_ header: [String], _ rows: [[String]]) -> String? {
        if rows.isEmpty { return nil }
        func line(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |\n" }
        let rule = "|" + header.map { _ in "---|" }.joined() + "\n"
        return line(header) + rule + rows.map { line($0.map(Self.cell)) }.joined()
    }

    /// A line break or a bar would end a cell.
    private static func cell(_ text: String) -> String {
        text.replacing("\n", with: " ").replacing("|", with: "\\|")
    }

    // MARK: Messages

    private var commands: String? {
        table(
            ["command", "what it does", "fields"],
            catalogue.commands.filter { $0.domain.name == domain.name }.map {
                ["`\($0.kind.name)`", $0.kind.about, fields($0)]
            })
    }

    private var events: String? {
        table(
            ["event", "what it tells", "topic", "fields"],
            (catalogue.events + catalogue.derived).filter { $0.domain.name == domain.name }.map {
                ["`\($0.kind.name)`", $0.kind.about, "`\($0.topic)`", fields($0)]
            })
    }

    /// Those that may be left out stand in brackets.
    private func fields(_ found: Catalogue.Found) -> String {
        let required = found.example?.required
        let actor = found.domain.actor(of: found.kind)
        return found.kind.fields.map { field in
            let name =
                field.name == actor?.name
                ? "\(field.name) (who acts)"
                : field.parts.isEmpty ? field.name : "\(field.name) (\(names(field.parts)))"
            return required?.contains(field.name) ?? true ? name : "[\(name)]"
        }.joined(separator: ", ")
    }

    private func names(_ fields: [Schema.Field]) -> String {
        fields.map { $0.parts.isEmpty ? $0.name : "\($0.name) (\(names($0.parts)))" }.joined(separator: ", ")
    }

    private var topics: String? {
        table(
            ["topic", "partitions", "key", "kept", "written by"],
            domain.topics.map { topic in
                [
                    "`\(topic.name)`", "\(topic.partitions)", topic.key, topic.retention?.short ?? "forever",
                    topic.owner,
                ]
            })
    }

    // MARK: Views

    private var views: String? {
        let parts = domain.projections.map { projection in
            let from = projection.topics.map { "`\($0)`" }.joined(separator: ", ")
            let tables = table(
                ["table", "key", "columns"],
                projection.tables.map { table in
                    let (key, columns) = (table.columns.prefix(table.key), table.columns.dropFirst(table.key))
                    return ["`\(table.name)`", self.columns(key), self.columns(columns)]
                })
            return """
                `\(projection.name)` (version \(projection.version), from \(from)): \(projection.about)

                \(tables ?? "")
                """
        }
        return parts.isEmpty ? nil : parts.joined(separator: "\n")
    }

    private func columns(_ columns: ArraySlice<Column>) -> String {
        columns.map { $0.about.isEmpty ? $0.name : "\($0.name) (\($0.about))" }.joined(separator: ", ")
    }

    private var queries: String? {
        table(
            ["query", "answers", "parameters"],
            domain.queries.map { ["`\($0.name)`", $0.about, parameters($0.parameters)] })
    }

    private var importers: String? {
        table(
            ["importer", "what it does", "options"],
            domain.importers.map { ["`\($0.name)`", $0.about, parameters($0.parameters)] })
    }

    private func parameters(_ parameters: [Parameter]) -> String {
        parameters.map { parameter in
            let name = "`--\(GeneratedHelp.option(parameter.name))`"
            let about = parameter.about.isEmpty ? name : "\(name) (\(parameter.about))"
            return parameter.required ? about : "[\(about)]"
        }.joined(separator: ", ")
    }
}
