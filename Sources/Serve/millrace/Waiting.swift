internal import EventLog
internal import EventModel
internal import Foundation
internal import Projecting

/// `--after`: waits until a view has seen some places.
struct Waiting {
    /// After this long without them, the log is asked whether it has them at all.
    private static let doubt = Duration.milliseconds(300)
    /// How often the view is looked at.
    private static let look = Duration.milliseconds(2)

    private let wanted: [(TopicPartition, Offset)]
    private let view: String
    private let patience: Duration
    private let places: Places

    /// - Throws: ``Failure`` where the view is not folded from a topic.
    init(
        for wanted: [(TopicPartition, Offset)], of view: String, _ projection: AnyProjection, patience: Duration,
        places: Places
    ) throws {
        (self.wanted, self.view, self.patience, self.places) = (wanted, view, patience, places)
        for (partition, _) in wanted where !projection.topics.contains(partition.topic) {
            throw Failure(
                .usage,
                "\(view) is folded from \(projection.topics.joined(separator: ", ")), not \(partition.topic)")
        }
    }

    /// - Throws: ``Failure`` where the log has no such place, or the time is over.
    func wait(for live: AnyProjection, in views: any ViewStore) async throws {
        let (start, deadline) = (ContinuousClock.now, ContinuousClock.now + patience)
        var isAsked = false
        for (partition, offset) in wanted {
            while true {
                let seen = try await views.read(live) { _, asOf in asOf[partition] ?? 0 }
                if seen > offset { break }
                // A log on this machine is asked at once, a broker when something seems to be wrong.
                if !isAsked, isLocal || .now > start + Self.doubt || .now > deadline {
                    isAsked = true
                    try await checkPlaces()
                }
                if .now > deadline {
                    throw Failure(
                        .tryAgain,
                        """
                        \(view) has seen \(partition) up to \(seen), not \(offset), within \(patience.short); is a projector \
                        running?
                        """)
                }
                try await Task.sleep(for: Self.look)
            }
        }
    }

    private var isLocal: Bool {
        if case .local? = try? places.logPlace() { true } else { false }
    }

    /// Checks that the log has the places. One that cannot be asked is no reason not to wait.
    private func checkPlaces() async throws {
        if case .local(let folder) = try places.logPlace(),
            !FileManager.default.fileExists(atPath: folder + "/log.sqlite")
        {
            return
        }
        do {
            try await places.withLog { log in
                let counts = try await log.partitionCounts()
                for (partition, _) in wanted {
                    guard let count = counts[partition.topic] else { throw LogError.unknown(partition.topic) }
                    if !(0..<count).contains(Int(partition.partition.rawValue)) {
                        throw Failure(
                            .usage,
                            "there is no \(partition): \(partition.topic) has partitions 0 to \(count - 1)")
                    }
                }
                let bounds = try await log.bounds(of: wanted.map(\.0))
                for (partition, offset) in wanted {
                    guard let end = bounds[partition]?.upperBound, offset >= end else { continue }
                    throw Failure(
                        .usage,
                        "\(partition) ends at \(end): nothing is there at \(offset) that \(view) could see")
                }
            }
        } catch let error as LogError where error.kind != .unknownTopic {}
    }
}
