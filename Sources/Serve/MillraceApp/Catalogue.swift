internal import ArgumentParser
internal import EventModel
internal import MillraceBus

/// `millrace events`.
struct Events: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "events",
            abstract: "Show every event and command with its fields.",
            discussion: "Example: \(Program.name) events HoldSeats")
    }
    @Argument(help: "Only this event, command or domain.", completion: .names)
    var name: String?
    @OptionGroup var shape: OutputOptions

    func run(in app: Application) throws {
        let catalogue = app.catalogue
        let all =
            catalogue.commands.map { ("command", $0) } + (catalogue.events + catalogue.derived).map { ("event", $0) }
        let chosen = name.map { name in Naming.find(name, in: all) { $0.1.names + [$0.1.domain.name] } } ?? all
        if chosen.isEmpty {
            let known = all.map(\.1.kind.name) + catalogue.domains.map(\.name)
            throw Unknown.failure(
                "event, command or domain", name ?? "", among: known, shownBy: "\(Program.name) events")
        }
        if shape.csv { return try shape.showLines(chosen.flatMap { Self.lines($0, $1) }) }
        for (what, found) in chosen {
            if shape.asTable {
                let owner = what == "event" ? ", \(found.origin.rawValue)" : ""
                let title = "\(found.kind.name)  (\(what)\(owner), \(found.topic))  \(found.kind.about)"
                try Output.standard.line(Prose.fitted(title))
                try Output.standard.write(GeneratedHelp.fields(found))
            } else {
                try shape.showLines([found.members(what)])
            }
        }
    }

    /// A line a field.
    private static func lines(_ what: String, _ found: Catalogue.Found) -> [Members] {
        let required = found.example?.required
        return found.kind.fields.map { field in
            [
                ("domain", JSON.string(found.domain.name)), ("kind", JSON.string(what)),
                ("name", JSON.string(found.kind.name)), ("topic", JSON.string(found.topic)),
                ("field", JSON.string(field.name)), ("type", JSON.string(field.type)),
                ("repeated", String(field.repeated)),
                ("required", required.map { String($0.contains(field.name)) } ?? "null"),
                ("about", JSON.string(field.about)),
            ]
        }
    }
}

/// `millrace views`.
struct Views: AppCommand {
    static let configuration = CommandConfiguration(
        commandName: "views",
        abstract: "Show the views: projections, their tables and columns, and the queries over them.")
    @OptionGroup var shape: OutputOptions

    func run(in app: Application) throws {
        let catalogue = app.catalogue
        if shape.csv { return try shape.showLines(catalogue.projections.flatMap(Self.lines)) }
        for projection in catalogue.projections {
            let queries = catalogue.queries.filter { $0.projection == projection.name }.map(\.name)
            if !shape.asTable {
                let tables = projection.tables.map { table in
                    JSON.object([
                        ("name", JSON.string(table.name)), ("about", JSON.string(table.about)),
                        (
                            "columns",
                            JSON.array(
                                table.columns.enumerated().map { i, column in
                                    JSON.object([
                                        ("name", JSON.string(column.name)), ("type", JSON.string(column.kind.rawValue)),
                                        ("key", String(i < table.key)), ("about", JSON.string(column.about)),
                                    ])
                                })
                        ),
                    ])
                }
                try Output.standard.line(
                    JSON.object([
                        ("projection", JSON.string(projection.name)), ("version", String(projection.version)),
                        ("about", JSON.string(projection.about)),
                        ("topics", JSON.array(projection.topics.map(JSON.string))), ("tables", JSON.array(tables)),
                        ("queries", JSON.array(queries.map(JSON.string))),
                    ]))
                continue
            }
            let from = projection.topics.joined(separator: ", ")
            try Output.standard.line(
                Prose.fitted("\(projection.name) (version \(projection.version), from \(from)): \(projection.about)"))
            try Output.standard.line(Prose.fitted("  queries: \(queries.joined(separator: ", "))"))
            for table in projection.tables {
                try Output.standard.line(Prose.fitted("  \(table.name): \(table.about)"))
                let rows = table.columns.enumerated().map { i, column in
                    ["   ", column.name, column.kind.rawValue + (i < table.key ? ", key" : ""), column.about]
                }
                try Output.standard.write(
                    TextTable(header: ["", "column", "type", ""], rows: rows, isProse: true).text)
            }
        }
    }

    /// A line a column.
    private static func lines(_ projection: AnyProjection) -> [Members] {
        projection.tables.flatMap { table in
            table.columns.enumerated().map { i, column in
                [
                    ("projection", JSON.string(projection.name)), ("version", String(projection.version)),
                    ("table", JSON.string(table.name)), ("column", JSON.string(column.name)),
                    ("type", JSON.string(column.kind.rawValue)), ("key", String(i < table.key)),
                    ("about", JSON.string(column.about)),
                ]
            }
        }
    }
}
