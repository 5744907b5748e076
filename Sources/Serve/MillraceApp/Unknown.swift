internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import MillraceBus

/// What is said of a name that is not known: which one it may have been, then where all of them are shown.
enum Unknown {
    /// - Parameters:
    ///   - what: `query`, as in: there is no query NAME.
    ///   - place: The words that show all of them: `millrace views`. Nil where they are few and are named.
    static func failure(_ what: String, _ name: String, among known: [String], shownBy place: String?) -> Failure {
        Failure(.usage, UnknownName(what, name, among: known).message(shownBy: place))
    }
}

extension Application {
    /// The names of the topics that are declared here.
    var declaredTopics: [String] {
        let topics = (try? TopicFile.declared([], domains: domains).map(\.topic)) ?? domains.builtInTopics
        return topics.map(\.name)
    }
}

extension Root {
    /// Refuses the first word that names no command, before the parser does: with the command that it may have been.
    static func checkCommand(_ arguments: [String]) throws {
        var command: any ParsableCommand.Type = self
        var path = _commandName
        // Help of a command that is not there would be that of all.
        for word in arguments.first == "help" ? arguments.dropFirst() : arguments[...] {
            let known = command.configuration.subcommands
            if known.isEmpty || word.hasPrefix("-") { return }
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
