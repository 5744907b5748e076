package import EventLog
package import EventModel

/// What of some topics is read: records of some offsets and, where that is asked for, of some times.
package struct TopicReading: Sendable {
    private let topics: [String]
    /// The only partition; nil where all are read.
    private let partition: Int?
    package private(set) var ranges: [TopicPartition: Range<Offset>]
    package private(set) var times: ClosedRange<Timestamp>?

    /// - Parameters:
    ///   - from: Where it begins, as people write it: see ``Bound``.
    ///   - to: Where it stops: `end` is the end as it is now.
    ///   - places: Where partitions begin, whatever `from` says: a reader that was there goes on.
    /// - Throws: ``BusError``, also where it ends before it begins, and of places that the log has not; `LogError` of an unknown
    ///   topic.
    package init(
        _ topics: [String], partition: Int?, from: String, to: String, goingOnAt places: [TopicPartition: Offset] = [:],
        on log: any EventLog
    ) async throws {
        (self.topics, self.partition) = (topics, partition)
        let counts = try await log.partitionCounts()
        var partitions: [TopicPartition] = []
        for topic in topics {
            guard let count = counts[topic] else { throw LogError.unknown(topic) }
            if let partition, !(0..<count).contains(partition) {
                throw BusError(.usage, "\(topic) has partitions 0 to \(count - 1), not \(partition)")
            }
            partitions += (0..<count).filter { partition == nil || $0 == partition }.map {
                TopicPartition(topic, Partition($0))
            }
        }
        let bounds = try await log.bounds(of: partitions)
        try Self.check(places, counts, bounds)
        let moment = now()
        let (first, last) = (from, to)
        let from = try BusError.naming("from") { try Bound.parse(first, now: moment) }
        let to = try BusError.naming("to") { try Bound.parse(last, now: moment) }
        if from.isBehind(to) {
            throw BusError(
                .usage, "from \(first) is behind to \(last): nothing lies between them; put the earlier one first",
                field: "from")
        }
        let begin = try await from.position(else: .start).resolve(bounds, log)
        let end = try await to.position(else: .end).resolve(bounds, log)
        let (least, greatest) = (from.time ?? Timestamp(.min), to.time ?? Timestamp(.max))
        ranges = bounds.reduce(into: [:]) { ranges, entry in
            let low =
                places[entry.key].map { min(max($0, entry.value.lowerBound), entry.value.upperBound) }
                ?? begin[entry.key] ?? entry.value.lowerBound
            ranges[entry.key] = low..<max(low, end[entry.key] ?? entry.value.upperBound)
        }
        times = from.time != nil || to.time != nil ? least...greatest : nil
    }

    /// Of a reader that goes on, each place is one that it can have come to.
    private static func check(
        _ places: [TopicPartition: Offset], _ counts: [String: Int], _ bounds: [TopicPartition: Range<Offset>]
    ) throws(BusError) {
        for (place, next) in places.sorted(by: { $0.key < $1.key }) {
            let count = counts[place.topic] ?? 0
            if !(0..<count).contains(Int(place.partition.rawValue)) {
                throw BusError(
                    .usage,
                    "Last-Event-ID has partition \(place.partition), and \(place.topic) has partitions 0 to \(count - 1)",
                    field: "Last-Event-ID")
            }
            if let end = bounds[place]?.upperBound, next > end {
                throw BusError(
                    .usage, "Last-Event-ID goes on at \(next) of \(place), which ends at \(end): no event had it",
                    field: "Last-Event-ID")
            }
        }
    }

    /// The same of nothing.
    package var nothing: TopicReading {
        var nothing = self
        nothing.ranges = [:]
        return nothing
    }

    /// Reads batch by batch, for as long as `body` says to go on.
    ///
    /// - Parameters:
    ///   - follows: Whether it goes on with what comes.
    ///   - batch: About so many records at once.
    ///   - pause: How long one look for records waits.
    ///   - look: Asked after each look by one who follows, whether it is to go on.
    package func each(
        on log: any EventLog, follows: Bool, batch size: Int, pause: Duration = .milliseconds(200),
        isolation: isolated (any Actor)? = #isolation, afterEachLook look: () async throws -> Bool,
        _ body: (Batch, ArraySlice<Record>) async throws -> Bool
    ) async throws {
        var open = follows ? ranges : ranges.filter { !$0.value.isEmpty }
        if open.isEmpty { return }
        var reader = try await log.reader(from: open.mapValues(\.lowerBound), ofTimes: times)
        var growth = Growth(of: topics, on: log, from: open.mapValues(\.lowerBound))
        do {
            var silence = Silence()
            reading: while follows || !open.isEmpty {
                if follows, partition == nil, let more = try await growth.look() {
                    await reader.close()
                    reader = try await log.reader(from: more, ofTimes: times)
                    for (place, next) in more where open[place] == nil { open[place] = next..<next }
                }
                let batches = try await reader.next(max: size, wait: pause)
                if !batches.isEmpty {
                    silence.broke()
                } else if !follows {
                    for (place, range) in open {
                        let (from, end) = (range.lowerBound, range.upperBound)
                        if try await !silence.lasts(in: place, from: from, to: end, of: log) { open[place] = nil }
                    }
                }
                for batch in batches {
                    growth.advance(past: batch)
                    guard let range = open[batch.source] else { continue }
                    let records = follows ? batch.records[...] : batch.records(before: range.upperBound)
                    if !(try await body(batch, records)) { break reading }
                    if !follows, batch.next >= range.upperBound { open[batch.source] = nil }
                }
                try Task.checkCancellation()
                if follows, try await !look() { break }
            }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
    }
}
