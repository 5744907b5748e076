internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Projecting
internal import Snapshots

/// `millrace query`.
struct QueryCommand: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "query",
            abstract: "Query a view.",
            paragraphs: """
                Prints {"rows":[...],"next":cursor or
                null,"asOf":{"topic/partition":offset}}: asOf is the offset up to which each
                partition has been folded. --after waits until the view has seen an offset,
                so that one reads one's own write. --cursor goes on where a page ended: give it
                that page's next, with the same query and parameters. --as-of shows the view as
                it was: what is of that moment or earlier, in the order of the log, whenever it
                came. It begins with a snapshot that has nothing later (\(Program.name) snapshot
                --list).

                Examples:
                  \(Program.name) query tickets.seats --event e1 --status free --limit 20
                  \(Program.name) query hits.window --site home --window 5m
                  \(Program.name) query tickets.hold --id h1 --after tickets.events/2@17
                  \(Program.name) query tickets.seats --event e1 --as-of @-1h
                """)
    }
    @Argument(help: "The query; \(Program.name) views lists them.", completion: .names)
    var view: String
    @Argument(
        parsing: .allUnrecognized, help: ArgumentHelp("--parameter value ...", valueName: "parameters"),
        completion: .names)
    var parameters: [String] = []
    @Option(help: ArgumentHelp("Rows of a page (default: 100, or what the query's help says).", valueName: "n"))
    var limit: Int?
    @Option(help: ArgumentHelp("Where the page begins: next of the page before.", valueName: "cursor"))
    var cursor: String?
    @Option(
        help: ArgumentHelp("Wait until the view has seen TOPIC/PARTITION@OFFSET.", valueName: "place"),
        completion: .names)
    var after: [String] = []
    @Option(help: ArgumentHelp("How long --after waits.", valueName: "time"))
    var timeout = "10s"
    @Option(
        help: ArgumentHelp(
            "The view as it was at @TIME, or once TOPIC/PARTITION@OFFSET was folded.", valueName: "past"),
        completion: .names)
    var asOf: String?
    @Flag(help: "With --as-of: fold from the log's start, without snapshots.")
    var fromStart = false
    @OptionGroup var shape: OutputOptions
    @OptionGroup var places: LogAndViewOptions

    func run(in app: Application) async throws {
        guard let patience = Duration(short: timeout) else { throw Failure(.usage, "--timeout \(timeout) is no time") }
        let query = try app.catalogue.query(view)
        let call = try QueryCall(
            query, parameters(of: query), spelled: .options, beside: Self.optionNames, limit: limit, cursor: cursor,
            past: asOf, in: app.catalogue)
        let projection = call.projection
        if let asOf {
            if !after.isEmpty { throw Failure(.usage, "--after and --as-of exclude each other") }
            let past = try AsOf.parse(asOf, now: now())
            return try await places.withLog(app) { log in
                let extent = try await past.resolve(projection, log)
                let snapshots = fromStart ? nil : try places.snapshots()
                let view = try await places.withViews { try await Past(ofLive: projection, on: log, $0, snapshots) }
                let (page, shown) = try await view.read(
                    of: projection, extent, Self.answering(call, at: extent.moment))
                try show(page, call, shown)
            }
        }
        if fromStart { throw Failure(.usage, "--from-start goes with --as-of") }
        let answering = Self.answering(call, at: now())
        let waiting = try Waiting(
            for: after.map { try EventPlace($0) }, of: query.name, projection, patience: patience, places: places)
        try await places.withViews { views in
            let projection = try await views.live(projection)
            try await waiting.wait(for: projection, in: views, app)
            let (page, asOf) = try await views.read(projection) { reader, asOf in (try answering(reader), asOf) }
            try show(page, call, asOf)
            if after.isEmpty {
                try await places.tellIfBehind(projection, asOf, isEmpty: page.rows.isEmpty, app)
            }
        }
    }

    /// What answers it. A value that the query itself refuses was given on the command line, as one that is of a wrong kind.
    private static func answering(
        _ call: QueryCall, at now: Timestamp
    ) -> @Sendable (any ViewReader) throws -> Page {
        let answering = call.answering(at: now)
        return { reader in
            do { return try answering(reader) } catch let error as Malformed {
                throw Failure(.usage, error.message)
            }
        }
    }

    private func parameters(of query: Query) throws -> [(name: String, value: String)] {
        let flags = query.parameters.filter { $0.kind == .flag }.map { GeneratedHelp.option($0.name) }
        let loose = try LooseOptions(parameters, flags: Set(flags))
        if let word = loose.words.first { throw Failure(.usage, "\(word) is not --parameter value") }
        return loose.pairs
    }

    private func show(_ page: Page, _ call: QueryCall, _ asOf: [TopicPartition: Offset]) throws {
        let next = call.next(of: page)
        if shape.csv {
            try Output.standard.write(CSVLine.text(page))
            if let next { Output.complain("\(Program.name): more: --cursor \(next)") }
            return
        }
        if shape.asTable {
            try Output.standard.write(TextTable(page.columns, page.rows, keys: call.projection.keys).text)
            if let next { try Output.standard.line("more: --cursor \(next)") }
            return
        }
        try Output.standard.line(call.json(page, asOf: JSON.offsets(asOf)))
    }
}
