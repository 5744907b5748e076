internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import MillraceBus
internal import Projecting

/// The exit codes of sysexits.h that this program uses, and 1 for a refusal.
enum Exit: Int32 {
    case refused = 1
    case usage = 64
    case data = 65
    case noInput = 66
    case unavailable = 69
    case software = 70
    case cantCreate = 73
    case ioError = 74
    case tryAgain = 75
    case noPermission = 77
    case configuration = 78

    /// Ends a process that does not stop, with a word of what hung.
    static let hung: @Sendable (String) -> Void = { word in
        Output.complain("\(Program.name): \(word)")
        // Without what `exit` runs: it would wait for what hangs.
        _exit(software.rawValue)
    }

    /// Prints what went wrong, once, and gives the code to exit with.
    ///
    /// - Parameter app: Nil where there is none yet.
    static func report(_ error: any Error, in app: Application? = nil) -> Int32 {
        if error is ReaderGone { return 0 }
        if let failure = Failure(error, in: app) {
            // On one line, so that what it repeats cannot add another.
            if !failure.message.isEmpty { Output.complain("\(Program.name): \(Shown.text(failure.message))", in: .bad) }
            return failure.exit.rawValue
        }
        let code = Root.exitCode(for: error)
        let text = Root.fullMessage(for: error)
        if code.isSuccess {
            try? Output.standard.write(text.isEmpty ? "" : text + "\n")
        } else if !text.isEmpty {
            Output.complain(text)
        }
        return code.rawValue
    }
}

/// An error with its exit code and what to tell.
struct Failure: Error, CustomStringConvertible {
    var exit: Exit
    /// Empty where everything has been said.
    var message: String

    var description: String { message }

    init(_ exit: Exit, _ message: String) {
        self.exit = exit
        self.message = message
    }

    /// What a known error means to the user; nil for the parser's own.
    init?(_ error: any Error, in app: Application?) {
        switch error {
        case let error as Failure: self = error
        case let error as BusError: self.init(Self.exit(error.kind), error.message)
        case let error as UnknownName: self.init(.usage, error.message(shownBy: Unknown.places[error.what]))
        case let error as LogError where error.kind == .unknownTopic:
            self.init(unknownTopic: error, declared: app?.declaredTopics ?? [])
        case let error as LogError: self.init(Self.exit(error.kind), error.message)
        case let error as ViewError: self.init(Self.exit(error.kind), error.message)
        case let error as CommandClient.NoAnswer:
            self.init(
                .tryAgain,
                """
                no handler answered command \(error.id) within \(error.waited.short). It is on the log and will be decided: \
                start one with \(Program.name) work, and ask again with --id \(error.id)
                """)
        case let error as CommandClient.Overloaded:
            self.init(.tryAgain, "over \(error.limit) commands await their outcomes; send fewer at once")
        case let error as Malformed: self.init(.data, error.message)
        case let error as Undecodable: self.init(.data, error.description)
        case let error as Unfoldable: self.init(.data, "an event cannot be folded: \(error.description)")
        case let error as AheadOfLog: self.init(.data, error.description)
        case let error as EventsGone: self.init(.data, error.description)
        case is CancellationError: self.init(.tryAgain, "interrupted")
        default: return nil
        }
    }

    private static func exit(_ kind: BusError.Kind) -> Exit {
        switch kind {
        case .usage: .usage
        case .configuration: .configuration
        case .noInput: .noInput
        case .tryAgain: .tryAgain
        }
    }

    private static func exit(_ kind: LogError.Kind) -> Exit {
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

    private static func exit(_ kind: ViewError.Kind) -> Exit {
        switch kind {
        case .unreachable: .unavailable
        case .fenced: .tryAgain
        case .mismatch, .setting: .configuration
        case .absent: .noInput
        case .damaged, .unstorable: .data
        case .denied: .noPermission
        default: .ioError
        }
    }
}
