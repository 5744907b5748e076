internal import EventLog
internal import EventModel
internal import Foundation
internal import HitsDomain
internal import LocalLog
internal import MillraceTestKit
internal import Projecting
internal import SQLiteViews
internal import ServiceLifecycle
internal import TestSupport

/// An event to be written again and again.
struct Sample: Sendable {
    let key: Bytes
    let value: Bytes

    func record(_ time: Timestamp) -> NewRecord { NewRecord(key: key, value: value, timestamp: time) }
}

/// Hits as a busy house has them: 20 sites, 300 pages, 100,000 visitors, all within two minutes.
struct Hits {
    private let samples: [Sample]
    private let base: Timestamp
    private let aSecond: Int

    /// - Parameter aSecond: How many fall into a second of their own time; nil has all within two minutes.
    init(_ total: Int, sites: Int = 20, aSecond: Int? = nil) throws {
        guard let telemetry = Domain.hits.telemetry.first, let kind = telemetry.events.kind(named: "Hit") else {
            throw Overdue(description: "there are no hits")
        }
        self.aSecond = aSecond ?? max(1, total / 120)
        base = now() - .seconds(120 + total / self.aSecond)
        var random = SeededRandom(1)
        samples = try (0..<max(5000, sites)).map { i in
            let visitor = Int.random(in: 0..<100_000, using: &random)
            let value = try telemetry.events.encode(
                kind,
                json: Bytes(
                    #"{"site":"site-\#(i % sites)","path":"/page/\#(i % 300)","visitor":"10.0.\#(visitor)","status":200,"bytes":5120}"#
                ))
            return Sample(key: try telemetry.keyOfEvent(value), value: value)
        }
    }

    func record(_ i: Int) -> NewRecord {
        samples[i % samples.count].record(base + .milliseconds(Int64(i) * 1000 / Int64(aSecond)))
    }

    /// How many a second are decoded, and nothing else is done with them.
    func bareDecode() throws -> Double {
        guard let telemetry = Domain.hits.telemetry.first else { return 0 }
        let watch = Stopwatch()
        var count = 0
        for _ in 0..<(1_000_000 / samples.count) {
            for sample in samples { try telemetry.events.check(sample.value) }
            count += samples.count
        }
        return Double(count) / watch.seconds
    }
}

extension Bench {
    func flowRows() async throws -> [Row] {
        let place = try fresh("flow")
        defer { remove(place) }
        let log = try await LocalLog.open(directory: place)
        try await log.create(Domain.hits.topics)
        let hits = try Hits(events)
        try await log.fill("hits.events", events, record: hits.record)
        var (rates, most, decodes): ([Double], [Double], [Double]) = ([], [], [])
        for _ in 0..<rounds {
            let watch = Stopwatch()
            let running = try start(["replay", "hits.events", "--type", "Hit", "--count"], on: place)
            let peak = await Self.peak(of: running)
            let ended = try await running.end(within: .seconds(600))
            guard ended.out == "\(events)\n" else { throw Overdue(description: "replay: \(ended)") }
            rates.append(Double(events) / watch.othersProcessor)
            most.append(peak)
            decodes.append(try hits.bareDecode())
        }
        var rows = [
            Row("replay \(events) events, a core: read, tell the type, count", .perSecond, rates, .atLeast(1_000_000))
                .held(against: "the bare decode of whole events", decodes),
            Row("  resident at most", .megabytes, most, .atMost(150)),
        ]
        let projected = min(events, 2_000_000)
        let few = try fresh("few")
        defer { remove(few) }
        let short = try await LocalLog.open(directory: few)
        try await short.create(Domain.hits.topics)
        try await short.fill("hits.events", projected, record: try Hits(projected).record)
        var (cores, walls): ([Double], [Double]) = ([], [])
        for round in 0..<rounds {
            let done = try await project(
                Domain.hits.projections[0], short, views: try SQLiteViews(directory: "\(few)/views-\(round)"))
            cores.append(Double(projected) / done.processor)
            walls.append(Double(projected) / done.seconds)
        }
        rows.append(
            Row("project hits, a core: log to committed windows", .perSecond, cores, .atLeast(600_000))
                .held(against: "the bare decode of whole events", decodes))
        rows.append(Row("  by the clock", .perSecond, walls))
        await short.close()
        await log.close()
        return rows
    }

    /// The most that a process has in memory until it ends.
    private static func peak(of running: Running) async -> Double {
        var most = 0.0
        while !running.hasEnded {
            most = max(most, Resident.most(running.pid) ?? 0)
            try? await Task.sleep(for: .milliseconds(5))
        }
        return most
    }

    /// Runs a projector of a projection until it has folded all that is on the log, and stops it.
    func project(
        _ projection: AnyProjection, _ log: any EventLog, views: any ViewStore
    ) async throws -> (seconds: Double, processor: Double) {
        let ends = try await log.bounds(of: log.partitions(of: projection.topics)).mapValues(\.upperBound)
        let projector = Projector(projection, log: log, views: views, logger: logger)
        let watch = Stopwatch()
        return try await running([projector]) {
            try await shows(projection, views, ends)
            return (watch.seconds, watch.ownProcessor)
        }
    }

    /// Waits until a view has folded up to these offsets.
    func shows(
        _ projection: AnyProjection, _ views: any ViewStore, _ ends: [TopicPartition: Offset],
        within limit: Duration = .seconds(600)
    ) async throws {
        let wanted = ends.filter { $0.value > 0 }
        try await eventually("\(projection.name) to be folded", within: limit) {
            let asOf = try await views.read(projection) { _, asOf in asOf }
            return wanted.allSatisfy { asOf[$0.key] ?? 0 >= $0.value } ? true : nil
        }
    }

    /// Runs services for as long as `body` runs.
    func running<R: Sendable>(_ services: [any Service], _ body: () async throws -> R) async throws -> R {
        let group = ServiceGroup(services: services, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: R
            do {
                result = try await body()
            } catch {
                tasks.cancelAll()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return result
        }
    }
}
