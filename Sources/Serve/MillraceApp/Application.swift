internal import ArgumentParser
public import EventModel
internal import Foundation
internal import MillraceBus
internal import Synchronization

/// The whole command line for a list of domains: `up`, `work`, `send`, `produce`, `query`, `replay`, `import`, `verify` and
/// all others. An executable of one's own is five lines:
///
/// ```swift
/// import LikesDomain
/// import MillraceApp
///
/// @main enum Main {
///     static func main() async { await Application.main { _ in [.likes] } }
/// }
/// ```
public struct Application: Sendable {
    /// What the program is called in its help and messages, such as `likes`.
    public let name: String
    /// What it serves, in the order in which they are listed.
    public let domains: [Domain]

    /// A command line for some domains, to be run by ``run(_:)``.
    public init(name: String = "millrace", domains: [Domain]) {
        self.name = name
        self.domains = domains
    }

    /// Runs the command line that this process was started with, and ends it with the exit code.
    ///
    /// - Parameters:
    ///   - name: What the program calls itself in its help and messages; nil is the name of its file.
    ///   - domains: The domains, as the environment sets them. What it refuses ends the process with 78.
    public static func main(
        named name: String? = nil, _ domains: @Sendable (Settings) throws(Malformed) -> [Domain]
    ) async -> Never {
        let name = name ?? (CommandLine.arguments.first.map { ($0 as NSString).lastPathComponent } ?? "millrace")
        Program.ofProcess.withLock { $0 = name }
        // A reader that closes its end of the pipe (head, for example) is no error of ours.
        signal(SIGPIPE, SIG_IGN)
        if let place = argumentThatIsNotUTF8() {
            exit(
                Exit.report(
                    Failure(
                        .usage,
                        "argument \(place) is not UTF-8; read as if it were, two that differ could become the same")))
        }
        let application: Application
        do throws(Malformed) {
            application = Application(
                name: name, domains: try domains(Settings(environment: ProcessInfo.processInfo.environment)))
        } catch {
            exit(Exit.report(Failure(.configuration, error.message)))
        }
        exit(await application.run(Array(CommandLine.arguments.dropFirst())))
    }

    /// Runs one command line.
    ///
    /// - Parameter arguments: Without the program's own name.
    /// - Returns: the exit code.
    public func run(_ arguments: [String]) async -> Int32 {
        await Program.$ofTask.withValue(name) { await runNamed(arguments) }
    }

    private func runNamed(_ arguments: [String]) async -> Int32 {
        Palette.forbid(arguments.contains("--no-color"))
        LogFormat.foresee(arguments)
        do {
            if let names = await completions(for: arguments) {
                try Output.standard.write(names.map { $0 + "\n" }.joined())
                return 0
            }
            if let help = GeneratedHelp.help(for: arguments, in: self) {
                try Output.standard.write(help)
                return 0
            }
            try Root.checkCommand(arguments)
            try Root.checkOnce(arguments)
            var command = try Root.parseAsRoot(arguments)
            if var command = command as? any AppCommand {
                try await command.run(in: self)
            } else if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch {
            return Exit.report(error, in: self)
        }
    }

    /// Which argument has bytes that are not UTF-8, from 1. Swift would put U+FFFD in their place.
    private static func argumentThatIsNotUTF8() -> Int? {
        // The process's own arguments, as it was started with them.
        let raw = UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
        return raw.dropFirst().firstIndex { argument in argument.map { String(validatingCString: $0) == nil } ?? false }
    }
}

extension Application {
    var catalogue: Catalogue { Catalogue(domains: domains) }
    var workers: [Worker] { Workers.all(of: domains) }
}

/// A command that is told which application it is part of. The parser makes commands of words alone.
protocol AppCommand: AsyncParsableCommand {
    mutating func run(in app: Application) async throws
}
