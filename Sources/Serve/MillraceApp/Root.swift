internal import ArgumentParser
internal import KafkaLog
internal import LocalLog
internal import MillraceBus

/// The root of the command line.
struct Root: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: Program.name,
            abstract: "An event-sourced message bus: produce events, run workers, query views, replay topics.",
            paragraphs: """
                Commands and telemetry go in, handlers decide, events land on the log,
                projectors fold them into views.

                Try it:
                  \(Program.name) up                                     (the log and all workers)
                  \(Program.name) produce Hit <<< '{"site":"home","path":"/"}'
                  \(Program.name) query hits.window --site home --window 60s
                  \(Program.name) events                                 (what can be sent, and read)

                The log is a folder on this machine unless --log or MILLRACE_LOG says
                otherwise: kafka://host:port for Apache Kafka. Output is a table on a
                terminal and JSON elsewhere; --json and --table choose.

                Exit codes: 0 done, 1 refused, and of sysexits.h 64 usage, 65 bad data, 66
                no input, 69 unavailable, 70 internal, 73 cannot create, 74 I/O error, 75
                try again, 77 no permission, 78 configuration.
                """,
            version: """
                \(Version.number)
                librdkafka \(KafkaLog.libraryVersion), SQLite \(LocalLog.libraryVersion)
                """,
            subcommands: [
                Produce.self, Send.self, Work.self, QueryCommand.self, Replay.self, TraceCommand.self, Topics.self,
                Lag.self,
                Health.self,
                Verify.self,
                Rebuilding.self, Snapshotter.self, QuarantineCommand.self, Events.self, Views.self,
                Import.self, CacheCommand.self, KVCommand.self, Up.self, Serve.self, TokenCommand.self,
                AccountCommand.self,
                OpenAPICommand.self, AsyncAPICommand.self,
                Demo.self, NewDomain.self,
                Describe.self,
            ])
    }
}
