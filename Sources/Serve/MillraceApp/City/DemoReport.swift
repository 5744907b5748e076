internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Projecting

/// What a city left behind, laid out for a person.
struct DemoReport {
    let views: any ViewStore
    let catalogue: Catalogue
    private let moment = now()

    init(views: any ViewStore, catalogue: Catalogue) {
        self.views = views
        self.catalogue = catalogue
    }

    func show(_ counts: Tally.Counts, took: Duration, lag: [Lag.Line], log: String) async throws {
        let out = Output.standard
        try out.line("\nTIMELINE of \(Tweeters.first), newest first\n")
        try out.write(
            try await table(
                "social.timeline", ["user": .text(Tweeters.first)], limit: 8,
                only: ["posted_at", "user", "text", "retweet_of", "why"]))
        try out.line("\nTRENDS of the last hour: what bursts, not what is always there\n")
        try out.write(try await table("social.trends", ["window": .integer(3_600_000)], limit: 5))
        try out.line("\nSEAT MAP of the gala   . free   o held   # sold\n")
        try out.write(try await seatMap())
        try out.write("\n" + (try await table("tickets.sections", ["event": .text(Fans.event)])))
        try out.line("\nNOTIFICATIONS to \(Kitchens.first), newest first\n")
        try out.write(
            try await table(
                "orders.notifications", ["customer": .text(Kitchens.first)], limit: 6, only: ["at", "stage", "text"]))
        try out.line("\nNEAREST TAXIS to \(Taxis.corner.lat), \(Taxis.corner.lng)\n")
        try out.write(
            try await table(
                "rides.nearby", ["lat": .real(Taxis.corner.lat), "lng": .real(Taxis.corner.lng)], limit: 5))
        try out.line("\nHITS of the last minute\n")
        try out.write(try await hits())
        try show(counts, took, lag, log)
    }

    private func show(_ counts: Tally.Counts, _ took: Duration, _ lag: [Lag.Line], _ log: String) throws {
        let behind = lag.filter { $0.lag > 0 }.map { "\($0.worker) by \($0.lag)" }
        let seconds = max(0.001, Double(took.milliseconds) / 1000)
        func rate(_ count: Int) -> String { "\(count)  (\(Int(Double(count) / seconds))/s)" }
        let facts = counts.facts.sorted { $0.key < $1.key }.map { "\(rate($0.value)) \($0.key)" }
        try Output.standard.line(
            """

            LAG of \(lag.count) workers: \(behind.isEmpty ? "none is behind" : behind.joined(separator: ", "))

            THROUGHPUT over \(String(format: "%.1f", seconds)) s
              commands decided  \(rate(counts.accepted + counts.refused)): \(counts.accepted) accepted, \(counts.refused) refused
              facts appended    \(facts.joined(separator: ", "))
              send to outcome   p50 \(counts.percentile(50)) ms, p99 \(counts.percentile(99)) ms

            NEXT
              export MILLRACE_LOG=\(log)
              millrace up                                             (in another terminal)
              millrace send PostTweet --user ann --text 'good night #city' --table
              millrace query social.timeline --user ann --limit 20 --table
              millrace query orders.status --order order-0-1 --table
              millrace query rides.nearby --lat 40.7484 --lng -73.9857 --stale 1h --table
              millrace replay tickets.events --type SeatSold --limit 3
              millrace views                                          (every table and query)
            """)
    }

    // MARK: Tables

    /// The first rows of a query, as a table of all or some of its columns.
    private func table(
        _ name: String, _ values: [String: Value], limit: Int = Limits.pageRows, only shown: [String]? = nil
    ) async throws -> String {
        let page = try await page(name, values, limit: limit)
        let columns = page.columns.indices.filter { shown?.contains(page.columns[$0].name) ?? true }
        return TextTable(columns.map { page.columns[$0] }, page.rows.map { row in columns.map { row[$0] } }).text
    }

    private func page(_ name: String, _ values: [String: Value], limit: Int) async throws -> Page {
        let query = try catalogue.query(name)
        let arguments = Arguments(values, now: moment, limit: limit, cursor: nil)
        return try await views.read(views.live(catalogue.projection(query.projection))) { reader, _ in
            try query.answer(arguments, reader)
        }
    }

    private func hits() async throws -> String {
        var rows: [Row] = []
        var columns: [Column] = []
        for site in Visitors.sites + ["*"] {
            let page = try await page("hits.window", ["site": .text(site), "window": .integer(60_000)], limit: 1)
            columns = page.columns
            rows += page.rows
        }
        return TextTable(columns, rows).text
    }

    private func seatMap() async throws -> String {
        let page = try await page("tickets.seats", ["event": .text(Fans.event)], limit: Limits.pageRows)
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
