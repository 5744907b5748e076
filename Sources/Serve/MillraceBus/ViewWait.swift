package import EventLog
package import EventModel
package import Projecting

/// Waits until a view has seen some places of the log.
package struct ViewWait: Sendable {
    /// After this long without them, the log is asked whether it has them at all.
    private static let doubt = Duration.milliseconds(300)
    /// How often the view is looked at where its store tells of commits, for one that was not told.
    private static let distrust = Duration.milliseconds(250)
    /// The same where it cannot tell: at first, and after a while.
    private static let looks = (first: Duration.milliseconds(2), last: Duration.milliseconds(20))

    private let wanted: [(key: TopicPartition, value: Offset)]
    private let view: String
    private let patience: Duration

    /// - Throws: ``BusError`` where the view is not folded from a topic.
    package init(
        for wanted: [(key: TopicPartition, value: Offset)], of view: String, _ projection: AnyProjection,
        within patience: Duration
    ) throws(BusError) {
        (self.wanted, self.view, self.patience) = (wanted, view, patience)
        for (partition, _) in wanted where !projection.topics.contains(partition.topic) {
            throw BusError(
                .usage,
                "\(view) is folded from \(projection.topics.joined(separator: ", ")), not \(partition.topic)")
        }
    }

    /// - Parameters:
    ///   - asksAtOnce: Whether the log is asked as soon as the view has not seen a place, and not only when in doubt.
    ///   - check: Asks the log whether it has the places: see ``check(on:)``.
    /// - Throws: ``BusError`` where the time is over, and what `check` throws.
    package func wait(
        for live: AnyProjection, in views: any ViewStore, asksAtOnce: Bool, _ check: () async throws -> Void
    ) async throws {
        let (start, deadline) = (ContinuousClock.now, ContinuousClock.now + patience)
        let commits = Signal()
        // Kept to the end. A view that has seen the places already is not watched, for a watch is not for nothing.
        var watch: (any ViewWatch)?
        defer { withExtendedLifetime(watch) {} }
        var (isAsked, isWatched) = (false, false)
        for (partition, offset) in wanted {
            var look = Self.looks.first
            while true {
                let version = commits.version
                let seen = try await views.read(live) { _, asOf in asOf[partition] ?? 0 }
                if seen > offset { break }
                if !isAsked, asksAtOnce || .now > start + Self.doubt || .now > deadline {
                    isAsked = true
                    try await check()
                }
                if .now > deadline {
                    throw BusError(
                        .tryAgain,
                        """
                        \(view) has seen \(partition) up to \(seen), not \(offset), within \(patience.short); is a projector \
                        running?
                        """)
                }
                if !isWatched {
                    // What was committed before the watch began is not told: the view is looked at once more.
                    (watch, isWatched) = (views.watch(live, telling: commits), true)
                    continue
                }
                await commits.wait(past: version, atMost: watch == nil ? look : Self.distrust)
                try Task.checkCancellation()
                look = min(look * 1.25, Self.looks.last)
            }
        }
    }

    /// Waits, and asks the view then.
    ///
    /// - Returns: The page, and the offset up to which each partition has been folded.
    package func page(
        of projection: AnyProjection, in views: any ViewStore, on log: any EventLog,
        _ answer: @escaping @Sendable (any ViewReader) throws -> Page
    ) async throws -> (page: Page, asOf: [TopicPartition: Offset]) {
        if wanted.isEmpty {
            return try await views.read(liveOf: projection) { reader, asOf in (try answer(reader), asOf) }
        }
        let live = try await views.live(projection)
        try await wait(for: live, in: views, asksAtOnce: false) { try await check(on: log) }
        return try await views.read(live) { reader, asOf in (try answer(reader), asOf) }
    }

    /// Checks that a log has the places.
    ///
    /// - Throws: ``BusError`` where it has not; `LogError` of an unknown topic. A log that cannot be asked is no reason not to
    ///   wait.
    package func check(on log: any EventLog) async throws {
        do {
            let counts = try await log.partitionCounts()
            for (partition, _) in wanted {
                guard let count = counts[partition.topic] else { throw LogError.unknown(partition.topic) }
                if !(0..<count).contains(Int(partition.partition.rawValue)) {
                    throw BusError(
                        .usage, "there is no \(partition): \(partition.topic) has partitions 0 to \(count - 1)")
                }
            }
            let bounds = try await log.bounds(of: wanted.map(\.key))
            for (partition, offset) in wanted {
                guard let end = bounds[partition]?.upperBound, offset >= end else { continue }
                throw BusError(
                    .usage, "\(partition) ends at \(end): nothing is there at \(offset) that \(view) could see")
            }
        } catch let error as LogError where error.kind != .unknownTopic {}
    }
}
