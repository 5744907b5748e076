internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import Logging
internal import MillraceBus
internal import MillraceGateway
internal import RESP
internal import ServiceLifecycle

/// `millrace kv`.
struct KVCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "kv", abstract: "Serve keys and values to Redis' clients, and verify them.",
            subcommands: [ServeKeys.self, VerifyKeys.self])
    }

    /// `millrace kv serve`.
    struct ServeKeys: AppCommand {
        static var configuration: CommandConfiguration {
            CommandConfiguration(
                commandName: "serve",
                abstract: "Serve the keys of kv as Redis' clients ask for them: RESP2 and RESP3.",
                paragraphs: """
                    A change is answered when its outcome is on the log. Reads come from memory: this
                    process keeps a copy of all keys, which follows the log. Linearizable reads see
                    all that was acknowledged before they began; after sees what the connection has
                    changed, and what it names by AFTER PLACE; any sees what the copy has. A
                    client chooses by CONSISTENCY, and STALENESS tells how far the copy is behind.

                    The handler of kv runs here too, unless it is said to run elsewhere. Any number of
                    processes may serve the same log.

                    Examples:
                      \(Program.name) kv serve --port 6379
                      redis-cli -p 6379 SET greeting hello EX 60
                      redis-cli -p 6379 CAS greeting 1 welcome
                    """)
        }

        @Option(help: ArgumentHelp("The port; 0 takes a free one.", valueName: "port"))
        var port = 6379
        @Option(help: ArgumentHelp("The address to listen on.", valueName: "address"))
        var host = "127.0.0.1"
        @Option(
            help: ArgumentHelp(
                "linearizable, after or any: of reads, where a client asks for none.", valueName: "level"),
            completion: .list(Consistency.allCases.map(\.rawValue)))
        var consistency = Consistency.linearizable.rawValue
        @Option(
            help: ArgumentHelp(
                "The most memory for keys and values, as 512MiB; older ones go to files. Default: no bound.",
                valueName: "size"))
        var memory: String?
        @Option(
            help: ArgumentHelp(
                "Where those files are kept while the process runs. Default: the folder for temporary files.",
                valueName: "folder"))
        var segments: String?
        @Flag(name: .customLong("without-handler"), help: "Leave commands to a handler that runs elsewhere.")
        var withoutHandler = false
        @Flag(
            name: .customLong("with-state"),
            help: "Run kv.newest here too, which writes kv.state: what copies begin with.")
        var withState = false
        @Flag(help: "Serve on an address that others reach, though anybody may do everything there.")
        var insecure = false
        @OptionGroup var keys: TokenKeysOption
        @OptionGroup var logs: LogOptions
        @OptionGroup var places: LogAndViewOptions

        func validate() throws {
            if !(0...65_535).contains(port) { throw ValidationError("--port must be 0 to 65535") }
            if let memory { _ = try KVMemory.bytes(memory) }
            if Consistency(rawValue: consistency) == nil {
                throw ValidationError("--consistency is linearizable, after or any, not \(consistency)")
            }
        }

        func run(in app: Application) async throws {
            guard let domain = app.domains.first(where: { $0.name == "kv" }) else {
                throw Failure(.usage, "\(Program.name) has no domain kv")
            }
            let file = keys.file()
            let authority = try file.map { try TokenAuthority($0) }
            let address = try GatewayAddress(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
            try Gateway.check(address, asksForTokens: file != nil, isInsecure: insecure)
            let logger = try logs.logger()
            do {
                try await Grace.bounding(end: Exit.hung) {
                    try await places.withLog(app, working: true) { log in
                        try places.complainOfExposure()
                        try await places.withViews { views in
                            let chosen = (withoutHandler ? [] : ["kv.handler"]) + (withState ? ["kv.newest"] : [])
                            let services =
                                chosen.isEmpty
                                ? []
                                : try Workers.services(
                                    Workers.all(of: app.domains, chosen: chosen), log: log, views: views,
                                    snapshots: places.snapshots(), logger: logger, tell: Output.notice)
                            let store = try await KeyStore(domain, log: log, storage: storage(), clock: { now() })
                            let server = RESPServer(
                                domain, store, host: host, port: port, consistency: level,
                                authorize: authority.map(Self.authorize), version: Version.number
                            ) { port in
                                Output.complain("\(Program.name): serving kv on \(address.with(port: port))")
                            }
                            var all: [any Service] = services
                            if let authority { all.append(await Reloading(authority, logger: logger)) }
                            // Told to stop before the handler, so that what was asked is still answered.
                            try await Workers.run(all + [server], logger: logger)
                        }
                    }
                }
            } catch let error as CannotListen {
                throw Failure(.unavailable, error.message)
            }
            Output.complain("\(Program.name): stopped")
        }

        private func storage() throws -> CopyStorage {
            CopyStorage(
                memory: try memory.map { try KVMemory.bytes($0) },
                folder: segments ?? FileManager.default.temporaryDirectory.path)
        }

        private var level: Consistency { Consistency(rawValue: consistency) ?? .linearizable }

        /// A token with `kv:query` reads, one with `kv:send` changes.
        private static func authorize(_ authority: TokenAuthority) -> Authorize {
            { token in
                guard let access = try? authority.access(token: token) else { return nil }
                return Permissions(mayRead: access.allows(.query, in: "kv"), mayWrite: access.allows(.send, in: "kv"))
            }
        }
    }
}
