internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Logging
internal import Projecting
internal import ServiceLifecycle

/// `millrace up`.
struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run everything in one process: the log and all workers.",
        discussion: "Then, in another terminal: millrace send, produce, query, replay. Ctrl-C stops it in order.")
    @Flag(name: .shortAndLong, help: "Log what happens.")
    var verbose = false
    @OptionGroup var places: Places

    func run() async throws {
        let start = ContinuousClock.now
        let logger = makeLogger(verbose: verbose)
        try await places.withLog { log in
            try await places.withViews { views in
                let workers = App.workers(Millrace.domains)
                for worker in workers { if let projection = worker.projection { try await views.open(projection) } }
                let services = App.services(workers, log: log, views: views, logger: logger)
                let ready = Ready(log: log, workers: workers, start: start, places: places)
                try await App.run(services + [ready], logger: logger)
            }
        }
        Output.complain("millrace: stopped")
    }
}

/// Says when every worker has joined its group and taken its partitions.
private struct Ready: Service, CustomStringConvertible {
    let log: any EventLog
    let workers: [App.Worker]
    let start: ContinuousClock.Instant
    let places: Places
    var description: String { "ready" }

    func run() async throws {
        let took = ContinuousClock.now - start
        Output.complain(
            """
            millrace: up after \(took.milliseconds) ms with \(workers.map(\.name).joined(separator: ", "))
            millrace: the log is \(try describe()), the views are sqlite:\(try places.viewsFolder())
            """)
        try await gracefulShutdown()
    }

    private func describe() throws -> String {
        switch try places.logPlace() {
        case .local(let folder): "local:\(folder)"
        case .kafka(let brokers): "kafka://\(brokers)"
        }
    }
}
