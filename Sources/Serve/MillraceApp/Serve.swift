internal import ArgumentParser
internal import MillraceBus
internal import MillraceGateway

/// `millrace serve`.
struct Serve: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "serve",
            abstract: "Serve commands, events, views and topics over HTTP, without workers.",
            paragraphs: """
                Workers run elsewhere, as \(Program.name) work; several processes may serve. \(Program.name)
                openapi shows all paths. An address that others reach is refused unless
                --token-keys says who may do what, or --insecure that anybody may do everything.

                Examples:
                  \(Program.name) serve --http 127.0.0.1:8080
                  curl -d '{"event":"e1","section":"stalls","holder":"ann","seats":["A-1"]}' -H 'Content-Type: application/json' \\
                    http://127.0.0.1:8080/commands/HoldSeats
                  curl 'http://127.0.0.1:8080/views/tickets.seats?event=e1'
                """)
    }
    @OptionGroup var http: HTTPOptions
    @OptionGroup var logs: LogOptions
    @OptionGroup var traces: TraceFileOptions
    @OptionGroup var places: LogAndViewOptions

    func run(in app: Application) async throws {
        if http.isOff { throw Failure(.usage, "MILLRACE_HTTP is off: --http ADDRESS:PORT says where to serve") }
        let settings = try http.settings()
        let logger = try logs.logger()
        let written = try traces.services(logger)
        try await Grace.bounding(end: Exit.hung) {
            try await places.withLog(app, working: true, metrics: settings.registry) { log in
                try places.complainOfExposure()
                try await places.withViews { views in
                    let gateway = try await http.gateway(app, settings, log: log, views: views, places, logger)
                    try await Workers.run(written + [gateway], logger: logger)
                }
            }
        }
        Output.complain("\(Program.name): stopped")
    }
}

/// `millrace openapi`.
struct OpenAPICommand: AppCommand {
    static let configuration = CommandConfiguration(
        commandName: "openapi", abstract: "Print the gateway's paths as OpenAPI 3.1.")

    func run(in app: Application) throws { try Output.standard.line(OpenAPI(app.domains).text) }
}

/// `millrace asyncapi`.
struct AsyncAPICommand: AppCommand {
    static let configuration = CommandConfiguration(
        commandName: "asyncapi", abstract: "Print the topics as AsyncAPI 3.0.")

    func run(in app: Application) throws { try Output.standard.line(AsyncAPI(app.domains).text) }
}
