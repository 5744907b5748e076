internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus

extension CompletionKind {
    /// Names that the application knows: see ``Application/completions(for:)``. The parser would ask the argument itself,
    /// which knows no application.
    static var names: CompletionKind { .custom { _, _, _ in [] } }
}

/// What a shell's completion script asks: `---completion COMMAND... -- ARGUMENT INDEX CURSOR WORD...`, where the argument is
/// `--option` or `positional@N`, the index says which word is to be completed, and the words are the whole line's.
struct CompletionQuestion {
    var command: String
    var argument: String
    /// The words before the one that is to be completed, without the program's own.
    var before: [String]

    /// Nil where the words are no such question.
    init?(_ words: [String]) {
        guard words.first == "---completion", let end = words.firstIndex(of: "--"), words.count > end + 2 else {
            return nil
        }
        command = words[1..<end].joined(separator: " ")
        argument = words[end + 1]
        // fish does not know where the cursor is while it is asked by a script.
        let hasCursor = words.count > end + 3 && Int(words[end + 3]) != nil
        let line = words.dropFirst(end + (hasCursor ? 4 : 3))
        before = Array(line.prefix(Int(words[end + 2]) ?? line.count).dropFirst())
    }

    /// What the command is given by name: its first word that names something.
    func named<Found>(_ find: (String) throws -> Found) -> Found? {
        for word in before.dropFirst() where !word.hasPrefix("-") {
            if let found = try? find(word) { return found }
        }
        return nil
    }

    /// The last value that an option has been given.
    func value(of option: String) -> String? {
        for (word, next) in zip(before, before.dropFirst() + [""]).reversed() {
            if word == option, !next.isEmpty { return next }
            if word.hasPrefix(option + "=") { return String(word.dropFirst(option.count + 1)) }
        }
        return nil
    }

    /// Options that are not given yet, or the values of the one that stands last.
    func loose(_ options: [(name: String, values: [String]?)]) -> [String] {
        let named = options.map { (option: "--\(GeneratedHelp.option($0.name))", values: $0.values) }
        if let last = before.last, let asked = named.first(where: { $0.option == last }), let values = asked.values {
            return values
        }
        return named.map(\.option).filter { !before.contains($0) }
    }
}

extension Application {
    /// What a shell's completion script is answered: one candidate a line. Nil where the words are no such question.
    func completions(for words: [String]) async -> [String]? {
        guard let question = CompletionQuestion(words) else { return nil }
        let found = await candidates(question)
        // zsh takes what is behind a colon for a description, and the parser's script for it drops the last line.
        let isZsh = ProcessInfo.processInfo.environment["SAP_SHELL"] == "zsh"
        return isZsh ? found.map { $0.replacing(":", with: "\\:") } + [" "] : found
    }

    private func candidates(_ question: CompletionQuestion) async -> [String] {
        switch (question.command, question.argument) {
        case (_, "--log"): return ["local:", "kafka://"]
        case (_, "--views"): return ["sqlite:", "postgres://"]
        case ("send", "--at"): return Self.moments
        case ("send", _):
            // bash asks for the first argument also where an option that it does not know has begun behind that.
            guard let found = question.named(catalogue.command) else { return catalogue.commands.map(\.kind.name) }
            return question.loose(found.kind.fields.map { ($0.name, Self.values(of: $0)) })
        case ("produce", "positional@0"): return catalogue.events.map(\.kind.name)
        case ("query", "--after"): return await places(question)
        case ("query", "--as-of"): return Self.moments.map { "@\($0)" } + (await places(question))
        case ("query", _):
            guard let found = question.named(catalogue.query) else { return catalogue.queries.map(\.name) }
            return question.loose(found.parameters.map { ($0.name, Self.values(of: $0)) })
        case ("import", "positional@0"): return catalogue.importers.map(\.importer.name)
        case ("events", _): return domains.map(\.name) + (catalogue.commands + catalogue.events).map(\.kind.name)
        case ("verify", "--topic"), ("replay", "positional@0"), ("cache replay", "positional@0"),
            ("topics describe", _), ("topics recount", _):
            return declaredTopics
        case ("replay", "--from"), ("replay", "--to"):
            return ["start", "end", "+10", "-10"] + Self.moments.flatMap { ["@\($0)", "first@\($0)"] }
        case ("replay", "--partition"):
            let counts = topics(question).map(\.partitions)
            return (0..<(counts.max() ?? 0)).map(String.init)
        case ("replay", "--type"):
            return topics(question).flatMap { domains.schema(of: $0.name)?.kinds.map(\.name) ?? [] }
        case ("replay", "--into"), ("verify", _), ("rebuild", _), ("snapshot", _):
            return catalogue.projections.map(\.name)
        case ("work", _), ("health", _):
            return workers.map(\.name) + ["handler", "reactor", "projector"] + domains.map(\.name)
        case ("demo", "--only"): return domains.filter { $0.demonstration != nil }.map(\.name)
        case ("quarantine list", _), ("quarantine show", "positional@0"), ("quarantine redrive", "positional@0"),
            ("quarantine drop", "positional@0"), ("lag", _):
            return workers.map(\.name)
        default: return []
        }
    }

    /// Forms of a moment, as ``Moment`` reads it.
    private static var moments: [String] {
        let hour = Duration.seconds(3600).milliseconds
        let whole = now().rawValue / hour * hour
        return ["-5m", "-1h", "-1d", Timestamp(whole).rfc3339]
    }

    /// What is offered for a field: nothing where anything may be meant.
    private static func values(of field: Schema.Field) -> [String] {
        field.type == "bool" ? ["true", "false"] : field.values
    }

    /// Nil of a flag, which has no value.
    private static func values(of parameter: Parameter) -> [String]? {
        switch parameter.kind {
        case .flag: nil
        case .timestamp: ["now"] + moments
        case .duration: ["60s", "5m", "1h"]
        case .text, .integer, .real: parameter.allowed
        }
    }

    /// The declared topics that a line names, or else all.
    private func topics(_ question: CompletionQuestion) -> [Topic] {
        let declared = (try? TopicFile.declared([], domains: domains).map(\.topic)) ?? domains.builtInTopics
        let named = declared.filter { question.before.contains($0.name) }
        return named.isEmpty ? declared : named
    }

    /// Where a query's topics stand: the last record of each partition of a log on this machine. A broker is not asked, for
    /// that takes long: of its partitions the offset is left to be written.
    private func places(_ question: CompletionQuestion) async -> [String] {
        guard let query = question.named(catalogue.query),
            let projection = try? catalogue.projection(query.projection)
        else { return [] }
        let words = question.value(of: "--log").map { ["--log", $0] } ?? []
        if let place = try? LogAndViewOptions.parse(words).logPlace(), case .local(let folder) = place {
            guard FileManager.default.fileExists(atPath: folder + "/log.sqlite"),
                let log = try? await place.open(LogPlace.Opening(topics: [], tell: { _ in }))
            else { return [] }
            let bounds = try? await log.bounds(of: log.partitions(of: projection.topics))
            await log.close()
            return (bounds ?? [:]).filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
                .map { "\($0.key)@\($0.value.upperBound.rawValue - 1)" }
        }
        let declared = (try? TopicFile.declared([], domains: domains).map(\.topic)) ?? domains.builtInTopics
        return declared.filter { projection.topics.contains($0.name) }.flatMap { topic in
            (0..<topic.partitions).map { "\(topic.name)/\($0)@" }
        }
    }
}
