internal import EventModel

/// What links are asked.
enum LinkQueries {
    private static let code = RequiredParameter<String>("code", "the link's code or alias")
    private static let owner = RequiredParameter<String>("owner", "whose links")
    private static let url = RequiredParameter<String>("url", "where it leads, as browsers write it")
    private static let unit = OptionalParameter<String>(
        "by", oneOf: ["minute", "hour", "day"], "the unit of time (default: day)")
    private static let from = OptionalParameter<Timestamp>("from", "the first moment (default: 30 units ago)")
    private static let to = OptionalParameter<Timestamp>("to", "the last moment (default: now)")
    private static let offset = OptionalParameter<Int64>(
        "offset", "minutes by which days are ahead of UTC, -840 to 840 (default: 0)")
    private static let kind = RequiredParameter<String>(
        "kind", oneOf: ["referrer", "country", "device"], "what is looked at")

    static let resolve = Query(
        "links.resolve", "Where a code leads, whose it is, and how it stands.", of: "links.links", [code]
    ) { arguments, reader in
        try Page(of: Scan(LinkTable.links, equal: [.text(arguments[code])]).page(arguments), in: reader)
    }

    static let of = Query("links.of", "The links of an owner, newest first.", of: "links.links", [owner]) {
        arguments, reader in
        let own = Scan(LinkTable.links, by: "owner", equal: [.text(try arguments[owner])], descending: true)
        return try Page(of: own.page(arguments), in: reader)
    }

    static let ofURL = Query(
        "links.of-url", "The links of an owner that lead to a URL, newest first.", of: "links.links", [owner, url]
    ) { arguments, reader in
        let own = Scan(
            LinkTable.links, by: "url", equal: [.text(try arguments[owner]), .text(try arguments[url])],
            descending: true)
        return try Page(of: own.page(arguments), in: reader)
    }

    static let total = Query("links.total", "All clicks of a link, and those of programs.", of: "links.clicks", [code])
    {
        arguments, reader in
        let code = Value.text(try arguments[code])
        let sums = try reader.sums(
            [ClickCounts.Click.people, ClickCounts.Click.bots], over: Scan(ClickCounts.clicks, equal: [code, 0]))
        return Page(
            columns: [
                Column("code", .text), Column("clicks", .integer, "of people"), Column("bots", .integer, "of programs"),
            ], rows: [[code, .integer(sums[0]), .integer(sums[1])]])
    }

    static let clicks = Query(
        "links.clicks", "Clicks of a link by minute, hour or day that had some, in their order.", of: "links.clicks",
        [code, unit, from, to, offset], page: Limits.pageRows
    ) { arguments, reader in
        let length: Int64 = ["minute": 60, "hour": 3600][arguments[unit] ?? "day"] ?? 86_400
        let ahead = arguments[offset] ?? 0
        if !(-840...840).contains(ahead) { throw Malformed("offset", "is \(ahead), it must be -840 to 840 minutes") }
        try check(arguments[from], arguments[to])
        let last = (arguments[to] ?? arguments.now).second
        let shift = length == 86_400 ? ahead : 0
        var first = begin(arguments[from]?.second ?? last - 30 * length, length, shift)
        if let second = arguments.cursor?.first?.integer { first = max(first, second) }
        // Days of another zone are made of hours or of minutes, which they begin with.
        let stored = length < 86_400 || ahead == 0 ? length : ahead % 60 == 0 ? 3600 : 60
        var rows: [(second: Int64, clicks: Int64, bots: Int64)] = []
        // The last unit is whole too, also a day that is made of hours.
        let scan = Scan(
            ClickCounts.clicks, equal: [.text(try arguments[code]), .integer(stored)], from: .integer(first),
            through: .integer(begin(last, length, shift) + length - 1))
        try reader.everyRow(scan) { row in
            let second = begin(row[ClickCounts.Click.second] ?? 0, length, shift)
            if rows.last?.second != second { rows.append((second, 0, 0)) }
            rows[rows.count - 1].clicks += row[ClickCounts.Click.people] ?? 0
            rows[rows.count - 1].bots += row[ClickCounts.Click.bots] ?? 0
        }
        return Page(
            columns: [
                Column("at", .timestamp), Column("clicks", .integer, "of people"),
                Column("bots", .integer, "of programs"),
            ],
            rows: rows.prefix(arguments.limit).map { row in
                [Value(Timestamp(0) + .seconds(row.second)), .integer(row.clicks), .integer(row.bots)]
            }, next: rows.count > arguments.limit ? [.integer(rows[arguments.limit].second)] : nil)
    }

