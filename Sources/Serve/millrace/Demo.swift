internal import ArgumentParser
internal import Domains
internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import Logging
internal import Projecting
internal import ServiceLifecycle
internal import UnixSignals

/// `millrace demo`.
struct Demo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Fans buy seats and visitors hit pages for some seconds; then see what came out.",
        discussion: "All of it in one process, on a fresh log in a temporary folder, or on --log.")
    @Option(help: ArgumentHelp("How long the crowd is active.", valueName: "n"))
    var seconds = 6
    @Option(help: "The crowd's seed: the same one makes the same choices.")
    var seed: UInt64 = 20
    @Option(help: ArgumentHelp("How many fans buy at once.", valueName: "n"))
    var fans = 40
    @OptionGroup var places: Places

    func validate() throws {
        if !(1...3600).contains(seconds) { throw ValidationError("--seconds must be 1 to 3600") }
        if !(1...5000).contains(fans) { throw ValidationError("--fans must be 1 to 5000") }
    }

    func run() async throws {
        var places = places
        if places.logURL == nil {
            places.logURL = "local:\(NSTemporaryDirectory())millrace-demo-\(UUID().uuidString.prefix(8).lowercased())"
        }
        try Output.standard.line(
            "Millrace demo: \(fans) fans and three sites for \(seconds) s, seed \(seed), on \(places.logURL ?? "")")
        let crowd = Crowd(seed: seed, fans: fans, length: .seconds(seconds))
        let chosen = places
        try await places.withLog { log in
            try await chosen.withViews { views in
                let logger = makeLogger(verbose: false)
                let workers = App.services(App.workers(Domains.all), log: log, views: views, logger: logger)
                let scene = Scene(crowd: crowd, log: log, views: views, places: chosen)
                let group = ServiceGroup(
                    configuration: .init(
                        services: workers.map { .init(service: $0) }
                            + [.init(service: scene, successTerminationBehavior: .gracefullyShutdownGroup)],
                        gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
                try await group.run()
            }
        }
    }
}

/// The crowd on a running system, and what it left behind.
private struct Scene: Service, CustomStringConvertible {
    let crowd: Crowd
    let log: any EventLog
    let views: any ViewStore
    let places: Places
    var description: String { "demo" }

    func run() async throws {
        let begun = ContinuousClock.now
        try await crowd.play(on: log)
        let took = ContinuousClock.now - begun
        let lag = try await Lag.settled(Millrace.domains, log: log, views: views, sum: true, within: .seconds(20))
        try await show(took: took, lag: lag)
    }

    private func show(took: Duration, lag: [Lag.Line]) async throws {
        let out = Output.standard
        let catalogue = Catalogue(domains: Domains.all)
        try out.line("\nSEAT MAP of the gala   . free   o held   # sold\n")
        try out.write(try await seatMap(catalogue))
        try out.line("\nSECTIONS")
        try out.write(try await table("tickets.sections", ["event": .text(Crowd.event)], catalogue))
        try out.line("\nHITS of the last minute")
        var rows: [Row] = []
        var columns: [Column] = []
        for site in Crowd.sites + ["*"] {
            let page = try await page("hits.window", ["site": .text(site), "window": .integer(60_000)], catalogue)
            columns = page.columns
            rows += page.rows
        }
        try out.write(TextTable(columns, rows).text)
        try out.line("\nLAG")
        try out.write(
            TextTable(header: ["worker", "behind"], rows: lag.map { [$0.worker, String($0.lag)] }, right: [1]).text)
        let tally = crowd.tally
        let seconds = max(0.001, Double(took.milliseconds) / 1000)
        try out.line(
            """

            THROUGHPUT over \(String(format: "%.1f", seconds)) s
            commands decided  \(tally.accepted + tally.refused)  (\(Int(Double(tally.accepted + tally.refused) / seconds))/s: \(tally.accepted) accepted, \(tally.refused) refused)
            hits counted      \(tally.hits)  (\(Int(Double(tally.hits) / seconds))/s)
            send to outcome   p50 \(tally.percentile(50)) ms, p99 \(tally.percentile(99)) ms

            NEXT
              export MILLRACE_LOG=\(places.logURL ?? "")
              millrace replay tickets.events --type SeatSold --limit 3
              millrace query tickets.seats --event \(Crowd.event) --status held --table
              millrace query hits.window --site shop --window 5m --table
              millrace up        (then send, produce and query from another terminal)
            """)
    }

    private func page(_ name: String, _ values: [String: Value], _ catalogue: Catalogue) async throws -> Page {
        let query = try catalogue.query(name)
        let arguments = Arguments(values, now: now(), limit: Limits.pageRows, cursor: nil)
        return try await views.read(try catalogue.projection(query.projection)) { reader, _ in
            try query.answer(arguments, reader)
        }
    }

    private func table(_ name: String, _ values: [String: Value], _ catalogue: Catalogue) async throws -> String {
        let page = try await page(name, values, catalogue)
        return TextTable(page.columns, page.rows).text
    }

    private func seatMap(_ catalogue: Catalogue) async throws -> String {
        let page = try await page("tickets.seats", ["event": .text(Crowd.event)], catalogue)
        var lines: [(row: String, seats: String)] = []
        for seat in page.rows {
            let row = "\(seat[1].text ?? "") \(seat[2].text ?? "")"
            let mark = ["free": ".", "held": "o", "sold": "#"][seat[5].text ?? ""] ?? "?"
            if lines.last?.row == row { lines[lines.count - 1].seats += mark } else { lines.append((row, mark)) }
        }
        let width = lines.map(\.row.count).max() ?? 0
        return lines.map { "  \($0.row.padding(toLength: width, withPad: " ", startingAt: 0))  \($0.seats)\n" }.joined()
    }
}
