internal import ArgumentParser
internal import Domains
internal import EventModel
internal import Foundation
internal import KafkaLog
internal import LocalLog

@main
enum Main {
    static func main() async {
        // A reader that closes its end of the pipe (head, for example) is no error of ours.
        signal(SIGPIPE, SIG_IGN)
        if let place = Self.argumentThatIsNotUTF8() {
            exit(
                Exit.report(
                    Failure(
                        .usage,
                        "argument \(place) is not UTF-8; read as if it were, two that differ could become the same")))
        }
        do throws(Malformed) {
            let domains = try Domains.all(Settings(environment: ProcessInfo.processInfo.environment))
            let arguments = Array(CommandLine.arguments.dropFirst())
            exit(await Millrace.$domains.withValue(domains) { await Millrace.run(arguments) })
        } catch {
            exit(Exit.report(Failure(.configuration, error.message)))
        }
    }
}

extension Main {
    /// Which argument has bytes that are not UTF-8, from 1. Swift would put U+FFFD in their place.
    private static func argumentThatIsNotUTF8() -> Int? {
        // The process's own arguments, as it was started with them.
        let raw = UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
        return raw.dropFirst().firstIndex { argument in argument.map { String(validatingCString: $0) == nil } ?? false }
    }
}

/// The root of the command line.
struct Millrace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "millrace",
        abstract: "An event-sourced message bus: produce events, run workers, query views, replay topics.",
        discussion: """
            Commands and telemetry go in, handlers decide, events land on the log,
            projectors fold them into views.

            Try it:
              millrace up                                     (in one terminal: log and workers in one process)
              millrace produce Hit <<< '{"site":"home","path":"/"}'
              millrace query hits.window --site home --window 60s
              millrace events                                 (every event and command with its fields)

            The log is a folder on this machine unless --log or MILLRACE_LOG says
            otherwise: kafka://host:port for Apache Kafka. Output is a table on a
            terminal and JSON elsewhere; --json and --table choose.

            Exit codes: 0 done, 1 refused, and of sysexits.h 64 usage, 65 bad data, 66
            no input, 69 unavailable, 70 internal, 73 cannot create, 74 I/O error, 75
            try again, 77 no permission, 78 configuration.
            """,
        version: """
            0.1.0
            librdkafka \(KafkaLog.libraryVersion), SQLite \(LocalLog.libraryVersion)
            """,
        subcommands: [
            Produce.self, Send.self, Work.self, Ask.self, Replay.self, Topics.self, Lag.self, Verify.self,
            Rebuilding.self, Snapshotter.self, QuarantineCommand.self, Events.self, Views.self,
            Import.self, Up.self, Demo.self,
        ])

    /// The domains that this process knows: all of them, as the environment sets them, and in tests one more.
    @TaskLocal static var domains = Domains.all

    /// Runs a command line; gives its exit code.
    static func run(_ arguments: [String]) async -> Int32 {
        do {
            if let help = Teaching.help(for: arguments) {
                try Output.standard.write(help)
                return 0
            }
            try checkCommand(arguments)
            var command = try parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch {
            return Exit.report(error)
        }
    }
}
