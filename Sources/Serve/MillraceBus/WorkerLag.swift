package import EventLog
package import EventModel
package import Projecting
internal import Quarantining

/// How far a worker is behind the log, in one partition or in all.
package struct WorkerLag: Sendable {
    package var worker: String
    package var partition: TopicPartition?
    package var committed: Offset?
    package var end: Offset?
    package var lag: Int64
    /// How much more it has seen than the log has.
    package var ahead: Int64 = 0
    /// How many offsets were past their retention before it came to them.
    package var gone: Int64 = 0
    /// A topic that it reads and the log does not have.
    package var missing: String?

    package var members: Members {
        [
            ("worker", JSON.string(worker)),
            ("partition", partition.map { JSON.string($0.description) } ?? "null"),
            ("next", committed?.description ?? "null"), ("end", end?.description ?? "null"),
            ("lag", missing == nil ? String(lag) : "null"),
        ] + (missing.map { [("missing", JSON.string($0))] } ?? [])
            + (ahead > 0 ? [("ahead", String(ahead))] : []) + (gone > 0 ? [("gone", String(gone))] : [])
    }

    /// What to say of one that is ahead; nil where it is not.
    package var aheadMessage: String? {
        if ahead <= 0 { return nil }
        let place = partition.map { ", of \($0)" } ?? ""
        return """
            \(worker) is ahead of the log by \(ahead) records\(place): the log is an older copy, or another one. Delete what \
            the worker has folded, and it is folded again; \(Program.name) lag shows it by partition
            """
    }

    /// The lag once it is nothing, or what is left of it when the time is over.
    package static func settled(
        _ workers: [Worker], log: any EventLog, views: any ViewStore, sum: Bool, within patience: Duration
    ) async throws -> [WorkerLag] {
        let deadline = ContinuousClock.now + patience
        let quarantine = QuarantineLog(log, clock: { now() })
        while true {
            let lines = try await lines(workers, log: log, views: views, quarantine, sum: sum)
            if .now >= deadline || lines.allSatisfy({ $0.lag == 0 }) || lines.contains(where: { $0.ahead > 0 }) {
                return lines
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func lines(
        _ workers: [Worker], log: any EventLog, views: any ViewStore, _ quarantine: QuarantineLog, sum: Bool
    ) async throws -> [WorkerLag] {
        let counts = try await log.partitionCounts()
        // First how far all have come, and only then where the topics end. So a sum of nothing means that nothing was left
        // at some moment between, also of what workers write for each other.
        var seen: [(worker: Worker, partitions: [TopicPartition], committed: [TopicPartition: Offset])] = []
        for worker in workers {
            let partitions = worker.topics.flatMap { topic in
                (0..<(counts[topic] ?? 0)).map { TopicPartition(topic, Partition($0)) }
            }
            let committed: [TopicPartition: Offset]
            if let projection = worker.projection {
                committed = try await views.read(liveOf: projection) { _, asOf in asOf }
            } else {
                committed = try await log.committed(worker.group, partitions)
            }
            seen.append((worker, partitions, committed))
        }
        let bounds = try await log.bounds(of: Array(Set(seen.flatMap(\.partitions))))
        // A log of before there was that topic says nothing.
        let isTold = counts[QuarantineLog.topic.name] != nil
        let missed = try await (isTold ? quarantine.read() : QuarantineState()).missed
        return seen.flatMap { worker, partitions, committed in
            let missing = worker.topics.filter { counts[$0] == nil }.map {
                WorkerLag(worker: worker.name, lag: 0, missing: $0)
            }
            let own = partitions.map { partition in
                let range = bounds[partition] ?? 0..<0
                var line = line(of: worker, partition, committed[partition], range)
                line.gone = gone(worker, committed[partition], range, missed[worker.name]?[partition] ?? RangeSet())
                return line
            }
            return missing + (sum ? [total(of: worker, own)] : own)
        }
    }

    private static func line(
        of worker: Worker, _ partition: TopicPartition, _ next: Offset?, _ range: Range<Offset>
    ) -> WorkerLag {
        WorkerLag(
            worker: worker.name, partition: partition, committed: next, end: range.upperBound,
            lag: max(0, range.upperBound - max(next ?? range.lowerBound, range.lowerBound)),
            ahead: max(0, (next ?? 0) - range.upperBound))
    }

    private static func total(of worker: Worker, _ lines: [WorkerLag]) -> WorkerLag {
        WorkerLag(
            worker: worker.name, lag: lines.reduce(0) { $0 + $1.lag }, ahead: lines.reduce(0) { $0 + $1.ahead },
            gone: lines.reduce(0) { $0 + $1.gone })
    }

    /// What a worker has said that it missed, and what it is about to miss. A view needs all there ever was; a group that has
    /// never committed need not have been there.
    private static func gone(
        _ worker: Worker, _ next: Offset?, _ range: Range<Offset>, _ missed: RangeSet<Offset>
    ) -> Int64 {
        var missed = missed
        if let next = next ?? (worker.projection == nil ? nil : 0), next < range.lowerBound {
            missed.insert(contentsOf: next..<range.lowerBound)
        }
        return missed.count
    }
}
