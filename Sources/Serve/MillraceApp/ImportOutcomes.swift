internal import EventLog
internal import EventModel
internal import Handling

/// Counts what a handler answers to the commands that an import writes.
///
/// A command is waited for by the hash of its id, at most ``most`` at once; those above are not followed.
final class ImportOutcomes {
    static let most = 2_000_000
    /// From so many on outcomes are read while the import goes on, else after it.
    private static let many = 500_000

    /// What came of the commands.
    struct Counts {
        var accepted = 0
        /// The command was decided before, or changes nothing.
        var unchanged = 0
        var refused = 0
        /// The refused by the reason.
        var reasons: [String: Int] = [:]
        /// No handler has answered them yet.
        var undecided = 0
    }

    private struct Entry {
        var awaited: UInt32 = 0
        var isAnswered = false
    }

    private let reader: any LogReader
    private let commands: String
    private var waiting: [UInt64: Entry] = [:]
    private var counts = Counts()
    /// The first command of this import in each partition: what was decided first under an id before it is not its doing.
    private var first: [Partition: Offset] = [:]

    /// Listens from now on.
    init(_ log: any EventLog, _ domain: Domain) async throws {
        guard let count = try await log.partitionCounts()[domain.outcomesTopic] else {
            throw LogError.unknown(domain.outcomesTopic)
        }
        let partitions = (0..<count).map { TopicPartition(domain.outcomesTopic, Partition($0)) }
        reader = try await log.reader(from: try await log.bounds(of: partitions).mapValues(\.upperBound))
        commands = domain.commandsTopic
    }

    func close() async { await reader.close() }

    /// These commands have been written.
    func expect(_ appends: [Append], _ offsets: [[Offset]]) async throws {
        for (append, offsets) in zip(appends, offsets) where append.target.topic == commands {
            if let start = offsets.first { first[append.target.partition] = first[append.target.partition] ?? start }
            for record in append.records {
                guard let id = record.headers.first(where: { $0.name == HeaderName.id })?.value else { continue }
                if waiting.count >= Self.most {
                    counts.undecided += 1
                } else {
                    waiting[Self.hash(id), default: Entry()].awaited += 1
                }
            }
        }
        while waiting.count >= Self.many, try await hear(within: .zero) {}
    }

    /// Waits for the outcomes, for so long after each.
    func finish(within limit: Duration) async throws -> Counts {
        var deadline = ContinuousClock.now + limit
        while !waiting.isEmpty {
            let left = deadline - .now
            // What is there already is heard in any case.
            if try await hear(within: max(.zero, min(left, .milliseconds(100)))) {
                deadline = .now + limit
            } else if left <= .zero {
                break
            }
        }
        var all = counts
        all.undecided += waiting.values.reduce(0) { $0 + Int($1.awaited) }
        return all
    }

    /// Reads some outcomes; false where none of them was waited for.
    private func hear(within limit: Duration) async throws -> Bool {
        var heard = false
        for batch in try await reader.next(max: 10_000, wait: limit) {
            for record in batch.records {
                guard let id = record.headers.first(where: { $0.name == HeaderName.id })?.value else { continue }
                let hash = Self.hash(id)
                guard var entry = waiting[hash] else { continue }
                heard = true
                count(try Outcome(record.value), again: entry.isAnswered, batch.source.partition)
                entry.awaited -= 1
                entry.isAnswered = true
                waiting[hash] = entry.awaited == 0 ? nil : entry
            }
        }
        return heard
    }

    private func count(_ outcome: Outcome, again: Bool, _ partition: Partition) {
        if !outcome.accepted {
            counts.refused += 1
            counts.reasons[outcome.reason, default: 0] += 1
        } else if again || outcome.events.isEmpty || outcome.commandOffset < first[partition] ?? 0 {
            counts.unchanged += 1
        } else {
            counts.accepted += 1
        }
    }

    private static func hash(_ id: Bytes) -> UInt64 {
        var hash = FNV1a()
        id.withUnsafeBytes { hash.add($0) }
        return hash.value
    }
}
