internal import EventLog
internal import EventModel
internal import Synchronization

/// How many records topics have, and how fast more come.
final class TopicSampler: Sendable {
    struct Seen: Sendable {
        var topic: Topic
        var records: Int64
        /// Records a second since a sample before; nil where there is none.
        var rate: Int?
    }

    /// How long a sample is taken for true, and how old one before that rates are told from is at least.
    private static let (fresh, span) = (Duration.milliseconds(500), Duration.seconds(2))

    private struct Sample: Sendable {
        var at: ContinuousClock.Instant
        var seen: [Seen]
        var ends: [String: Int64]
    }
    private let log: any EventLog
    private let samples = Mutex<(before: Sample?, last: Sample?)>((nil, nil))

    init(_ log: any EventLog) { self.log = log }

    func sample() async throws -> [Seen] {
        if let last = samples.withLock({ $0.last }), .now - last.at < Self.fresh { return last.seen }
        let topics = try await log.topics()
        let bounds = try await log.bounds(of: try await log.partitions(of: topics.map(\.name)))
        var (ends, counts) = ([String: Int64](), [String: Int64]())
        for (partition, range) in bounds {
            ends[partition.topic, default: 0] += range.upperBound.rawValue
            counts[partition.topic, default: 0] += range.upperBound.rawValue - range.lowerBound.rawValue
        }
        let at = ContinuousClock.now
        return samples.withLock { [ends, counts] samples in
            if let last = samples.last, samples.before.map({ last.at - $0.at >= Self.span }) ?? true {
                samples.before = last
            }
            let seen = topics.sorted { $0.name < $1.name }.map { topic in
                var seen = Seen(topic: topic, records: counts[topic.name] ?? 0)
                if let before = samples.before, at > before.at, let was = before.ends[topic.name] {
                    let more = max(0, (ends[topic.name] ?? 0) - was)
                    seen.rate = Int((Double(more) / ((at - before.at) / .seconds(1))).rounded())
                }
                return seen
            }
            samples.last = Sample(at: at, seen: seen, ends: ends)
            return seen
        }
    }
}
