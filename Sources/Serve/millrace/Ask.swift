internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import Projecting
internal import Snapshots

/// `millrace query`.
struct Ask: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Query a view.",
        discussion: """
            Prints {"rows":[...],"next":cursor or
            null,"asOf":{"topic/partition":offset}}: asOf is the offset up to which each
            partition has been folded. --after waits until the view has seen an offset,
            so that one reads one's own write. --as-of shows the view as it was: what is
            of that moment or earlier, in the order of the log, whenever it came. It begins
            with a snapshot that has nothing later (millrace snapshot --list).

            Examples:
              millrace query tickets.seats --event e1 --status free --limit 20
              millrace query hits.window --site home --window 5m
              millrace query tickets.hold --id h1 --after tickets.events/2@17
              millrace query tickets.seats --event e1 --as-of @-1h
            """)
    @Argument(help: "The query; millrace views lists them.")
    var view: String
    @Argument(parsing: .allUnrecognized, help: ArgumentHelp("--parameter value ...", valueName: "parameters"))
    var parameters: [String] = []
    @Option(help: ArgumentHelp("Rows of a page (default: 100, or what the query's help says).", valueName: "n"))
    var limit: Int?
    @Option(help: ArgumentHelp("Where the page begins: next of the page before.", valueName: "cursor"))
    var cursor: String?
    @Option(help: ArgumentHelp("Wait until the view has seen TOPIC/PARTITION@OFFSET.", valueName: "place"))
    var after: [String] = []
    @Option(help: ArgumentHelp("How long --after waits.", valueName: "time"))
    var timeout = "10s"
    @Option(
        help: ArgumentHelp("The view as it was at @TIME, or once TOPIC/PARTITION@OFFSET was folded.", valueName: "past")
    )
    var asOf: String?
    @Flag(help: "With --as-of: fold from the log's start, without snapshots.")
    var fromStart = false
    @OptionGroup var shape: Shape
    @OptionGroup var places: Places

    func run() async throws {
        let catalogue = Catalogue(domains: Millrace.domains)
        let query = try catalogue.query(view)
        let projection = try catalogue.projection(query.projection)
        let limit = limit ?? query.page
        if !(1...Limits.pageRows).contains(limit) {
            throw Failure(.usage, "--limit must be 1 to \(Limits.pageRows)")
        }
        guard let patience = Duration(short: timeout) else { throw Failure(.usage, "--timeout \(timeout) is no time") }
        let values = try values(query)
        let cursor = try cursor.map(Cursor.decode)
        if let asOf {
            if !after.isEmpty { throw Failure(.usage, "--after and --as-of exclude each other") }
            let past = try AsOf.parse(asOf, now: now())
            return try await places.withLog { log in
                let extent = try await past.resolve(projection, log)
                let arguments = Arguments(values, now: extent.moment, limit: limit, cursor: cursor)
                let (page, shown) = try await self.past(of: projection, on: log).read(of: projection, extent) {
                    try query.answer(arguments, $0)
                }
                try show(page, shown)
            }
        }
        if fromStart { throw Failure(.usage, "--from-start goes with --as-of") }
        let arguments = Arguments(values, now: now(), limit: limit, cursor: cursor)
        let wanted = try after.map(Self.place)
        try await places.withViews { views in
            let projection = try await views.live(projection)
            try await wait(for: wanted, projection, views, patience)
            let (page, asOf) = try await views.read(projection) { reader, asOf in
                (try query.answer(arguments, reader), asOf)
            }
            try show(page, asOf)
        }
    }

    /// Only snapshots of the live build count: what was wrong before a rebuild was wrong in its past too.
    private func past(of projection: AnyProjection, on log: any EventLog) async throws -> Past {
        let partitions = try await log.partitions(of: projection.topics)
        let (live, waiting) = try await places.withViews { views in
            let live = try await views.live(projection)
            try await views.open(live)
            return (live, try await views.quarantines(of: live, partitions))
        }
        return Past(of: live, on: log, snapshots: fromStart ? nil : try places.snapshots(), leavingOut: waiting)
    }

    private func values(_ query: Query) throws -> [String: Value] {
        let loose = try LooseOptions(parameters)
        if let word = loose.words.first { throw Failure(.usage, "\(word) is not --parameter value") }
        var values: [String: Value] = [:]
        for (name, text) in loose.pairs {
            guard let parameter = query.parameters.first(where: { Teaching.option($0.name) == name || $0.name == name })
            else {
                let known = query.parameters.map { "--\(Teaching.option($0.name))" }.joined(separator: ", ")
                throw Failure(.usage, "--\(name) is not a parameter of \(query.name), which has \(known)")
            }
            if values[parameter.name] != nil { throw Failure(.usage, "--\(name) is given twice") }
            values[parameter.name] = try Self.value(text, parameter)
        }
        if let missing = query.parameters.first(where: { $0.required && values[$0.name] == nil }) {
            throw Failure(.usage, "\(query.name) needs --\(Teaching.option(missing.name)): \(missing.about)")
        }
        return values
    }

    private static func value(_ text: String, _ parameter: Parameter) throws -> Value {
        switch parameter.kind {
        case .text: return .text(text)
        case .integer: if let value = Int64(text) { return .integer(value) }
        case .real: if let value = Double(text), value.isFinite { return .real(value) }
        case .duration: if let value = Duration(short: text) { return .integer(value.milliseconds) }
        case .timestamp: if let value = Moment.parse(text, now: now()) { return Value(value) }
        }
        let example = [
            Parameter.Kind.integer: "17", .real: "52.52", .duration: "60s, 5m or 1h",
            .timestamp: "2026-11-01T20:00:00Z, -1h or now",
        ]
        throw Failure(
            .usage,
            "--\(parameter.name) \(text) is no \(parameter.kind.rawValue), such as \(example[parameter.kind] ?? "")")
    }

    static func place(_ text: String) throws -> (TopicPartition, Offset) {
        let parts = text.split(separator: "@")
        let place = parts.first?.split(separator: "/") ?? []
        guard parts.count == 2, place.count == 2, let partition = Int32(place[1]), let offset = Int64(parts[1]) else {
            throw Failure(.usage, "\(text) is not TOPIC/PARTITION@OFFSET, such as tickets.events/2@17")
        }
        return (TopicPartition(String(place[0]), Partition(rawValue: partition)), Offset(offset))
    }

    private func wait(
        for wanted: [(TopicPartition, Offset)], _ projection: AnyProjection, _ views: any ViewStore,
        _ patience: Duration
    ) async throws {
        let deadline = ContinuousClock.now + patience
        for (partition, offset) in wanted {
            guard projection.topics.contains(partition.topic) else {
                throw Failure(
                    .usage,
                    "\(view) is folded from \(projection.topics.joined(separator: ", ")), not \(partition.topic)")
            }
            while true {
                let seen = try await views.read(projection) { _, asOf in asOf[partition] ?? 0 }
                if seen > offset { break }
                if .now > deadline {
                    throw Failure(
                        .tryAgain,
                        "\(view) has seen \(partition) up to \(seen), not \(offset), within \(timeout); is a projector running?"
                    )
                }
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    private func show(_ page: Page, _ asOf: [TopicPartition: Offset]) throws {
        let next = page.next.map { Cursor.encode($0) }
        if shape.asTable {
            try Output.standard.write(TextTable(page.columns, page.rows).text)
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

/// A place in a view's order as opaque text.
enum Cursor {
    static func encode(_ row: Row) -> String {
        let parts = row.map { value -> String in
            switch value {
            case .null: "n"
            case .integer(let value): "i\(value)"
            case .real(let value): "r\(value)"
            case .text(let value): "t\(value)"
            }
        }
        return Data(parts.joined(separator: "\u{0}").utf8).base64EncodedString()
    }

    static func decode(_ text: String) throws -> Row {
        let bad = Failure(.usage, "--cursor \(text) was not given by an earlier page")
        guard let data = Data(base64Encoded: text), let joined = String(validating: data, as: UTF8.self) else {
            throw bad
        }
        return try joined.split(separator: "\u{0}", omittingEmptySubsequences: false).map { part in
            let rest = String(part.dropFirst())
            switch part.first {
            case "n": return .null
            case "i": if let value = Int64(rest) { return .integer(value) }
            case "r": if let value = Double(rest) { return .real(value) }
            case "t": return .text(rest)
            default: break
            }
            throw bad
        }
    }
}

/// A moment as people write it: RFC 3339, milliseconds since 1970, `now`, or a time before or after now: -1h, +5m.
enum Moment {
    static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        if text == "now" { return now }
        if text.hasPrefix("-"), let ago = Duration(short: String(text.dropFirst())) { return now - ago }
        if text.hasPrefix("+"), let ahead = Duration(short: String(text.dropFirst())) { return now + ahead }
        if let time = Timestamp(rfc3339: text) { return time }
        return Int64(text).map { Timestamp($0) }
    }
}
