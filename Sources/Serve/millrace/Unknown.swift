internal import ArgumentParser
internal import EventLog
internal import EventModel

/// What is said of a name that is not known: which one it may have been, then where all of them are shown.
enum Unknown {
    /// - Parameters:
    ///   - what: `query`, as in: there is no query NAME.
    ///   - place: The words that show all of them: `millrace views`. Nil where they are few and are named.
    static func failure(_ what: String, _ name: String, among known: [String], shownBy place: String?) -> Failure {
        Failure(.usage, "there is no \(what) \(name); \(advice(name, among: known, shownBy: place))")
    }

    static func advice(_ name: String, among known: [String], shownBy place: String?) -> String {
        let question = Nearest.question(to: name, among: known)
        let all = place.map { "all are shown by: \($0)" } ?? "there are \(known.joined(separator: ", "))"
        return question.map { "\($0) \(all.prefix(1).uppercased())\(all.dropFirst())" } ?? all
    }

    /// What is said of a topic that the log has not: one that is declared can be made.
    static func topic(_ name: String, declared: [String]) -> String {
        if declared.contains(name) { return "there is no topic \(name); create it with: millrace topics apply" }
        return "there is no topic \(name), and none is declared; "
            + advice(name, among: declared, shownBy: "millrace topics")
    }
}

extension LogError {
    /// Its message, with what to do where it is about a topic that is not there.
    var advised: String {
        guard kind == .unknownTopic, let topic else { return message }
        return Unknown.topic(topic, declared: Self.declared)
    }

    /// Whether it is about a topic that is neither on the log nor declared: one that somebody named in error.
    var isOfNoSuchTopic: Bool {
        guard kind == .unknownTopic, let topic else { return false }
        return !Self.declared.contains(topic)
    }

    private static var declared: [String] {
        let domains = Millrace.domains
        let topics = (try? TopicFile.declared([], domains: domains).map(\.topic)) ?? TopicFile.builtIn(domains)
        return topics.map(\.name)
    }
}

extension Millrace {
    /// Refuses the first word that names no command, before the parser does: with the command that it may have been.
    static func checkCommand(_ arguments: [String]) throws {
        var command: any ParsableCommand.Type = self
        var path = _commandName
        for word in arguments {
            let known = command.configuration.subcommands
            if known.isEmpty || word.hasPrefix("-") || word == "help" && path == _commandName { return }
            guard let next = known.first(where: { $0._commandName == word }) else {
                throw Unknown.failure("command", word, among: known.map { $0._commandName }, shownBy: "\(path) --help")
            }
            (command, path) = (next, "\(path) \(word)")
        }
    }
}

extension ParsableCommand {
    /// The long options of a command, as they are written: the parser's own words for them.
    static var optionNames: [String] {
        let lines = helpMessage(columns: 400).split(separator: "\n").filter { $0.hasPrefix("  -") }
        let names = lines.flatMap { $0.split { " ,/".contains($0) }.filter { $0.hasPrefix("--") }.prefix(1) }
        return Array(Set(names.map(String.init))).sorted()
    }
}
