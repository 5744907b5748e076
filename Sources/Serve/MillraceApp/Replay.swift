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
        if follow && (to != nil || into != nil) { throw ValidationError("--follow goes with neither --to nor --into") }
        let shapes = [("--csv", shape.csv), ("--json", shape.json), ("--table", shape.table)]
        if format != nil, let (option, _) = shapes.first(where: { $0.1 }) {
            throw ValidationError("\(option) and --format exclude each other")
        }
        if let limit, limit < 0 { throw ValidationError("--limit must not be negative") }
        let shaping = [
            ("--key", key != nil), ("--type", type != nil), ("--limit", limit != nil), ("--count", count),
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
            let part = try await part(log)
            if let into {
                try await fold(log, part, try app.catalogue.projection(into))
            } else {
                let type = try type.map { try self.type($0, app.domains) }
                try await show(log, part, shape, type)
            }
        }
    }

    /// The type that a word means, whatever its case. One that none of the topics can have is refused, where all their
    /// schemas are known.
    private func type(_ type: String, _ domains: [Domain]) throws -> String {
        var known: [String] = []
        for topic in topics {
            guard let kinds = RecordShape.types(of: topic, domains) else { return type }
            known += kinds
        }
        // A newer program's type is shown as unknown, with its number.
        if let found = Naming.find(type, in: known, names: { [$0] }).first { return found }
        if type.hasPrefix("unknown") || type == "empty" { return type }
        let of = topics.joined(separator: ", ")
        let question = Nearest.question(to: type, among: known).map { " \($0.prefix(1).uppercased())\($0.dropFirst())" }
        throw Failure(
            .usage, "there is no type \(type) in \(of).\(question ?? "") There are \(known.joined(separator: ", "))")
    }

    /// What of a log is read: records of some offsets, and where `times` is not nil, of some times.
    private struct Part {
        var ranges: [TopicPartition: Range<Offset>]
        var times: ClosedRange<Timestamp>?
    }

    private func part(_ log: any EventLog) async throws -> Part {
        let counts = try await log.partitionCounts()
        var partitions: [TopicPartition] = []
        for topic in topics {
            guard let count = counts[topic] else { throw LogError.unknown(topic) }
            if let partition, !(0..<count).contains(partition) {
                throw Failure(.usage, "\(topic) has partitions 0 to \(count - 1), not \(partition)")
            }
            partitions += (0..<count).filter { partition == nil || $0 == partition }.map {
                TopicPartition(topic, Partition($0))
            }
        }
        let bounds = try await log.bounds(of: partitions)
        let moment = now()
        let (from, to) = (try Bound.parse(from, now: moment), try Bound.parse(to ?? "end", now: moment))
        let begin = try await from.position(else: .start).resolve(bounds, log)
        let end = try await to.position(else: .end).resolve(bounds, log)
        let (least, greatest) = (from.time ?? Timestamp(.min), to.time ?? Timestamp(.max))
        let ranges = bounds.reduce(into: [TopicPartition: Range<Offset>]()) { ranges, entry in
            let low = begin[entry.key] ?? entry.value.lowerBound
            // Nothing is of times that end before they begin.
            let high = least > greatest ? low : end[entry.key] ?? entry.value.upperBound
            ranges[entry.key] = low..<max(low, high)
        }
        let isTimed = from.time != nil || to.time != nil
        return Part(ranges: ranges, times: isTimed && least <= greatest ? least...greatest : nil)
    }

    private func show(
        _ log: any EventLog, _ part: Part, _ shape: RecordShape, _ type: String?
    ) async throws {
        var table = self.shape.asTable && format == nil && !count ? RecordTable(shape) : nil
        var shown = 0
        var text = count ? [] : Array(shape.header.utf8)
        var hiding: (count: Int, first: String)?
        let key = key.map { Bytes($0) }
        // Each read of an option asks what was parsed.
        let (type, limit, count) = (type, limit, count)
        try await each(log, part) { batch, records in
            let types = shape.types(batch.source)
            for record in records {
                if let limit, shown >= limit { return false }
                if let key, record.key != key { continue }
                if let type, types(record) != type { continue }
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

    /// Reads batch by batch, for as long as `body` says to go on.
    private func each(
        _ log: any EventLog, _ part: Part, _ body: (Batch, ArraySlice<Record>) throws -> Bool
    ) async throws {
        if limit == 0 { return }
        var open = follow ? part.ranges : part.ranges.filter { !$0.value.isEmpty }
        if open.isEmpty { return }
        var reader = try await log.reader(from: open.mapValues(\.lowerBound), ofTimes: part.times)
        var growth = Growth(of: topics, on: log, from: open.mapValues(\.lowerBound))
        do {
            var silence = Silence()
            reading: while follow || !open.isEmpty {
                if follow, partition == nil, let more = try await growth.look() {
                    await reader.close()
                    reader = try await log.reader(from: more, ofTimes: part.times)
                    for (place, next) in more where open[place] == nil { open[place] = next..<next }
                }
                let batches = try await reader.next(max: Self.batch, wait: .milliseconds(200))
                if !batches.isEmpty {
                    silence.broke()
                } else if !follow {
                    for (place, range) in open {
                        let (from, end) = (range.lowerBound, range.upperBound)
                        if try await !silence.lasts(in: place, from: from, to: end, of: log) { open[place] = nil }
                    }
                }
                for batch in batches {
                    growth.advance(past: batch)
                    guard let range = open[batch.source] else { continue }
                    let records = follow ? batch.records[...] : batch.records(before: range.upperBound)
                    if !(try body(batch, records)) { break reading }
                    if !follow, batch.next >= range.upperBound { open[batch.source] = nil }
                }
                try Task.checkCancellation()
                if follow && Output.standard.isAbandoned { break }
            }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
    }

    private func fold(
        _ log: any EventLog, _ part: Part, _ projection: AnyProjection
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
