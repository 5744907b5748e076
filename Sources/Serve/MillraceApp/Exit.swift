internal import ArgumentParser
internal import EventModel
internal import Foundation
internal import MillraceBus

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
        Output.complain("\(Program.name): \(word)", in: .bad)
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
        // What nobody has foreseen is no refusal.
        if code == .failure, !(error is ExitCode) {
            Output.complain("\(Program.name): \(Shown.text("\(error)"))", in: .bad)
            return software.rawValue
        }
        if code.isSuccess {
            do { try Output.standard.write(text.isEmpty ? "" : text + "\n") } catch { return report(error, in: app) }
        } else if !text.isEmpty {
            Output.complain(text, in: LogFormat.current == .json ? .bad : nil)
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
        if let failure = error as? Failure {
            self = failure
        } else if let explanation = Explanation(error, declared: { app?.declaredTopics ?? [] }) {
            self.init(explanation)
        } else {
            return nil
        }
    }

    init(_ explanation: Explanation) { self.init(Exit(explanation.kind), explanation.message) }
}

extension Exit {
    fileprivate init(_ kind: Explanation.Kind) {
        switch kind {
        case .usage: self = .usage
        case .data: self = .data
        case .noInput: self = .noInput
        case .unavailable: self = .unavailable
        case .software: self = .software
        case .ioError: self = .ioError
        case .tryAgain: self = .tryAgain
        case .noPermission: self = .noPermission
        case .configuration: self = .configuration
        }
    }
}
