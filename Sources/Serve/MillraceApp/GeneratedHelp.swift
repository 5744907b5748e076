internal import ArgumentParser
internal import EventModel
internal import MillraceBus

/// Help for one command, event or query, made from what the domain declares.
enum GeneratedHelp {
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
                \(Prose.fitted(found.kind.about))

                \(Prose.fitted("USAGE: \(Program.name) send \(found.kind.name) \(options(found)) [--id <id>]", indent: 7))
                       \(Program.name) send \(found.kind.name) '{"\(found.kind.fields.first?.name ?? "")": ...}'

                FIELDS:
                \(fields(found))
                """
        case "produce":
            guard let found = try? catalogue.event(name) else { return nil }
            let way =
                found.decided
                ? "Its handler admits it only where it is a legal next event."
                : "It is checked and appended to \(found.topic)."
            return """
                \(Prose.fitted("\(found.kind.about) \(way)"))

                USAGE: \(Program.name) produce \(found.kind.name) [--file <file>] [--on-error stop|skip]    (one JSON object a line)
                \(found.example.map { "       echo '\($0.least)' | \(Program.name) produce \(found.kind.name)\n" } ?? "")
                FIELDS:
                \(fields(found))
                """
        case "query":
            guard let query = try? catalogue.query(name) else { return nil }
            let rows =
                query.parameters.map { parameter in
                    [
                        "  --\(option(parameter.name))", parameter.kind.rawValue,
                        about(parameter),
                    ]
                } + [["  --limit", Parameter.Kind.integer.rawValue, "rows of a page (default: \(query.page))"]]
            return """
                \(Prose.fitted(query.about))

                USAGE: \(Program.name) query \(query.name) [--<parameter> <value> ...] [--limit <n>] [--cursor <cursor>]

                PARAMETERS:
                \(TextTable(header: ["", "type", ""], rows: rows, isProse: true).text)
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
        return Root.helpMessage(for: Import.self, columns: Terminal.width ?? 80) + "\nIMPORTERS:\n"
            + "  " + TextTable(header: ["", ""], rows: rows, isProse: true).text.drop { $0 == " " || $0 == "\n" }
            + "\n\(Program.name) import NAME --help shows an importer's options.\n"
    }

    private static func help(of importer: Importer) -> String {
        let rows = importer.parameters.map { parameter in
            let value = parameter.kind == .flag ? "" : " <\(parameter.kind.rawValue)>"
            return [
                "  --\(option(parameter.name))\(value)", about(parameter),
            ]
        }
        let options =
            rows.isEmpty
            ? ""
            : "\nOPTIONS OF ITS OWN:\n  \(TextTable(header: ["", ""], rows: rows, isProse: true).text.drop { $0 == " " || $0 == "\n" })"
        return """
            \(Prose.fitted(importer.about))

            \(Prose.wrapped(importer.discussion.replacing("millrace import ", with: "\(Program.name) import ")))

            USAGE: \(Program.name) import \(importer.name) FILE [--<option> <value> ...] [--on-error stop|skip] [--progress]
            \(options)
            \(Program.name) import --help shows the options that all importers have.

            """
    }

    private static func about(_ parameter: Parameter) -> String {
        let allowed = parameter.allowed.isEmpty ? "" : ": \(parameter.allowed.joined(separator: ", "))"
        return parameter.about + allowed + (parameter.required ? " (needed)" : "")
    }

    /// The fields of a command as options; those in brackets may be left out.
    private static func options(_ found: Catalogue.Found) -> String {
        let required = found.example?.required ?? []
        return found.kind.fields.map { field in
            let words = "--\(option(field.name)) <\(field.name)>"
            return required.contains(field.name) ? words : "[\(words)]"
        }.joined(separator: " ")
    }

    /// What each field is, and whether a message needs it.
    static func fields(_ found: Catalogue.Found) -> String {
        let required = found.example?.required ?? []
        let rows = found.kind.fields.map { field in
            let needed = required.contains(field.name) ? ["(needed)"] : []
            return [
                "  \(field.name)", field.repeated ? "[\(field.type)]" : field.type,
                ((field.about.isEmpty ? [] : [field.about]) + needed).joined(separator: " "),
            ]
        }
        return TextTable(header: ["  field", "type", ""], rows: rows, isProse: true).text
    }

    /// As a command line has it: `paymentToken` is `--payment-token`.
    static func option(_ name: String) -> String { Spelling.option(name) }
}
