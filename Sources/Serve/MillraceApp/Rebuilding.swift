internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import MillraceBus
internal import Projecting
internal import Snapshots

/// `millrace rebuild`.
struct Rebuilding: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "rebuild",
            abstract: "Fold a view anew beside the live one, compare the two, and put it in its place.",
            paragraphs: """
                Workers and queries go on meanwhile: queries read the old build until the new
                one has folded as much, and from then on the new one. Both are compared at the
                same offsets, and what differs is shown. The old build is kept, and --rollback
                puts it back, folded up to now.

                What differs is no error: it may be what the rebuild was for. With --dry-run
                the new build is removed after the comparison, and the exit code is 65 where
                something differs.

                One rebuild of a view runs at a time: another ends with 75, and changes nothing.

                Where the log has not all events any more, a new build would lack what they did:
                rebuild refuses with 65, unless --without-what-is-gone says that it may.

                Examples:
                  \(Program.name) rebuild hits.windows
                  \(Program.name) rebuild tickets.seatmap --rate 50000 --dry-run
                  \(Program.name) rebuild hits.windows --rollback
                """)
    }
    @Argument(help: "The projection.", completion: .names)
    var projection: String
    @Option(help: ArgumentHelp("Fold at most so many events a second.", valueName: "n"))
    var rate: Int?
    @Flag(help: "Compare, and leave everything as it is.")
    var dryRun = false
    @Flag(help: "Put the build that was live before back in its place.")
    var rollback = false
    @OptionGroup var losing: Losing
    @OptionGroup var shape: OutputOptions
    @OptionGroup var places: LogAndViewOptions

    func validate() throws {
        if let rate, rate < 1 { throw ValidationError("--rate must be at least 1") }
        if rollback && (dryRun || rate != nil) {
            throw ValidationError("--rollback goes with neither --dry-run nor --rate")
        }
    }

    func run(in app: Application) async throws {
        let projection = try app.catalogue.projection(projection)
        try await places.withLog(app) { log in
            try await places.withViews { views in
                var rebuild = Rebuild(projection, log: log, views: views, rate: rate)
                rebuild.withoutGone = losing.withoutWhatIsGone
                do {
                    try await rebuild.alone { try await run($0, projection, log, views) }
                } catch let error as EventsGone {
                    throw Losing.refusal(error)
                }
            }
        }
    }

    private func run(
        _ rebuild: Rebuild, _ projection: AnyProjection, _ log: any EventLog, _ views: any ViewStore
    ) async throws {
        if rollback {
            let (build, folded) = try await rebuild.rollBack()
            return try show(projection, build: build, live: true, folded: folded, nil)
        }
        var rebuild = rebuild
        if !dryRun { try await keepSnapshots(&rebuild, projection, log, views) }
        try await rebuildNow(rebuild, projection, views)
    }

    /// The old build's snapshots do not count for the new one, which passes by their times.
    private func keepSnapshots(
        _ rebuild: inout Rebuild, _ projection: AnyProjection, _ log: any EventLog, _ views: any ViewStore
    ) async throws {
        let (folder, limits) = (try places.snapshots(), try SnapshotLimits.set())
        guard limits.isOn else { return }
        rebuild.cuts = try await log.cuts(of: projection.topics, every: limits.every)
        rebuild.atCut = { build in
            do {
                try await views.withSnapshot(build) { snapshot in
                    _ = try await folder.keep(snapshot, of: build, from: log, limits: limits)
                }
            } catch let error as ViewError where error.kind == .full {
                Output.complain("\(Program.name): no snapshot of \(build.storage) was kept: \(error.message)")
            }
        }
    }

    private func rebuildNow(_ rebuild: Rebuild, _ projection: AnyProjection, _ views: any ViewStore) async throws {
        var bar: Progress?
        let (build, folded, comparison) = try await rebuild.build { done, total in
            if bar == nil { bar = Progress(projection.name, total: total) }
            bar?.show(done, unit: "events")
        }
        bar?.end()
        if dryRun {
            try await views.discard(build, of: projection)
            try show(projection, build: build, live: false, folded: folded, comparison)
            if !comparison.isEqual {
                throw Failure(.data, "\(projection.name) is not what the log says; rebuild it without --dry-run")
            }
        } else {
            let rest = try await rebuild.swap(to: build)
            try await places.snapshots().discard(projection, but: views.builds(of: projection))
            try show(projection, build: build, live: true, folded: folded + rest, comparison)
        }
    }

    private func show(
        _ projection: AnyProjection, build: Int, live: Bool, folded: Int, _ comparison: Comparison?
    ) throws {
        let differences = comparison?.first.map { $0.words } ?? []
        if !shape.asTable {
            let tables = (comparison?.tables ?? []).map { counted in
                JSON.object([
                    ("table", JSON.string(counted.table)), ("rows", String(counted.rows)),
                    ("differences", String(counted.differences)),
                ])
            }
            return try shape.showLines([
                [
                    ("projection", JSON.string(projection.name)), ("build", String(build)),
                    ("state", JSON.string(live ? "live" : "removed")),
                    ("folded", String(folded)), ("tables", JSON.array(tables)),
                    ("first", JSON.array(differences.map(JSON.string))),
                ]
            ])
        }
        if let comparison {
            let rows = comparison.tables.map { [$0.table, String($0.rows), String($0.differences)] }
            try Output.standard.write(
                TextTable(header: ["table", "rows before", "differences"], rows: rows, right: [1, 2]).text)
        }
        for difference in differences { try Output.standard.shown("  before, \(difference)") }
        try Output.standard.line(
            "build \(build) of \(projection.name) \(live ? "is live" : "was removed"), \(folded) events folded")
    }
}
