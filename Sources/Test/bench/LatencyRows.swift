internal import EventLog
internal import EventModel
internal import Foundation
internal import Handling
internal import Histogram
internal import LocalLog
internal import OrdersDomain
internal import Projecting
internal import SQLiteViews
internal import ServiceLifecycle
internal import Synchronization
internal import TestSupport

/// Latencies of many tasks, in microseconds.
final class Latencies: Sendable {
    private let histogram = Mutex(
        Histogram<UInt64>(
            lowestDiscernibleValue: 1, highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: .three))

    func note(_ took: Duration) {
        histogram.withLock { _ = $0.record(UInt64(max(0, took / .microseconds(1)))) }
    }

    /// In milliseconds.
    func percentile(_ percent: Double) -> Double {
        histogram.withLock { Double($0.valueAtPercentile(percent)) / 1000 }
    }
    var count: Int { histogram.withLock { Int($0.totalCount) } }
}

/// Starts something so many times a second, whether what was started before has ended or not. Each is told when it should
/// have begun: whoever measures from then on leaves out no wait (coordinated omission).
func paced(
    _ count: Int, aSecond rate: Int, _ body: @escaping @Sendable (Int, ContinuousClock.Instant) async throws -> Void
) async throws {
    let start = ContinuousClock.now
    try await withThrowingTaskGroup(of: Void.self) { group in
        for i in 0..<count {
            let due = start + .nanoseconds(Int64(i) * 1_000_000_000 / Int64(rate))
            if due > .now { try await Task.sleep(until: due, tolerance: .zero, clock: .continuous) }
            group.addTask { try await body(i, due) }
        }
        try await group.waitForAll()
    }
}

/// Notes when a view shows what was written.
actor Shown {
    private var open: [(place: TopicPartition, next: Offset, due: ContinuousClock.Instant)] = []
    let latencies = Latencies()

    func expect(_ place: TopicPartition, _ offset: Offset, _ due: ContinuousClock.Instant) {
        open.append((place, offset + 1, due))
    }

    var isEmpty: Bool { open.isEmpty }

    func look(_ asOf: [TopicPartition: Offset]) {
        let now = ContinuousClock.now
        open.removeAll { entry in
            guard asOf[entry.place] ?? 0 >= entry.next else { return false }
            latencies.note(now - entry.due)
            return true
        }
    }

    /// Looks at a view again and again, until `over` and everything is shown.
    ///
    /// - Parameter pause: between two looks, each of which costs a read.
    nonisolated func watch(
        _ projection: AnyProjection, _ views: any ViewStore, every pause: Duration,
        until over: @escaping @Sendable () -> Bool
    ) async throws {
        while !(await isEmpty) || !over() {
            if !(await isEmpty) { await look(try await views.read(projection) { _, asOf in asOf }) }
            try await Task.sleep(for: pause, tolerance: .zero)
        }
    }
}

extension Bench {
    static let commandsASecond = 1000

    func latencyRows() async throws -> [Row] {
        let place = try fresh("latency")
        defer { remove(place) }
        let log = try await LocalLog.open(directory: place)
        let views = try SQLiteViews(directory: place + "/views")
        let rows = try await latencies(on: log, views, goals: (2, 10), "LocalLog")
        await views.close()
        await log.close()
        return rows
    }

    /// Places orders at a steady rate, and notes how long each waits for its outcome.
    static func place(
        _ count: Int, as tag: String, _ client: CommandClient, _ answered: Latencies,
        then: @escaping @Sendable (Outcome, ContinuousClock.Instant) async -> Void = { _, _ in }
    ) async throws {
        try await paced(count, aSecond: commandsASecond) { i, due in
            let order = #"{"order":"\#(tag)-\#(i)","customer":"c\#(i % 1000)"}"#
            let outcome = try await client.send(
                [try Domain.orders.command("PlaceOrder", order)], to: .orders, within: .seconds(30))[0]
            answered.note(.now - due)
            await then(outcome, due)
        }
    }

    /// Orders that are placed at a steady rate, with the handler and the view's projector in this process.
    func latencies(
        on log: any EventLog, _ views: any ViewStore, goals: (Double, Double), _ name: String
    ) async throws -> [Row] {
        try await log.create(Domain.orders.topics)
        let projection =
            Domain.orders.projections.first { $0.name == "orders.tracking" } ?? Domain.orders.projections[0]
        let projector = Projector(projection, log: log, views: views, logger: logger)
        var (p50, p99, seen50, seen99): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
        let tag = UUID().uuidString.prefix(8)
        try await running(deciders(of: .orders, log, views) + [projector]) {
            try await CommandClient.with(log, domains: [.orders], clock: { now() }) { client in
                for round in -1..<rounds {
                    let (answered, shown, over) = (Latencies(), Shown(), Phase())
                    // The round before the first warms everything up.
                    let count = round < 0 ? 1000 : 8 * Self.commandsASecond
                    async let watching: Void = shown.watch(projection, views, every: .microseconds(500)) {
                        over.isOver
                    }
                    try await Self.place(count, as: "\(tag)-\(round)", client, answered) { outcome, due in
                        if let event = outcome.events.last { await shown.expect(event.place, event.offset, due) }
                    }
                    over.end()
                    try await watching
                    if round < 0 { continue }
                    p50.append(answered.percentile(50))
                    p99.append(answered.percentile(99))
                    seen50.append(shown.latencies.percentile(50))
                    seen99.append(shown.latencies.percentile(99))
                }
            }
        }
        return [
            Row("one command to its outcome, \(name), 1,000/s: p50", .milliseconds, p50, .atMost(goals.0)),
            Row("  p99", .milliseconds, p99, .atMost(goals.1)),
            Row("  to visible in the view: p50", .milliseconds, seen50),
            Row("  p99", .milliseconds, seen99),
        ]
    }
}
