public import EventModel

extension Domain {
    /// Counting hits: exact windows of up to an hour, at any second.
    public static let hits = Domain(
        "hits", "Hits on sites, counted exactly in any window up to an hour.", descriptor: hitsDescriptor
    )
    .observing(Hits.self, key: "site#salt")
    .projecting(HitWindows.self)
    .answering(window, seconds)
    .demonstrating(.hits)
    .showing(DomainPage("Hits of the last five minutes", files: PageFiles.all))
    .importing(.accessLog)
    .keeping(HitsInvariants.windowsCountTheLog)

    /// The longest window that can be asked for.
    private static let longest = Duration.seconds(3600)

    private static let site = OptionalParameter<String>("site", "the site (default: all together)")
    private static let length = OptionalParameter<Duration>("window", "its length, up to 1h (default: 60s)")
    private static let at = OptionalParameter<Timestamp>("at", "its last second (default: now)")

    private static let window = Query(
        "hits.window", "Hits in the window that ends at a moment, and their average a second.", of: "hits.windows",
        [site, length, at]
    ) { arguments, reader in
        let site = arguments[site] ?? HitWindows.allSites
        let (first, at) = try range(arguments)
        let length = at - first + 1
        let sums = try reader.sums(
            [HitWindows.Second.hits, HitWindows.Second.late],
            over: Scan(
                HitWindows.seconds, equal: [.text(site)], from: .integer(first), through: .integer(at)))
        return Page(
            columns: [
                Column("site", .text), Column("at", .timestamp), Column("window", .integer, "seconds"),
                Column("hits", .integer), Column("late", .integer), Column("average", .real, "hits in time a second"),
            ],
            rows: [
                [
                    .text(site), Value(Timestamp(0) + .seconds(at)), .integer(length), .integer(sums[0]),
                    .integer(sums[1]),
                    .real(Double(sums[0]) / Double(length)),
                ]
            ])
    }

    private static let seconds = Query(
        "hits.seconds", "Hits of each second of a window that had some, in their order.", of: "hits.windows",
        [site, length, at], page: Limits.pageRows
    ) { arguments, reader in
        let (first, last) = try range(arguments)
        let columns = [Column("at", .timestamp), Column("hits", .integer), Column("late", .integer)]
        var rows: [Row] = []
        var from = first
        if let cursor = arguments.cursor {
            guard cursor.count == 1, let second = cursor[0].integer, second >= first else {
                throw Malformed("cursor", "was not given by an earlier page of hits.seconds")
            }
            from = second
        }
        var next: Int64?
        var open: (second: Int64, hits: Int64, late: Int64)?
        func close() {
            guard let done = open else { return }
            if rows.count == arguments.limit {
                next = next ?? done.second
            } else {
                rows.append([Value(Timestamp(0) + .seconds(done.second)), .integer(done.hits), .integer(done.late)])
            }
        }
        let scan = Scan(
            HitWindows.seconds, equal: [.text(arguments[site] ?? HitWindows.allSites)], from: .integer(from),
            through: .integer(last))
        try reader.everyRow(scan) { row in
            let second = row[HitWindows.Second.second] ?? 0
            if open?.second != second {
                close()
                open = (second, 0, 0)
            }
            open?.hits += row[HitWindows.Second.hits] ?? 0
            open?.late += row[HitWindows.Second.late] ?? 0
        }
        close()
        return Page(columns: columns, rows: rows, next: next.map { [.integer($0)] })
    }

    /// The first and the last second of the window that is asked for.
    private static func range(_ arguments: Arguments) throws(Malformed) -> (first: Int64, last: Int64) {
        let window = arguments[length] ?? .seconds(60)
        if window < .seconds(1) || window > longest || window.milliseconds % 1000 != 0 {
            throw Malformed("window", "must be whole seconds, 1s to 1h")
        }
        let last = (arguments[at] ?? arguments.now).second
        return (last - window.milliseconds / 1000 + 1, last)
    }
}
