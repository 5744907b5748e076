internal import ArgumentParser
internal import CoreMetrics
internal import EventLog
internal import EventModel
internal import Logging
internal import MillraceBus
internal import MillraceGateway
internal import Projecting
internal import PrometheusExporter
internal import ServiceLifecycle
internal import Synchronization

/// `millrace up`.
struct Up: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "up",
            abstract: "Run everything in one process: the log, all workers, and HTTP on this machine.",
            paragraphs: """
                Then, in another terminal: \(Program.name) send, produce, query, replay; or curl
                http://127.0.0.1:8080. Where that port is taken and nobody has asked for it, all
                but HTTP runs, and that is said. Ctrl-C stops it in order.
                """)
    }
    @OptionGroup var http: HTTPOptions
    @Flag(name: .customLong("no-http"), help: "Serve nothing over HTTP (also MILLRACE_HTTP=off).")
    var withoutHTTP = false
    @OptionGroup var metrics: MetricsOptions
    @OptionGroup var logs: LogOptions
    @OptionGroup var traces: TraceFileOptions
    @OptionGroup var places: LogAndViewOptions

    func run(in app: Application) async throws {
        let start = ContinuousClock.now
        var settings = withoutHTTP || http.isOff ? nil : try http.settings()
        let address = try metrics.address()
        // One for all: the gateway shows what the workers of the process do.
        let registry = settings == nil && address == nil ? nil : PrometheusRegistry()
        if let registry { settings?.registry = registry }
        let logger = try logs.logger()
        let written = try traces.services(logger)
        try await Grace.bounding(end: Exit.hung) {
            try await places.withLog(app, working: true, metrics: registry) { [settings] log in
                try places.complainOfExposure()
                try await places.withViews { views in
                    let workers = app.workers
                    for worker in workers {
                        if let projection = worker.projection { try await views.open(views.live(projection)) }
                    }
                    let readiness = Readiness(workers.map(\.name), since: start)
                    let services = try Workers.services(
                        workers, log: log, views: views, snapshots: places.snapshots(), logger: logger,
                        metrics: registry ?? NOOPMetricsHandler.instance, tell: Output.notice,
                        ready: readiness.note)
                    let serving = Serving(isAsked: settings != nil)
                    let ready = Ready(
                        readiness: readiness, serving: serving, isSecure: settings?.isSecure ?? false, workers: workers,
                        start: start, places: places,
                        isVerbose: logs.verbose)
                    var served = MetricsOptions.services(
                        registry, at: address, of: workers, log: log, views: views, logger: logger)
                    if let settings {
                        let gateway = try await http.gateway(
                            app, settings, log: log, views: views, places, logger, running: serving.note)
                        // Told to stop before the workers, so that what was asked is still answered.
                        served += [http.isStandard ? Dispensable(service: gateway, serving: serving) : gateway]
                    }
                    try await Workers.run(written + services + served + [ready], logger: logger)
                }
            }
        }
        Output.complain("\(Program.name): stopped")
    }
}

/// A service that others go on without, where what it needs is not to be had.
private struct Dispensable: Service, CustomStringConvertible {
    let service: any Service
    let serving: Serving
    var description: String { "\(service)" }

    func run() async throws {
        do {
            try await service.run()
        } catch let error as BusError where error.kind == .unavailable {
            serving.note(nil)
            Output.complain("\(Program.name): nothing is served over HTTP: \(error.message)")
            try await gracefulShutdown()
        }
    }
}

/// How long each worker took from the start to its first partitions, and which have none yet.
final class Readiness: Sendable {
    /// A worker that others leave no partitions is not waited for longer than this.
    static let patience = Duration.seconds(10)

    private struct State {
        var waiting: Set<String>
        var took: [String: Duration] = [:]
    }
    private let workers: [String]
    private let start: ContinuousClock.Instant
    private let state: Mutex<State>
    private let changed = Signal()

    init(_ workers: [String], since start: ContinuousClock.Instant) {
        (self.workers, self.start) = (workers, start)
        state = Mutex(State(waiting: Set(workers)))
    }

    func note(_ worker: String) {
        state.withLock { state in
            if state.waiting.remove(worker) != nil { state.took[worker] = .now - start }
        }
        changed.notify()
    }

    /// Those still without partitions when all have some, or when the time is over.
    func wait(atMost limit: Duration = patience) async -> Set<String> {
        await changed.first(within: limit) { state.withLock { $0.waiting.isEmpty ? $0.waiting : nil } }
            ?? state.withLock { $0.waiting }
    }

    /// Those with partitions.
    var ready: Set<String> { state.withLock { Set($0.took.keys) } }

    /// How long the last of some workers took.
    func longest(of some: Set<String>) -> Duration {
        state.withLock { $0.took.filter { some.contains($0.key) }.values.max() ?? .zero }
    }

    /// Some workers in order, each with its time: `tickets.handler 31 ms`.
    func times(of some: Set<String>) -> String {
        let took = state.withLock { $0.took }
        return workers.filter(some.contains)
            .compactMap { worker in took[worker].map { "\(worker) \($0.milliseconds) ms" } }.joined(separator: ", ")
    }
}

/// Says when every worker has joined its group and taken its partitions.
private struct Ready: Service, CustomStringConvertible {
    let readiness: Readiness
    let serving: Serving
    let isSecure: Bool
    let workers: [Worker]
    let start: ContinuousClock.Instant
    let places: LogAndViewOptions
    let isVerbose: Bool
    var description: String { "ready" }

    func run() async throws {
        let idle = await cancelWhenGracefulShutdown { await readiness.wait() }
        let took = ContinuousClock.now - start
        Output.complain(
            "\(Program.name): up after \(took.milliseconds) ms: \(Crew.counts(workers))\(isVerbose ? "" : "; --verbose names them")"
        )
        if isVerbose { Output.complain("\(Program.name): ready after \(readiness.times(of: readiness.ready))") }
        Output.complain(
            """
            \(Program.name): the log is \(try places.logPlace()), the views are \(try places.viewsPlace())
            """)
        let address = await cancelWhenGracefulShutdown { await serving.address(within: Readiness.patience) }
        if let address { HTTPOptions.tell(address, isSecure: isSecure) }
        if !idle.isEmpty {
            Output.complain(
                "\(Program.name): without partitions, for other processes have them: \(idle.sorted().joined(separator: ", "))"
            )
        }
        try await gracefulShutdown()
    }
}
