public import EventModel

extension Domain {
    /// Counting hits: exact windows of up to an hour, at any second.
    public static let hits = Domain(
        "hits", "Hits on sites, counted exactly in any window up to an hour.", descriptor: hitsDescriptor
    )
    .observing(Hits.self, key: "site#salt")
    .projecting(HitWindows.self)
    .answering(window)
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
        let window = arguments[length] ?? .seconds(60)
        if window < .seconds(1) || window > longest || window.milliseconds % 1000 != 0 {
            throw Malformed("window", "must be whole seconds, 1s to 1h")
        }
        let at = (arguments[at] ?? arguments.now).second
        let length = window.milliseconds / 1000
        let sums = try reader.sums(
            [HitWindows.Second.hits, HitWindows.Second.late],
            over: Scan(
                HitWindows.seconds, equal: [.text(site)], from: .integer(at - length + 1), through: .integer(at)))
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
}
