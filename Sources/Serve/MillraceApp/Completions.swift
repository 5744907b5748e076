internal import ArgumentParser
internal import EventModel
internal import MillraceBus

extension CompletionKind {
    /// Names that the application knows: see ``Application/completions(for:)``. The parser would ask the argument itself,
    /// which knows no application.
    static var names: CompletionKind { .custom { _, _, _ in [] } }
}

extension Application {
    /// What a shell's completion script is answered: one candidate a line. Nil where the words are no such question.
    ///
    /// The scripts ask `---completion COMMAND... -- ARGUMENT INDEX CURSOR WORD...`, where the argument is `--option` or
    /// `positional@N`, and the words are the whole line's.
    func completions(for words: [String]) -> [String]? {
        guard words.first == "---completion", let end = words.firstIndex(of: "--"), words.count > end + 1 else {
            return nil
        }
        let (command, argument) = (words[1..<end].joined(separator: " "), words[end + 1])
        let line = Array(words.dropFirst(end + 4))
        switch (command, argument) {
        case ("send", "positional@0"): return catalogue.commands.map(\.kind.name)
        case ("send", _):
            return named(in: line).flatMap { try? catalogue.command($0) }.map { options(of: $0.kind) } ?? []
        case ("produce", "positional@0"): return catalogue.events.map(\.kind.name)
        case ("query", "positional@0"): return catalogue.queries.map(\.name)
        case ("query", "positional@1"):
            return named(in: line).flatMap { try? catalogue.query($0) }.map { options(of: $0.parameters) } ?? []
        case ("import", "positional@0"): return catalogue.importers.map(\.importer.name)
        case ("events", _): return domains.map(\.name) + (catalogue.commands + catalogue.events).map(\.kind.name)
        case ("verify", "--topic"), ("replay", "positional@0"), ("topics describe", _), ("topics recount", _):
            return declaredTopics
        case ("replay", "--type"):
            let topics = domains.filter { domain in domain.topics.contains { line.contains($0.name) } }
            return (topics.isEmpty ? domains : topics).flatMap {
                $0.topics.compactMap { t in domains.schema(of: t.name) }
            }
            .flatMap(\.kinds).map(\.name)
        case ("replay", "--into"), ("verify", _), ("rebuild", _), ("snapshot", _):
            return catalogue.projections.map(\.name)
        case ("work", _), ("health", _):
            return workers.map(\.name) + ["handler", "reactor", "projector"] + domains.map(\.name)
        case ("quarantine list", _), ("quarantine show", "positional@0"), ("quarantine redrive", "positional@0"),
            ("quarantine drop", "positional@0"), ("lag", _):
            return workers.map(\.name)
        default: return []
        }
    }

    /// The name that a line's command is given: its first word behind it that is no option.
    private func named(in line: [String]) -> String? {
        line.dropFirst(2).first { !$0.hasPrefix("-") }
    }

    private func options(of kind: Schema.Kind) -> [String] { kind.fields.map { "--\(GeneratedHelp.option($0.name))" } }
    private func options(of parameters: [Parameter]) -> [String] {
        parameters.map { "--\(GeneratedHelp.option($0.name))" }
    }
}
