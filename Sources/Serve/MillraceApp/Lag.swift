internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import MillraceBus
internal import Projecting
internal import Quarantining

/// `millrace lag`.
struct Lag: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            abstract: "Show how far each worker is behind the log, partition by partition.",
            paragraphs: """
                --sum shows a line a worker. With --wait it first waits until nobody is behind,
                so that a script sees all that was written before; where that takes longer, it
                shows who is and exits with 75. A worker that has seen more than the log has
                is ahead of it: the log is an older copy, or another one. That is shown too,
                and the exit code is 65. Records that were past their topic's retention before a
                worker came to them are counted as gone, for as long as millrace.quarantine
                keeps what the worker said of them.

                Example: \(Program.name) lag --sum --wait 30s
                """)
    }
    @Flag(help: "One line a worker.")
    var sum = false
    @Option(help: ArgumentHelp("Wait until nobody is behind, at most so long.", valueName: "time"))
    var wait: String?
    @OptionGroup var shape: OutputOptions
    @OptionGroup var places: LogAndViewOptions

    struct Line {
        var worker: String
        var partition: TopicPartition?
        var committed: Offset?
        var end: Offset?
        var lag: Int64
        /// How much more it has seen than the log has.
        var ahead: Int64 = 0
        /// How many offsets were past their retention before it came to them.
        var gone: Int64 = 0
        /// A topic that it reads and the log does not have.
        var missing: String?

        var members: Members {
            [
                ("worker", JSON.string(worker)),
                ("partition", partition.map { JSON.string($0.description) } ?? "null"),
                ("next", committed?.description ?? "null"), ("end", end?.description ?? "null"),
                ("lag", missing == nil ? String(lag) : "null"),
            ] + (missing.map { [("missing", JSON.string($0))] } ?? [])
                + (ahead > 0 ? [("ahead", String(ahead))] : []) + (gone > 0 ? [("gone", String(gone))] : [])
        }

        /// What to say of one that is ahead.
        var failure: Failure {
            let place = partition.map { ", of \($0)" } ?? ""
            return Failure(
                .data,
                """
                \(worker) is ahead of the log by \(ahead) records\(place): the log is an older copy, or another one. Delete what \
                the worker has folded, and it is folded again; \(Program.name) lag shows it by partition
                """)
        }
    }

    func run(in app: Application) async throws {
        let patience = wait.map { Duration(short: $0) } ?? .zero
        guard let patience else { throw Failure(.usage, "--wait \(wait ?? "") is no time such as 30s") }
        let lines = try await places.withLog(app) { log in
            try await places.withViews { views in
                try await Self.settled(app.workers, log: log, views: views, sum: sum, within: patience)
            }
        }
        try show(lines)
        if let ahead = lines.first(where: { $0.ahead > 0 }) { throw ahead.failure }
        if let line = lines.first(where: { $0.missing != nil }), let topic = line.missing {
            throw Failure(
                .configuration,
                "\(line.worker) reads \(topic), which is not on the log: \(Unknown.topic(topic, declared: app.declaredTopics))"
            )
        }
        let behind = lines.filter { $0.lag > 0 }
        if wait != nil, !behind.isEmpty {
            let names = Set(behind.map(\.worker)).sorted().joined(separator: ", ")
            throw Failure(.tryAgain, "still behind after \(patience.short): \(names); do they run?")
        }
    }

    private func show(_ lines: [Line]) throws {
        // Hardly ever is anything gone, and then it is not to be overlooked.
        let isAnyGone = lines.contains { $0.gone > 0 }
        try shape.show(lines.map(\.members), columns: Self.columns) {
            let rows = lines.map { line in
                [
                    line.worker, line.missing ?? line.partition?.description ?? "all",
                    line.committed?.description ?? "-", line.end?.description ?? "-",
                    line.missing != nil ? "no topic" : line.ahead > 0 ? "\(line.ahead) ahead" : String(line.lag),
                ] + (isAnyGone ? [String(line.gone)] : [])
            }
            return TextTable(
                header: ["worker", "partition", "next", "end", "lag"] + (isAnyGone ? ["gone"] : []), rows: rows,
                right: [2, 3, 4, 5], coloured: [4])
        }
    }

    private static let columns = ["worker", "partition", "next", "end", "lag", "missing", "ahead", "gone"]

    /// The lag once it is nothing, or what is left of it when the time is over.
    static func settled(
        _ workers: [Worker], log: any EventLog, views: any ViewStore, sum: Bool, within patience: Duration
    ) async throws -> [Line] {
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
    ) async throws -> [Line] {
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
                committed = try await views.read(views.live(projection)) { _, asOf in asOf }
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
                Line(worker: worker.name, lag: 0, missing: $0)
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
    ) -> Line {
        Line(
            worker: worker.name, partition: partition, committed: next, end: range.upperBound,
            lag: max(0, range.upperBound - max(next ?? range.lowerBound, range.lowerBound)),
            ahead: max(0, (next ?? 0) - range.upperBound))
    }

    private static func total(of worker: Worker, _ lines: [Line]) -> Line {
        Line(
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
