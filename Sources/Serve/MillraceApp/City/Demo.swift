internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import Logging
internal import MillraceBus
internal import Projecting
internal import ServiceLifecycle
internal import UnixSignals

/// `millrace demo`.
struct Demo: AppCommand {
    static let configuration = CommandConfiguration(
        abstract: "A city lives for some seconds: seats, tweets, orders, taxis, hits; then see what came out.",
        discussion: "All of it in one process, on a fresh log in a temporary folder, or on --log.")
    @Option(help: ArgumentHelp("How long the crowd is active.", valueName: "n"))
    var seconds = 6
    @Option(help: "The crowd's seed: the same one makes the same choices.")
    var seed: UInt64 = 20
    @Option(help: ArgumentHelp("How many fans buy at once; the other crowds in proportion.", valueName: "n"))
    var fans = 40
    @OptionGroup var places: Places

    func validate() throws {
        if !(1...3600).contains(seconds) { throw ValidationError("--seconds must be 1 to 3600") }
        if !(1...5000).contains(fans) { throw ValidationError("--fans must be 1 to 5000") }
    }

    func run(in app: Application) async throws {
        var places = places
        if places.logURL == nil {
            places.logURL = "local:\(NSTemporaryDirectory())millrace-demo-\(UUID().uuidString.prefix(8).lowercased())"
        }
        try Output.standard.line(
            "Millrace demo: a city of \(fans) fans for \(seconds) s, seed \(seed), on \(places.logURL ?? "")")
        let city = City(seed: seed, fans: fans, length: .seconds(seconds))
        let chosen = places
        try await places.withLog(app) { log in
            try await chosen.withViews { views in
                let logger = makeLogger(verbose: false)
                let workers = try Workers.services(
                    app.workers, log: log, views: views, snapshots: chosen.snapshots(), logger: logger,
                    tell: Output.notice
                )
                let scene = Scene(city: city, domains: app.domains, log: log, views: views, places: chosen)
                let group = ServiceGroup(
                    configuration: .init(
                        services: workers.map { .init(service: Bounded($0)) }
                            + [.init(service: scene, successTerminationBehavior: .gracefullyShutdownGroup)],
                        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
                try await group.run()
            }
        }
    }
}

/// The city on a running system, and what it left behind.
private struct Scene: Service, CustomStringConvertible {
    let city: City
    let domains: [Domain]
    let log: any EventLog
    let views: any ViewStore
    let places: Places
    var description: String { "demo" }

    func run() async throws {
        let begun = ContinuousClock.now
        let tally = Tally()
        try await city.play(on: log, in: domains, tally)
        let took = ContinuousClock.now - begun
        let lag = try await Lag.settled(domains, log: log, views: views, sum: true, within: .seconds(20))
        let report = DemoReport(views: views, catalogue: Catalogue(domains: domains))
        try await report.show(tally.counts, took: took, lag: lag, log: places.logURL ?? "")
    }
}
