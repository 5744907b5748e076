internal import EventLog
internal import EventModel
internal import GRDB
internal import Synchronization

/// Reads partitions without a group.
final class LocalReader: LogReader {
    private let log: LocalLog
    private let times: ClosedRange<Timestamp>?
    private let following: Mutex<Following>
    /// What tells how far it has gone before it read anything.
    private let passed: Mutex<[Batch]>

    /// - Parameters:
    ///   - times: Of which the records are, nil for any.
    ///   - asked: Where it was to begin, where that is not where it does.
    init(
        log: LocalLog, positions: [TopicPartition: Offset], _ times: ClosedRange<Timestamp>? = nil,
        past asked: [TopicPartition: Offset] = [:]
    ) {
        (self.log, self.times) = (log, times)
        following = Mutex(Following(positions))
        passed = Mutex(
            positions.filter { $0.value > asked[$0.key] ?? $0.value }.sorted { $0.key < $1.key }
                .map { Batch(source: $0.key, records: [], next: $0.value) })
    }

    func next(max: Int, wait: Duration) async throws -> [Batch] {
        let passed = passed.withLock { passed in
            defer { passed = [] }
            return passed
        }
        if !passed.isEmpty { return passed }
        return try await log.changed.first(within: wait, in: { following.withLock(\.partitions) }) {
            let (batches, damage) = try await log.next(of: following, \.self, max: max, within: times)
            // What can be read is read first.
            if batches.isEmpty, let damage = damage.first { throw damage.error }
            return batches.isEmpty ? nil : batches
        } ?? []
    }

    func close() {}
}

extension LocalLog {
    /// A partition that cannot be read from where a reader stands.
    struct Damage: Sendable {
        var partition: TopicPartition
        var error: LogError
    }

    /// What is next for a reader: from memory where it is there, else from the database.
    func next<State>(
        of reader: borrowing Mutex<State>, _ following: any WritableKeyPath<State, Following> & Sendable, max: Int,
        within times: ClosedRange<Timestamp>? = nil
    ) async throws -> (batches: [Batch], damage: [Damage]) {
        if let batches = reader.withLock({ $0[keyPath: following].take(recent, max: max) }) {
            return (times.map { times in batches.map { $0.within(times) } } ?? batches, [])
        }
        let version = recent.version
        let (batches, isAll, damage) = try await read(
            reader.withLock { $0[keyPath: following].inTurn() }, max: max, within: times)
        reader.withLock { $0[keyPath: following].advance(past: batches, version: isAll ? version : nil) }
        return (batches, damage)
    }

    /// Up to about `max` records of these partitions, in this order, and whether that is all there is. One that is damaged
    /// does not keep the others from being read.
    private func read(
        _ positions: [(partition: TopicPartition, from: Offset)], max: Int, within times: ClosedRange<Timestamp>?
    ) async throws -> (batches: [Batch], isAll: Bool, damage: [Damage]) {
        if positions.isEmpty { return ([], true, []) }
        return try await read { [path] db in
            var (left, bytes) = (max, Store.readBytes)
            var isAll = true
            var (batches, damage): ([Batch], [Damage]) = ([], [])
            for (partition, from) in positions {
                if left <= 0 || bytes <= 0 { return (batches, false, damage) }
                do {
                    guard
                        let reading = try Store.read(
                            db, partition, from: from, max: left, bytes: bytes, within: times)
                    else { continue }
                    left -= reading.batch.records.count
                    bytes -= reading.bytes
                    isAll = isAll && reading.isWhole
                    batches.append(reading.batch)
                } catch let cancelled as CancellationError {
                    // Nothing is wrong with the log: whoever reads is told to stop.
                    throw cancelled
                } catch {
                    let error = LogError(error, path)
                    if error.kind != .damaged { throw error }
                    damage.append(Damage(partition: partition, error: error.at("\(partition)@\(from)")))
                }
            }
            return (batches, isAll, damage)
        }
    }
}

extension LogError {
    /// With a word of where reading stood, unless it has one.
    fileprivate func at(_ place: String) -> LogError {
        message.contains(place.prefix { $0 != "@" }) ? self : LogError(kind, "\(place): \(message)")
    }
}
