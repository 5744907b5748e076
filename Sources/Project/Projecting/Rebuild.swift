public import EventLog
public import EventModel

/// A projection folded anew beside its live build, compared with it, and put in its place.
///
/// Queries and projectors use the live build until another takes its place, at once and for all processes. Projectors that
/// have the old one in hand are fenced then, and go on in the new one where its rows stand.
public struct Rebuild: Sendable {
    private let projection: AnyProjection
    private let log: any EventLog
    private let views: any ViewStore
    /// Events folded a second at most while the build catches up, nil for as fast as can be.
    private let rate: Int?
    /// Offsets at which the build is shown to `atCut` while it is folded, one after another.
    public var cuts: [[TopicPartition: Offset]] = []
    /// Whether a build may lack what events did that the log has no more.
    public var withoutGone = false
    public var atCut: @Sendable (_ build: AnyProjection) async throws -> Void = { _ in }

    private static let owner = "rebuild"
    /// How many rounds of folding what came meanwhile there are at most before the live build is held all the same.
    private static let rounds = 20
    /// A build this many events behind is as good as there: the rest is folded with the live build held.
    private static let near: Int64 = 20_000
    /// How long projectors wait for a build that takes the live one's place, should the process die that does it.
    private static let hold = Duration.seconds(10)

    public init(
        _ projection: AnyProjection, log: any EventLog, views: any ViewStore, rate: Int? = nil
    ) {
        self.projection = projection
        self.log = log
        self.views = views
        self.rate = rate
    }

    /// Folds a fresh build up to the end of the log as it is now, and compares it with the live one at the live one's offsets.
    ///
    /// - Parameter progress: Told how many events have been folded, and how many there are to fold.
    /// - Returns: The build's number, what was folded, and how it differs from the live build.
    /// - Throws: ``EventsGone`` where the log has not all events any more, unless ``withoutGone``.
    public func build(
        progress: (_ folded: Int, _ of: Int) -> Void = { _, _ in }
    ) async throws -> (build: Int, folded: Int, comparison: Comparison) {
        let gone = try await log.gone(of: projection.topics)
        if !gone.isEmpty, !withoutGone { throw EventsGone("a new build of \(projection.name)", gone) }
        let before = try await views.builds(of: projection)
        let number = max(before.live, before.all.last ?? 0) + 1
        let fresh = projection.build(number)
        let live = projection.build(before.live)
        try await views.open(live)
        do {
            let (folded, comparison) = try await fold(fresh, besides: live, progress)
            return (number, folded, comparison)
        } catch {
            try? await views.discard(number, of: projection)
            throw error
        }
    }

    private func fold(
        _ fresh: AnyProjection, besides live: AnyProjection, _ progress: (_ folded: Int, _ of: Int) -> Void
    ) async throws -> (folded: Int, comparison: Comparison) {
        let bounds = try await log.bounds(of: log.partitions(of: projection.topics))
        let total = bounds.reduce(0) { $0 + Int($1.value.upperBound - $1.value.lowerBound) }
        let dropped = try await views.quarantines(of: live, bounds.keys.sorted())
        var refold = try await ViewReplay(
            fresh, from: log, starts: bounds.mapValues(\.lowerBound), into: views, owner: Self.owner, rate: rate,
            dropped: dropped)
        let seen = try await views.read(live) { _, asOf in asOf }
        // Folded no further than the live build, for both are compared at the same offsets.
        for cut in cuts where cut.allSatisfy({ $0.value <= seen[$0.key] ?? 0 }) {
            try await refold.fold(to: cut) { progress($0, total) }
            try await atCut(fresh)
        }
        let comparison = try await refold.comparison(with: live, in: views) { progress($0, total) }
        try await refold.fold(to: bounds.mapValues(\.upperBound)) { progress($0, total) }
        return (refold.folded, comparison)
    }

    /// Puts a build in the live one's place, once it has folded what the live one has. The live one is kept as the previous,
    /// and older ones are removed.
    ///
    /// - Returns: How many events the build had still to fold.
    /// - Throws: ``EventsGone`` where the log has not all of those any more, unless ``withoutGone``.
    @discardableResult
    public func swap(to number: Int) async throws -> Int {
        let before = try await views.builds(of: projection)
        if !before.all.contains(number) { throw ViewError.missing(projection.build(number)) }
        if number == before.live { return 0 }
        let (next, live) = (projection.build(number), projection.build(before.live))
        let partitions = try await log.partitions(of: projection.topics)
        let bounds = try await log.bounds(of: partitions)
        try await checkGone(next, bounds)
        var refold = try await ViewReplay(
            next, from: log, starts: bounds.mapValues(\.lowerBound), into: views, owner: Self.owner)
        var ends = bounds.mapValues(\.upperBound)
        for _ in 0..<Self.rounds {
            try await refold.fold(to: ends)
            ends = try await log.bounds(of: partitions).mapValues(\.upperBound)
            let left = ends.reduce(0) { $0 + ($1.value - (refold.next[$1.key] ?? 0)) }
            if left <= Self.near { break }
        }
        // Nobody folds the live build from here on: who has it in hand is fenced, and who would take it waits for the next.
        let deadline = ContinuousClock.now + Self.hold
        try await views.hold(projection, for: Self.hold)
        _ = try await views.claim(live, partitions, owner: Self.owner)
        try await refold.fold(to: views.read(live) { _, asOf in asOf })
        if .now > deadline - Self.hold / 4 {
            throw ViewError(
                .failed,
                """
                build \(number) of \(projection.name) did not catch up with the live one within \(Self.hold), and does not \
                take its place; the view is as it was. Rebuild it again when the machine is less busy
                """)
        }
        try await views.promote(number, of: projection)
        for old in before.all where old != number && old != before.live {
            try await views.discard(old, of: projection)
        }
        return refold.folded
    }

    /// Checks that what a build has not folded yet is still on the log.
    private func checkGone(_ build: AnyProjection, _ bounds: [TopicPartition: Range<Offset>]) async throws {
        if withoutGone { return }
        let stands = try await views.read(build) { _, asOf in asOf }
        let gone = bounds.sorted { $0.key < $1.key }.filter { $0.value.lowerBound > stands[$0.key] ?? 0 }
            .map { Gone($0.key, before: $0.value.lowerBound) }
        if !gone.isEmpty { throw EventsGone("build \(build.build) of \(projection.name)", gone) }
    }

    /// Puts the previous build back in the live one's place.
    ///
    /// - Returns: Its number, and how many events it had still to fold.
    public func rollBack() async throws -> (build: Int, folded: Int) {
        let builds = try await views.builds(of: projection)
        guard let previous = builds.previous, builds.all.contains(previous) else {
            throw ViewError(.absent, "there is no build of \(projection.name) before the live one to go back to")
        }
        return (previous, try await swap(to: previous))
    }
}
