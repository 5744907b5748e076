internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Projecting
internal import Snapshots

/// What a demo left behind, laid out for a person.
struct DemoReport {
    /// How long before its end a view is shown once more.
    private static let back = Duration.seconds(3)

    let app: Application
    let domains: [Domain]
    let place: DemoPlace
    let played: DemoPlayed
    let stop: InputStop
    private var catalogue: Catalogue { Catalogue(domains: domains) }

    init(app: Application, domains: [Domain], place: DemoPlace, played: DemoPlayed, stop: InputStop) {
        (self.app, self.domains, self.place, self.played, self.stop) = (app, domains, place, played, stop)
    }

    func show() async throws {
        try await place.places.withViews { views in
            for exhibit in domains.flatMap({ $0.demonstration?.exhibits ?? [] }) {
                try stop.check()
                let shown = try await pages(of: exhibit) { question in
                    try await views.read(liveOf: question.projection) { reader, _ in
                        try question.query.answer(question.arguments(at: played.end), reader)
                    }
                }
                try put(exhibit.title, exhibit.proves, ExhibitLayout(exhibit).text(shown))
            }
        }
        try showWork()
        // Of one domain: the others' would say the same.
        let last = domains.last { $0.demonstration?.records != nil && Self.past(of: $0) != nil }
        if let records = last?.demonstration?.records { try await replay(records) }
        if let exhibit = last.flatMap(Self.past) { try await showPast(exhibit) }
        try Output.standard.write(NextSteps(app: app, domains: domains, place: place).text)
    }

    private func put(_ title: String, _ sentence: String, _ body: String) throws {
        try Output.standard.write("\n\(title)\n\(Self.wrapped(sentence, by: 2))\n\n\(body)")
    }

    /// Sentences in lines that a terminal of 80 columns has.
    private static func wrapped(_ text: String, by indent: Int) -> String {
        var lines = [""]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].count + word.count + 1 > ExhibitLayout.columns - indent { lines.append("") }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
        }
        return lines.map { String(repeating: " ", count: indent) + $0 }.joined(separator: "\n")
    }

    // MARK: Queries

    /// One query with its parameters.
    private struct Question: Sendable {
        var query: Query
        var projection: AnyProjection
        var values: [String: Value]
        var limit: Int
        func arguments(at moment: Timestamp) -> Arguments {
            Arguments(values, now: moment, limit: limit, cursor: nil)
        }
    }

    /// An exhibit's answers, one for each of its sets of parameters.
    private func pages(of exhibit: Exhibit, _ answer: (Question) async throws -> Page) async throws -> [Page] {
        let query = try catalogue.query(exhibit.query)
        let projection = try catalogue.projection(query.projection)
        var pages: [Page] = []
        for parameters in exhibit.parameters {
            let loose = try LooseOptions(Self.words(parameters, of: query))
            let values = try loose.values(of: query.parameters, for: query.name, and: [])
            pages.append(
                try await answer(
                    Question(query: query, projection: projection, values: values, limit: exhibit.limit)))
        }
        return pages
    }

    /// Parameters as a command line has them, in the order in which the query declares them.
    private static func words(_ parameters: [String: String], of query: Query) -> [String] {
        let order = query.parameters.map(\.name)
        let place = { (name: String) in order.firstIndex(of: name) ?? order.count }
        return parameters.sorted { (place($0.key), $0.key) < (place($1.key), $1.key) }
            .flatMap { ["--\(GeneratedHelp.option($0.key))", $0.value] }
    }

    // MARK: What the workers did

    private func showWork() throws {
        let (counts, seconds) = (played.counts, max(0.001, Double(played.took.milliseconds) / 1000))
        let lines =
            [("commands accepted", counts.accepted), ("commands refused", counts.refused)].filter { _ in
                counts.decided > 0
            }
            + counts.facts.sorted { $0.key < $1.key }.map { ("facts: \($0.key)", $0.value) }
        let rows = lines.map { [$0.0, String($0.1), String(Int(Double($0.1) / seconds))] }
        try put(
            "WORK done in \(String(format: "%.1f", seconds)) s",
            "Commands are decided and answered, facts are only checked; both are durable.",
            TextTable(header: ["what", "how many", "a second"], rows: rows, right: [1, 2]).text)
        if counts.decided > 0 {
            let waits = [50.0, 99].map { "p\(Int($0)) \(String(format: "%.1f", counts.wait($0))) ms" }
            try Output.standard.line("\nFrom send to answer: \(waits.joined(separator: ", "))")
        }
        let behind = played.lag.filter { $0.lag > 0 }.map { "\n  \($0.worker) by \($0.lag) records" }
        let lag = behind.isEmpty ? "none is behind the log" : "these are behind the log:" + behind.joined()
        try Output.standard.line("Of \(played.lag.count) workers \(lag)")
    }

    // MARK: The past

    private func replay(_ records: ShownRecords) async throws {
        try stop.check()
        let words = ["replay", records.topic, "--type", records.type, "--limit", "3"]
        try put(
            "REPLAY of \(records.type)",
            "What happened stays on the log, to be read again: its place, type and key.",
            "  (\(Program.name) \(words.joined(separator: " ")))\n\n")
        let command = try Replay.parse(
            words.dropFirst() + ["--format", "  %t/%p@%o  %y  %k\\n", "--log", place.log]
                + (place.places.kafkaConfig.map { ["--kafka-config", $0] } ?? []))
        try await command.run(in: app)
    }

    private static func past(of domain: Domain) -> Exhibit? { domain.demonstration?.exhibits.first { $0.isShownPast } }

    private func showPast(_ exhibit: Exhibit) async throws {
        try stop.check()
        // A short demo has no three seconds.
        let back = Duration.milliseconds(min(Self.back, played.took / 2).milliseconds)
        let moment = played.end - back
        let query = try catalogue.query(exhibit.query)
        let first = Self.words(exhibit.parameters.first ?? [:], of: query)
        try put(
            "THE PAST: \(exhibit.title), as it was \(back.short) before the end",
            "A view can be asked as of any moment: it is folded from what was there then.",
            "  (\(Program.name) \((["query", query.name] + first).joined(separator: " ")) --as-of @-\(back.short))\n\n")
        let shown = try await place.places.withLog(app) { log in
            try await pages(of: exhibit) { try await past($0, at: moment, log) }
        }
        try Output.standard.write(ExhibitLayout(exhibit).text(shown))
    }

    private func past(_ question: Question, at moment: Timestamp, _ log: any EventLog) async throws -> Page {
        let extent = try await AsOf.moment(moment).resolve(question.projection, log)
        let view = try await place.places.withViews {
            try await Past(ofLive: question.projection, on: log, $0, place.snapshots)
        }
        let arguments = question.arguments(at: extent.moment)
        let (page, _) = try await view.read(of: question.projection, extent) {
            try question.query.answer(arguments, $0)
        }
        return page
    }
}