    /// When the unit began that a second is in.
    private static func begin(_ second: Int64, _ length: Int64, _ ahead: Int64) -> Int64 {
        let shifted = second + ahead * 60
        return shifted - ((shifted % length) + length) % length - ahead * 60
    }

    /// Since 1970, also before it.
    private static func day(_ second: Int64) -> Int64 { begin(second, 86_400, 0) / 86_400 }

    static let sources = Query(
        "links.sources", "Where the clicks of a link come from, most first.", of: "links.clicks", [code, kind],
        page: Limits.pageRows
    ) { arguments, reader in
        var clicks: [Bytes: Int64] = [:]
        let scan = Scan(ClickCounts.sources, equal: [.text(try arguments[code]), .text(try arguments[kind])])
        try reader.everyRow(scan) { row in
            clicks[Bytes(row[ClickCounts.Source.value] ?? ""), default: 0] += row[ClickCounts.Source.clicks] ?? 0
        }
        func isBefore(_ a: (key: Bytes, value: Int64), _ b: (key: Bytes, value: Int64)) -> Bool {
            if a.value != b.value { return a.value > b.value }
            return a.key.slice.lexicographicallyPrecedes(b.key.slice)
        }
        var most = clicks.map { (key: $0.key, value: $0.value) }
        // It begins where the page before has ended. Clicks that came meanwhile may have moved a source over that place.
        if let count = arguments.cursor?.first?.integer, let value = arguments.cursor?.last?.text {
            most.removeAll { isBefore($0, (Bytes(value), count)) }
        }
        most.sort(by: isBefore)
        let rest = most.count > arguments.limit ? most[arguments.limit] : nil
        return Page(
            columns: [Column("value", .text, "empty where it is not known"), Column("clicks", .integer)],
            rows: most.prefix(arguments.limit).map { [.text($0.key.text), .integer($0.value)] },
            next: rest.map { [.integer($0.value), .text($0.key.text)] })
    }

    static let visitors = Query(
        "links.visitors", "About how many visitors a link had each day of UTC.", of: "links.clicks", [code, from, to],
        page: Limits.pageRows
    ) { arguments, reader in
        let last = day((arguments[to] ?? arguments.now).second)
        var first = arguments[from].map { day($0.second) } ?? last - 30
        try check(arguments[from], arguments[to])
        if let next = arguments.cursor?.first?.integer { first = max(first, next) }
        var sketches: [Int64: VisitorSketch] = [:]
        let scan = Scan(
            ClickCounts.visitors, equal: [.text(try arguments[code])], from: .integer(first), through: .integer(last))
        try reader.everyRow(scan) { row in
            sketches[row[ClickCounts.Visitor.day] ?? 0, default: VisitorSketch()].merge(
                VisitorSketch(row[ClickCounts.Visitor.sketch] ?? ""))
        }
        let days = sketches.sorted { $0.key < $1.key }
        return Page(
            columns: [Column("day", .timestamp), Column("visitors", .integer, "within 1.6% as a rule")],
            rows: days.prefix(arguments.limit).map { day, sketch in
                [Value(Timestamp(0) + .seconds(day * 86_400)), .integer(sketch.estimate)]
            }, next: days.count > arguments.limit ? [.integer(days[arguments.limit].key)] : nil)
    }

    private static func check(_ from: Timestamp?, _ to: Timestamp?) throws(Malformed) {
        guard let from, let to, from > to else { return }
        throw Malformed("from", "is \(from.rfc3339), which is after to, \(to.rfc3339)")
    }
}
