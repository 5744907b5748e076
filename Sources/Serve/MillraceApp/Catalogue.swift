internal import ArgumentParser
internal import EventModel
internal import MillraceBus

/// `millrace events`.
struct Events: AppCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show every event and command with its fields.",
        discussion: "Example: millrace events HoldSeats")
    @Argument(help: "Only this event, command or domain.", completion: .names)
    var name: String?
    @OptionGroup var shape: Shape

    func run(in app: Application) throws {
        let catalogue = app.catalogue
        let all =
            catalogue.commands.map { ("command", $0) } + (catalogue.events + catalogue.derived).map { ("event", $0) }
        let chosen = all.filter { _, found in
            guard let name else { return true }
            return found.answers(to: name) || found.domain.name == name
        }
        if chosen.isEmpty {
            let known = all.map(\.1.kind.name) + catalogue.domains.map(\.name)
            throw Unknown.failure("event, command or domain", name ?? "", among: known, shownBy: "millrace events")
        }
        for (what, found) in chosen {
            if shape.asTable {
                let owner = what == "event" ? ", \(found.origin.rawValue)" : ""
                try Output.standard.line("\(found.kind.name)  (\(what)\(owner), \(found.topic))  \(found.kind.about)")
                try Output.standard.write(Teaching.fields(found.kind))
            } else {
                try Output.standard.line(
                    JSON.object([
                        ("domain", JSON.string(found.domain.name)), ("kind", JSON.string(what)),
                        ("name", JSON.string(found.kind.name)), ("topic", JSON.string(found.topic)),
                        ("about", JSON.string(found.kind.about)),
                        (
                            "fields",
                            JSON.array(
                                found.kind.fields.map { field in
                                    JSON.object([
                                        ("name", JSON.string(field.name)), ("type", JSON.string(field.type)),
                                        ("repeated", String(field.repeated)), ("about", JSON.string(field.about)),
                                    ])
                                })
                        ),
                    ]))
            }
        }
    }
}

/// `millrace views`.
struct Views: AppCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the views: projections, their tables and columns, and the queries over them.")
    @OptionGroup var shape: Shape

    func run(in app: Application) throws {
        let catalogue = app.catalogue
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
            try Output.standard.line(
                "\(projection.name) (version \(projection.version), from \(projection.topics.joined(separator: ", "))): \(projection.about)"
            )
            try Output.standard.line("  queries: \(queries.joined(separator: ", "))")
            for table in projection.tables {
                try Output.standard.line("  \(table.name): \(table.about)")
                let rows = table.columns.enumerated().map { i, column in
                    ["   ", column.name, column.kind.rawValue + (i < table.key ? ", key" : ""), column.about]
                }
                try Output.standard.write(TextTable(header: ["", "column", "type", ""], rows: rows).text)
            }
        }
    }
}

/// Help for one command, event or query, made from what the domain declares.
enum Teaching {
    static func help(for arguments: [String], in app: Application) -> String? {
        if arguments.first == "help" { return help(for: arguments.dropFirst() + ["--help"], in: app) }
        if ["--help", "-h"].contains(arguments.last), arguments.count == 2, arguments[0] == "import" {
            return importers(app.catalogue)
        }
        guard arguments.count >= 3, arguments.dropFirst(2).contains(where: { $0 == "--help" || $0 == "-h" }) else {
            return nil
        }
        let catalogue = app.catalogue
        let name = arguments[1]
        switch arguments[0] {
        case "send":
            guard let found = try? catalogue.command(name) else { return nil }
            return """
                \(found.kind.about)

                USAGE: millrace send \(found.kind.name) \(found.kind.fields.map { "[--\(option($0.name)) <\($0.name)>]" }.joined(separator: " ")) [--id <id>]
                       millrace send \(found.kind.name) '{"\(found.kind.fields.first?.name ?? "")": ...}'

                FIELDS:
                \(fields(found.kind))
                """
        case "produce":
            guard let found = try? catalogue.event(name) else { return nil }
            let way =
                found.decided
                ? "Its handler admits it only where it is a legal next event."
                : "It is checked and appended to \(found.topic)."
            return """
                \(found.kind.about) \(way)

                USAGE: millrace produce \(found.kind.name) [--file <file>] [--on-error stop|skip]    (one JSON object a line)

                FIELDS:
                \(fields(found.kind))
                """
        case "query":
            guard let query = try? catalogue.query(name) else { return nil }
            let rows =
                query.parameters.map { parameter in
                    [
                        "  --\(option(parameter.name))", parameter.kind.rawValue,
                        parameter.about + (parameter.required ? " (needed)" : ""),
                    ]
                } + [["  --limit", Parameter.Kind.integer.rawValue, "rows of a page (default: \(query.page))"]]
            return """
                \(query.about)

                USAGE: millrace query \(query.name) [--<parameter> <value> ...] [--limit <n>] [--cursor <cursor>]

                PARAMETERS:
                \(TextTable(header: ["", "type", ""], rows: rows).text)
                """
        case "import":
            guard let importer = try? catalogue.importer(name).importer else { return nil }
            return help(of: importer)
        default: return nil
        }
    }

    /// The command's own help, and what there is to import.
    private static func importers(_ catalogue: Catalogue) -> String {
        let rows = catalogue.importers.map { ["  \($0.importer.name)", $0.importer.about] }
        return Root.helpMessage(for: Import.self, columns: 80) + "\nIMPORTERS:\n"
            + "  " + TextTable(header: ["", ""], rows: rows).text.drop { $0 == " " || $0 == "\n" }
            + "\nmillrace import NAME --help shows an importer's options.\n"
    }

    private static func help(of importer: Importer) -> String {
        let rows = importer.parameters.map { parameter in
            let value = parameter.kind == .flag ? "" : " <\(parameter.kind.rawValue)>"
            return [
                "  --\(option(parameter.name))\(value)", parameter.about + (parameter.required ? " (needed)" : ""),
            ]
        }
        let options =
            rows.isEmpty
            ? ""
            : "\nOPTIONS OF ITS OWN:\n  \(TextTable(header: ["", ""], rows: rows).text.drop { $0 == " " || $0 == "\n" })"
        return """
            \(importer.about)

            \(importer.discussion)

            USAGE: millrace import \(importer.name) FILE [--<option> <value> ...] [--on-error stop|skip] [--progress]
            \(options)
            millrace import --help shows the options that all importers have.

            """
    }

    static func fields(_ kind: Schema.Kind) -> String {
        let rows = kind.fields.map { field in
            ["  \(field.name)", field.repeated ? "[\(field.type)]" : field.type, field.about]
        }
        return TextTable(header: ["  field", "type", ""], rows: rows).text
    }

    /// As a command line has it: `paymentToken` is `--payment-token`.
    static func option(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : String($1) }
    }
}
