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
    /// How often the live build is held at most; each time less is left to fold.
    private static let tries = 5
    /// How long projectors wait for a build that takes the live one's place, should the process die that does it.
    var hold = Duration.seconds(10)
    private var isAlone = false

    public init(
        _ projection: AnyProjection, log: any EventLog, views: any ViewStore, rate: Int? = nil
    ) {
        self.projection = projection
        self.log = log
        self.views = views
        self.rate = rate
    }

    /// Does several things with the builds, and nobody else makes or swaps any meanwhile.
    ///
    /// - Throws: ``ViewError/Kind/busy`` where another has them.
    public func alone<R>(_ body: (Rebuild) async throws -> R) async throws -> R {
        if isAlone { return try await body(self) }
        var own = self
        own.isAlone = true
        let lock = try await views.lockBuilds(of: projection)
        do {
            let result = try await body(own)
            await lock.release()
            return result
        } catch {
            await lock.release()
            throw error
        }
    }

    /// Folds a fresh build up to the end of the log as it is now, and compares it with the live one at the live one's offsets.
    ///
    /// - Parameter progress: Told how many events have been folded, and how many there are to fold.
    /// - Returns: The build's number, what was folded, and how it differs from the live build.
    /// - Throws: ``EventsGone`` where the log has not all events any more, unless ``withoutGone``; ``ViewError/Kind/busy`` where
    ///   another makes builds.
    public func build(
        progress: (_ folded: Int, _ of: Int) -> Void = { _, _ in }
    ) async throws -> (build: Int, folded: Int, comparison: Comparison) {
        try await alone { try await $0.make(progress) }
    }

    private func make(
        _ progress: (_ folded: Int, _ of: Int) -> Void
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
    /// - Throws: ``EventsGone`` where the log has not all of those any more, unless ``withoutGone``; ``ViewError/Kind/busy`` where
    ///   another makes builds, or where this one does not catch up with the live one.
    @discardableResult
    public func swap(to number: Int) async throws -> Int {
        try await alone { try await $0.take(the: number) }
    }

    private func take(the number: Int) async throws -> Int {
        let before = try await views.builds(of: projection)
        if !before.all.contains(number) { throw ViewError.missing(projection.build(number)) }
        if number == before.live { return 0 }
        let (next, live) = (projection.build(number), projection.build(before.live))
        let partitions = try await log.partitions(of: projection.topics)
        let bounds = try await log.bounds(of: partitions)
        try await checkGone(next, bounds)
        var refold = try await ViewReplay(
            next, from: log, starts: bounds.mapValues(\.lowerBound), into: views, owner: Self.owner)
        var tries = 0
        repeat {
            if tries == Self.tries {
                throw ViewError(
                    .busy,
                    """
                    build \(number) of \(projection.name) did not catch up with the live one within \(hold), \(tries) times, and does \
                    not take its place; the view is as it was. Rebuild it again when the machine is less busy
                    """)
            }
            tries += 1
            try await approach(&refold, bounds.mapValues(\.upperBound))
        } while try await !promote(next, over: live, partitions, &refold)
        for old in before.all where old != number && old != before.live {
            try await views.discard(old, of: projection)
        }
        return refold.folded
    }

    /// Folds until little is left.
    private func approach(_ refold: inout ViewReplay, _ ends: [TopicPartition: Offset]) async throws {
        var ends = ends
        for _ in 0..<Self.rounds {
            try await refold.fold(to: ends)
            ends = try await log.bounds(of: ends.keys.sorted()).mapValues(\.upperBound)
            let left = ends.reduce(0) { $0 + ($1.value - (refold.next[$1.key] ?? 0)) }
            if left <= Self.near { break }
        }
    }

    /// Folds what is left while nobody folds the live build, and makes the next the live one.
    ///
    /// - Returns: Whether it is. It is not where that took about as long as the live build is held: projectors go on with it then.
    private func promote(
        _ next: AnyProjection, over live: AnyProjection, _ partitions: [TopicPartition], _ refold: inout ViewReplay
    ) async throws -> Bool {
        // From here on who has the live build in hand is fenced, and who would take it waits for the next.
        let deadline = ContinuousClock.now + hold
        try await views.hold(projection, for: hold)
        do {
            _ = try await views.claim(live, partitions, owner: Self.owner)
            try await refold.fold(to: views.read(live) { _, asOf in asOf })
            if .now > deadline - hold / 4 {
                try await views.hold(projection, for: .zero)
                return false
            }
            try await views.promote(next.build, of: projection)
        } catch {
            try? await views.hold(projection, for: .zero)
            throw error
        }
        // Where this process stood still before that, the live build was held no longer, and somebody may have taken it again.
        _ = try await views.claim(live, partitions, owner: Self.owner)
        return true
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
        try await alone { own in
            let builds = try await views.builds(of: projection)
            guard let previous = builds.previous, builds.all.contains(previous) else {
                throw ViewError(.absent, "there is no build of \(projection.name) before the live one to go back to")
            }
            return (previous, try await own.swap(to: previous))
        }
    }
}
