internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Foundation
internal import MillraceBus
internal import Projecting
internal import Snapshots

/// `millrace snapshot`.
struct Snapshotter: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "snapshot",
            abstract: "Keep a snapshot of a view, for query --as-of.",
            paragraphs: """
                Projectors keep some by themselves, one every 100000 events
                (MILLRACE_SNAPSHOTS_EVERY; 0 for none), and at most 24 of a view
                (MILLRACE_SNAPSHOTS_KEPT), the older the further apart.

                Without options one is kept of each view as it is now. With --every the views
                are folded anew beside the live ones, from the log's start, and one is kept each
                time so many events have been folded: for a log that is older than its snapshots.
                Where the log has not all events any more, they would lack what those did: it
                refuses with 65, unless --without-what-is-gone says that they may.

                Examples:
                  \(Program.name) snapshot tickets.seatmap
                  \(Program.name) snapshot hits.windows --every 50000
                  \(Program.name) snapshot --list
                """)
    }
    @Argument(help: "Projections (default: all).", completion: .names)
    var projections: [String] = []
    @Option(help: ArgumentHelp("Fold from the log's start, and keep one every so many events.", valueName: "events"))
    var every: Int64?
    @Flag(help: "List the snapshots that there are.")
    var list = false
    @OptionGroup var losing: Losing
    @OptionGroup var shape: OutputOptions
    @OptionGroup var places: LogAndViewOptions

    func validate() throws {
        if let every, every < 1 { throw ValidationError("--every must be at least 1") }
        if losing.withoutWhatIsGone && every == nil {
            throw ValidationError("--without-what-is-gone goes with --every")
        }
        if list && every != nil { throw ValidationError("--list and --every exclude each other") }
    }

    func run(in app: Application) async throws {
        let catalogue = app.catalogue
        let chosen =
            try projections.isEmpty
            ? app.domains.flatMap(\.projections) : projections.map { try catalogue.projection($0) }
        let folder = try places.snapshots()
        var limits = try SnapshotLimits.set()
        if !list && limits.kept < 1 {
            throw Failure(.usage, "MILLRACE_SNAPSHOTS_KEPT is 0: no snapshot would be kept")
        }
        if let every { limits.every = every }
        try await places.withViews { views in
            var rows: [(AnyProjection, Snapshot)] = []
            for projection in chosen {
                let live = try await views.live(projection)
                if !list {
                    try await places.withLog(app) { log in
                        if every != nil {
                            try await keepPast(of: live, log, folder, limits)
                        } else {
                            try await keepNow(live, log, views, folder, limits)
                        }
                    }
                }
                rows += try await folder.all(of: live).map { (live, $0) }
            }
            try show(rows)
        }
    }

    private func keepNow(
        _ live: AnyProjection, _ log: any EventLog, _ views: any ViewStore, _ folder: SnapshotFolder,
        _ limits: SnapshotLimits
    ) async throws {
        // A view that was never folded has nothing to be kept.
        guard try await views.builds(of: live).all.contains(live.build) else { return }
        try await views.withSnapshot(live) { snapshot in
            if snapshot.asOf.isEmpty { return }
            try await keep(snapshot, of: live, log, folder, limits)
        }
    }

    private func keepPast(
        of live: AnyProjection, _ log: any EventLog, _ folder: SnapshotFolder, _ limits: SnapshotLimits
    ) async throws {
        try losing.check("snapshots of \(live.name) folded anew", await log.gone(of: live.topics))
        let cuts = try await log.cuts(of: live.topics, every: limits.every)
        guard let last = cuts.last else { return }
        let scratch = live.build(0)
        try await withScratchViews { views in
            let bounds = try await log.bounds(of: log.partitions(of: live.topics))
            var refold = try await ViewReplay(
                scratch, from: log, starts: bounds.mapValues(\.lowerBound), into: views, owner: "snapshot")
            var bar = Progress(live.name, total: Int(last.reduce(0) { $0 + $1.value.rawValue }))
            for cut in cuts {
                try await refold.fold(to: cut) { bar.show($0, unit: "events") }
                try await views.withSnapshot(scratch) { try await keep($0, of: live, log, folder, limits) }
            }
            bar.end()
        }
    }

    private func keep(
        _ snapshot: any ViewSnapshot, of live: AnyProjection, _ log: any EventLog, _ folder: SnapshotFolder,
        _ limits: SnapshotLimits
    ) async throws {
        let there = try await folder.all(of: live)
        if there.contains(where: { $0.offsets == snapshot.asOf }) { return }
        if try await folder.keep(snapshot, of: live, from: log, limits: limits) == nil {
            throw Failure(.tryAgain, "another process is just keeping a snapshot of \(live.name); try again")
        }
    }

    private func show(_ snapshots: [(AnyProjection, Snapshot)]) throws {
        let lines = snapshots.map { projection, snapshot -> Members in
            [
                ("projection", JSON.string(projection.name)),
                ("time", snapshot.time.map { JSON.string($0.rfc3339) } ?? "null"),
                ("events", String(snapshot.events)), ("bytes", String(snapshot.bytes)),
                ("asOf", JSON.offsets(snapshot.offsets)),
            ]
        }
        try shape.show(lines, columns: ["projection", "time", "events", "bytes", "asOf"]) {
            let rows = snapshots.map { projection, snapshot in
                [projection.name, snapshot.time?.rfc3339 ?? "-", String(snapshot.events), String(snapshot.bytes)]
            }
            return TextTable(
                header: ["projection", "newest event", "events", "bytes"], rows: rows, right: [2, 3], whole: [0, 1])
        }
    }
}
