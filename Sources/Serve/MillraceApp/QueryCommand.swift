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
        let catalogue = app.catalogue
        let query = try catalogue.query(view)
        let projection = try catalogue.projection(query.projection)
        let limit = limit ?? query.page
        if !(1...Limits.pageRows).contains(limit) {
            throw Failure(.usage, "--limit must be 1 to \(Limits.pageRows)")
        }
        guard let patience = Duration(short: timeout) else { throw Failure(.usage, "--timeout \(timeout) is no time") }
        let (values, given) = try values(query)
        let owner = Cursor.Owner(query: query.name, view: projection.storage, parameters: given, past: asOf)
        let cursor = try cursor.map { try Cursor.decode($0, for: owner) }
        if let asOf {
            if !after.isEmpty { throw Failure(.usage, "--after and --as-of exclude each other") }
            let past = try AsOf.parse(asOf, now: now())
            return try await places.withLog(app) { log in
                let extent = try await past.resolve(projection, log)
                let arguments = Arguments(values, now: extent.moment, limit: limit, cursor: cursor)
                let snapshots = fromStart ? nil : try places.snapshots()
                let view = try await Past(ofLive: projection, on: log, places, snapshots)
                let (page, shown) = try await view.read(of: projection, extent) { try query.answer(arguments, $0) }
                try show(page, owner, shown, keys: projection.keys)
            }
        }
        if fromStart { throw Failure(.usage, "--from-start goes with --as-of") }
        let arguments = Arguments(values, now: now(), limit: limit, cursor: cursor)
        let waiting = try Waiting(
            for: after.map { try EventPlace($0) }, of: query.name, projection, patience: patience, places: places)
        try await places.withViews { views in
            let projection = try await views.live(projection)
            try await waiting.wait(for: projection, in: views, app)
            let (page, asOf) = try await views.read(projection) { reader, asOf in
                (try query.answer(arguments, reader), asOf)
            }
            try show(page, owner, asOf, keys: projection.keys)
            if after.isEmpty {
                try await places.tellIfBehind(projection, asOf, isEmpty: page.rows.isEmpty, app)
            }
        }
    }

    /// The parameters' values, and what a page's cursor belongs to of them.
    private func values(_ query: Query) throws -> (values: [String: Value], given: [String: Value]) {
        let flags = query.parameters.filter { $0.kind == .flag }.map { GeneratedHelp.option($0.name) }
        let loose = try LooseOptions(parameters, flags: Set(flags))
        if let word = loose.words.first { throw Failure(.usage, "\(word) is not --parameter value") }
        let values = try loose.values(of: query.parameters, for: query.name, and: Self.optionNames)
        var given = values
        // A moment that is told by its distance from now is another one on the next page.
        for parameter in query.parameters where parameter.kind == .timestamp {
            if let text = loose.pairs.first(where: { Spelling.same(parameter.name, $0.name) })?.value {
                given[parameter.name] = .text(text)
            }
        }
        return (values, given)
    }

    private func show(
        _ page: Page, _ owner: Cursor.Owner, _ asOf: [TopicPartition: Offset], keys: Set<String> = []
    ) throws {
        let next = page.next.map { Cursor.encode($0, for: owner) }
        if shape.csv {
            let rows = page.rows.map { row in
                zip(page.columns, row).map { (name: JSON.camel($0.name), value: JSON.value($1, $0.kind)) }
            }
            try shape.showLines(rows, columns: page.columns.map { JSON.camel($0.name) })
            if let next { Output.complain("\(Program.name): more: --cursor \(next)") }
            return
        }
        if shape.asTable {
            try Output.standard.write(TextTable(page.columns, page.rows, keys: keys).text)
            if let next { try Output.standard.line("more: --cursor \(next)") }
            return
        }
        try Output.standard.line(
            JSON.object([
                ("rows", JSON.array(page.rows.map { JSON.row($0, page.columns) })),
                ("next", next.map(JSON.string) ?? "null"), ("asOf", JSON.offsets(asOf)),
            ]))
    }
}
