internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Projecting

/// `millrace replay`.
struct Replay: AppCommand {
    static let batch = 10_000

    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "replay",
            abstract: "Read topics again: print them, or fold them into fresh tables.",
            paragraphs: """
                Times (--from, --to): @TIME, an RFC 3339 moment or @-1h before now. What is
                shown is of these times, both included, in the order of the log: records
                that came late are among them.

                Positions (--from, --to): start, end, an offset, -N (N before the end), +N
                (N after the start), first@TIME (the first record at or after the moment,
                and all behind it, of whatever time). --to is where to stop, not included.

                A time and a position go together: --from @-1h --to 17.

                Shapes: a table on a terminal and JSON lines elsewhere, --csv, or --format with the verbs %t topic, %p
                partition, %o offset, %d timestamp in ms, %k key, %K its length, %v value
                (%s too), %V its length (%S too), %h headers, %y type, %j event as JSON, %%
                and \\n \\t.

                Examples:
                  \(Program.name) replay hits.events --from @-1h --type Hit
                  \(Program.name) replay tickets.events --key e1:stalls --format '%o %y %j\\n'
                  \(Program.name) replay hits.events --to @2015-05-17T23:59:59.999Z --into hits.windows --views sqlite:/tmp/day1
                """)
    }
    @Argument(help: "Topics.", completion: .names)
    var topics: [String]
    @Option(
        parsing: .unconditional, help: ArgumentHelp("Where to begin.", valueName: "position|@time"), completion: .names)
    var from = "start"
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Where to stop (default: the end as it is now).", valueName: "position|@time"),
        completion: .names)
    var to: String?
    @Option(help: ArgumentHelp("Only this partition.", valueName: "n"), completion: .names)
    var partition: Int?
    @Option(help: ArgumentHelp("Only records with this key.", valueName: "key"))
    var key: String?
    @Option(help: ArgumentHelp("Only this event.", valueName: "event"), completion: .names)
    var type: String?
    @Option(help: ArgumentHelp("Only records of this trace.", valueName: "id"))
    var trace: String?
    @Option(help: ArgumentHelp("At most so many records.", valueName: "n"))
    var limit: Int?
    @Flag(name: .shortAndLong, help: "Go on as records come.")
    var follow = false
    @Flag(help: "Only count the records.")
    var count = false
    @Option(help: ArgumentHelp("A template for each record.", valueName: "template"))
    var format: String?
    @Option(
        help: ArgumentHelp("Fold into this projection's fresh tables, in --views.", valueName: "projection"),
        completion: .names)
    var into: String?
    @OptionGroup var losing: Losing
    @OptionGroup var shape: OutputOptions
    @OptionGroup var places: LogAndViewOptions

    func validate() throws {
        if losing.withoutWhatIsGone && into == nil {
            throw ValidationError("--without-what-is-gone goes with --into")
        }
        if follow, count, limit == nil {
            throw ValidationError("--count with --follow needs --limit, for what never ends has no count")
        }
        if follow && (to != nil || into != nil) { throw ValidationError("--follow goes with neither --to nor --into") }
        let shapes = [("--csv", shape.csv), ("--json", shape.json), ("--table", shape.table)]
        if format != nil, let (option, _) = shapes.first(where: { $0.1 }) {
            throw ValidationError("\(option) and --format exclude each other")
        }
        if let trace, !TraceContext.isTraceID(trace) {
            throw ValidationError(
                "--trace \(trace) is no id of a trace: 32 hexadecimal digits in lower case, not all 0")
        }
        if let limit, limit < 0 { throw ValidationError("--limit must not be negative") }
        let shaping = [
            ("--key", key != nil), ("--type", type != nil), ("--trace", trace != nil), ("--limit", limit != nil),
            ("--count", count),
            ("--csv", shape.csv), ("--table", shape.table),
            ("--format", format != nil),
        ]
        if into != nil, let (option, _) = shaping.first(where: { $0.1 }) {
            throw ValidationError("\(option) does not go with --into, which folds every record")
        }
        if into != nil, places.viewsURL == nil {
            throw ValidationError("--into needs --views URL: a place of its own, for the live views are left alone")
        }
    }

    func run(in app: Application) async throws {
        let shape = try RecordShape(
            format: format, csv: shape.csv, domains: app.domains)
        try await places.withLog(app) { log in
            let part = try await TopicReading(
                topics, partition: partition, from: from, to: to ?? "end", on: log)
            if let into {
                try await fold(log, part, try app.catalogue.projection(into))
            } else {
                let type = try type.map { try RecordShape.type($0, of: topics, app.domains) }
                try await show(log, part, shape, type)
            }
        }
    }

    private func show(
        _ log: any EventLog, _ part: TopicReading, _ shape: RecordShape, _ type: String?
    ) async throws {
        var table = self.shape.asTable && format == nil && !count ? RecordTable(shape) : nil
        var shown = 0
        var text = count ? [] : Array(shape.header.utf8)
        var hiding: (count: Int, first: String)?
        let key = key.map { Bytes($0) }
        // Each read of an option asks what was parsed.
        let (type, trace, limit, count) = (type, trace, limit, count)
        try await (limit == 0 ? part.nothing : part).each(
            on: log, follows: follow, batch: Self.batch, afterEachLook: { !Output.standard.isAbandoned }
        ) { batch, records in
            let types = shape.types(batch.source)
            for record in records {
                if let limit, shown >= limit { return false }
                if let key, record.key != key { continue }
                if let type, types(record) != type { continue }
                if let trace, record.trace?.traceID != trace { continue }
                shown += 1
                if count { continue }
                if table == nil {
                    shape.add(record, batch.source, to: &text)
                } else {
                    table?.add(record, batch.source)
                }
                if shape.hides(record, batch.source) {
                    hiding = ((hiding?.count ?? 0) + 1, hiding?.first ?? "\(batch.source)@\(record.offset)")
                }
            }
            if let lines = table?.take() { text += lines.utf8 }
            if !text.isEmpty { try Output.standard.write(text) }
            text.removeAll(keepingCapacity: true)
            return limit.map { shown < $0 } ?? true
        }
        if !text.isEmpty { try Output.standard.write(text) }
        if count { try Output.standard.line(String(shown)) }
        if let hiding {
            Output.complain(
                """
                \(Program.name): \(hiding.count) of \(shown) records have fields or events of a newer program, the first is \
                \(hiding.first). They are not shown: who writes these lines to a log again loses them
                """)
        }
    }

    private func fold(
        _ log: any EventLog, _ part: TopicReading, _ projection: AnyProjection
    ) async throws {
        let ranges = part.ranges
        let times = part.times.map { times in ranges.mapValues { _ in times } } ?? [:]
        if let other = topics.first(where: { !projection.topics.contains($0) }) {
            throw Failure(
                .usage, "\(projection.name) is folded from \(projection.topics.joined(separator: ", ")), not \(other)")
        }
        // Who names a position has chosen where it begins.
        if from == "start" { try losing.check("a fold of \(projection.name)", await log.gone(of: topics)) }
        try await places.withViews { views in
            if try await views.read(projection, { _, asOf in !asOf.isEmpty }) {
                throw Failure(
                    .cantCreate,
                    "\(try places.viewsPlace()) has \(projection.name) already; give --views a fresh place")
            }
            var refold = try await ViewReplay(
                projection, from: log, starts: ranges.mapValues(\.lowerBound), into: views, owner: "replay")
            var progress = Progress(
                "folding", total: ranges.values.reduce(0) { $0 + Int($1.upperBound - $1.lowerBound) })
            try await refold.fold(to: ranges.mapValues(\.upperBound), within: times) {
                progress.show($0, unit: "events")
            }
            progress.end()
            try Output.standard.line(
                JSON.object([
                    ("projection", JSON.string(projection.name)), ("folded", String(refold.folded)),
                    ("views", JSON.string("\(try places.viewsPlace())")),
                ]))
        }
    }
}
