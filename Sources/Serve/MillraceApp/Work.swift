internal import ArgumentParser
internal import CoreMetrics
internal import EventLog
internal import EventModel
internal import Logging
internal import MillraceBus
internal import Projecting
internal import PrometheusExporter
internal import ServiceLifecycle

/// `millrace work`.
struct Work: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "work",
            abstract: "Run workers in the foreground: handlers, reactors and projectors.",
            paragraphs: """
                All of them, or those named: by kind (handler, reactor, projector), by
                domain (tickets) or by name (tickets.seatmap). Several processes may run the
                same worker: they share its partitions.

                A worker that is told to stop (SIGTERM, Ctrl-C) finishes the batch in hand,
                commits it and leaves. One that is killed loses and doubles nothing: it goes
                on where its last commit stands.

                --metrics-port 9400 shows what they do to Prometheus, at
                http://127.0.0.1:9400/metrics.

                Example: \(Program.name) work handler reactor
                """)
    }
    @Argument(help: "Names, kinds or domains (default: all).", completion: .names)
    var names: [String] = []
    @Flag(help: "List the workers and stop.")
    var list = false
    @OptionGroup var metrics: MetricsOptions
    @OptionGroup var logs: LogOptions
    @OptionGroup var traces: TraceFileOptions
    @OptionGroup var shape: OutputOptions
    @OptionGroup var places: LogAndViewOptions

    func run(in app: Application) async throws {
        let workers = try Workers.all(of: app.domains, chosen: names)
        if list {
            return try show(workers)
        }
        let readiness = Readiness(workers.map(\.name), since: .now)
        let logger = try logs.logger()
        let written = try traces.services(logger)
        let address = try metrics.address()
        let registry = address.map { _ in PrometheusRegistry() }
        try await Grace.bounding(end: Exit.hung) {
            try await places.withLog(app, working: true, metrics: registry) { log in
                try places.complainOfExposure()
                try await requireTopics(of: log, for: workers, in: app)
                try await places.withViews { views in
                    Output.complain("\(Program.name): working: \(Crew.words(workers, isVerbose: logs.verbose))")
                    let services = try Workers.services(
                        workers, log: log, views: views, snapshots: places.snapshots(), logger: logger,
                        metrics: registry ?? NOOPMetricsHandler.instance, tell: Output.notice,
                        ready: readiness.note)
                    let shown = MetricsOptions.services(
                        registry, at: address, of: workers, log: log, views: views, logger: logger)
                    try await Workers.run(
                        written + services + shown + [
                            Started(readiness: readiness, workers: workers, isVerbose: logs.verbose)
                        ],
                        logger: logger
                    )
                }
            }
        }
        Output.complain("\(Program.name): stopped")
    }

    private func show(_ workers: [Worker]) throws {
        let rows = workers.map { worker -> Members in
            [
                ("worker", JSON.string(worker.name)), ("kind", JSON.string(worker.kind)),
                ("domain", JSON.string(worker.domain)), ("reads", JSON.array(worker.topics.map(JSON.string))),
            ]
        }
        try shape.show(rows, columns: ["worker", "kind", "domain", "reads"]) {
            TextTable(
                header: ["worker", "kind", "reads"],
                rows: workers.map { [$0.name, $0.kind, $0.topics.joined(separator: ", ")] }, whole: [0, 1])
        }
    }

    /// Those of the workers' domains: a process may have no right to see others.
    private func requireTopics(of log: any EventLog, for workers: [Worker], in app: Application) async throws {
        let there = Set(try await log.topics().map(\.name))
        let domains = Set(workers.map(\.domain))
        let others = Set(app.domains.filter { !domains.contains($0.name) }.flatMap { $0.topics.map(\.name) })
        let missing = try places.declaredTopics(app).map(\.name).filter { !there.contains($0) && !others.contains($0) }
        if !missing.isEmpty {
            throw Failure(
                .configuration,
                "the log lacks the topics \(missing.joined(separator: ", ")); make them with: \(Program.name) topics apply"
            )
        }
    }
}

/// Says how long the workers took to their first partitions, also those that come late.
private struct Started: Service, CustomStringConvertible {
    let readiness: Readiness
    let workers: [Worker]
    let isVerbose: Bool
    var description: String { "started" }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var (waiting, told) = (true, Set<String>())
            while waiting && !Task.isCancelled {
                waiting = !(await readiness.wait().isEmpty)
                // Some come late: others had their partitions, or a broker was away.
                let new = readiness.ready.subtracting(told)
                if !new.isEmpty {
                    let some = workers.filter { new.contains($0.name) }
                    let isShort = some.count <= Crew.named || isVerbose
                    let times = isShort ? readiness.times(of: new) : "\(readiness.longest(of: new).milliseconds) ms: "
                    Output.complain(
                        "\(Program.name): ready after \(times)\(isShort ? "" : Crew.words(some, isVerbose: false))")
                }
                told.formUnion(new)
            }
        }
        try await gracefulShutdown()
    }
}
