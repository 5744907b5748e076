internal import EventLog
internal import EventModel
internal import Handling
internal import Projecting

/// What an error means to whoever asked, over a command line or HTTP: of which kind it is, and what to tell.
package struct Explanation: Error, Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case usage, data, noInput, unavailable, software, ioError, tryAgain, noPermission, configuration
    }
    package var kind: Kind
    package var message: String
    /// What was wrong with a message, where it is that.
    package var field: String?

    package init(_ kind: Kind, _ message: String, field: String? = nil) {
        (self.kind, self.message, self.field) = (kind, message, field)
    }

    /// - Parameter declared: The names of the topics that are declared, asked where one is not on the log.
    /// - Returns: nil for an error that is not known here.
    package init?(_ error: any Error, declared: () -> [String]) {
        switch error {
        case let error as Explanation: self = error
        case let error as BusError: self.init(Self.kind(error.kind), error.message, field: error.field)
        case let error as UnknownName: self.init(.usage, error.message(shownBy: error.place))
        case let error as LogError where error.kind == .unknownTopic:
            self.init(unknownTopic: error, declared: declared())
        case let error as LogError: self.init(Self.kind(error.kind), error.message)
        case let error as ViewError: self.init(Self.kind(error.kind), error.message)
        case let error as CommandClient.NoAnswer:
            self.init(
                .tryAgain,
                """
                no handler answered command \(error.id) within \(error.waited.short). It is on the log and will be decided: \
                start one with \(Program.name) work, and ask again with --id \(error.id)
                """)
        case let error as CommandClient.Overloaded:
            self.init(.tryAgain, "over \(error.limit) commands await their outcomes; send fewer at once")
        case let error as Malformed: self.init(.data, error.message, field: error.field)
        case let error as Undecodable: self.init(.data, error.description)
        case let error as Unfoldable: self.init(.data, "an event cannot be folded: \(error.description)")
        case let error as AheadOfLog: self.init(.data, error.description)
        case let error as EventsGone: self.init(.data, error.description)
        case is CancellationError: self.init(.tryAgain, "interrupted")
        default: return nil
        }
    }

    /// That a topic is not there: with what to do, and a slip of the user's where it is not declared either.
    private init(unknownTopic error: LogError, declared: [String]) {
        guard let topic = error.topic else {
            self.init(.configuration, error.message)
            return
        }
        self.init(
            declared.contains(topic) ? .configuration : .usage, Self.unknownTopic(topic, declared: declared))
    }

    /// What is said of a topic that the log has not: one that is declared can be made.
    package static func unknownTopic(_ name: String, declared: [String]) -> String {
        if declared.contains(name) { return "there is no topic \(name); create it with: \(Program.name) topics apply" }
        return "there is no topic \(name), and none is declared; "
            + UnknownName.advice(name, among: declared, shownBy: "\(Program.name) topics")
    }

    private static func kind(_ kind: BusError.Kind) -> Kind {
        switch kind {
        case .usage: .usage
        case .configuration: .configuration
        case .noInput: .noInput
        case .tryAgain: .tryAgain
        case .unavailable: .unavailable
        }
    }

    private static func kind(_ kind: LogError.Kind) -> Kind {
        switch kind {
        case .unreachable: .unavailable
        case .unknownTopic, .mismatch, .setting, .replaced: .configuration
        case .tooLarge, .damaged: .data
        case .full: .ioError
        case .denied, .refused: .noPermission
        case .fenced, .aborted, .busy: .tryAgain
        case .closed: .software
        default: .ioError
        }
    }

    private static func kind(_ kind: ViewError.Kind) -> Kind {
        switch kind {
        case .unreachable: .unavailable
        case .fenced, .busy: .tryAgain
        case .mismatch, .setting: .configuration
        case .absent: .noInput
        case .damaged, .unstorable: .data
        case .denied: .noPermission
        default: .ioError
        }
    }
}

extension UnknownName {
    /// The command lines that show all names of a kind.
    private static var places: [String: String] {
        [
            "query": "\(Program.name) views", "projection": "\(Program.name) views",
            "command": "\(Program.name) events", "event": "\(Program.name) events",
            "importer": "\(Program.name) import --help",
        ]
    }

    /// The words that show all names there are: `millrace views`. Nil where they are few and are named.
    package var place: String? { Self.places[what] }
}
