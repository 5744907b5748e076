internal import CoreMetrics
internal import EventLog
internal import EventModel
internal import Logging
internal import Metering
internal import MillraceBus
internal import ServiceLifecycle
internal import Synchronization

/// Events of telemetry on their way from routes to the log, beside the answers: whoever follows a link does not wait for a disk.
///
/// What does not fit is dropped and counted. While the log is away what is there waits, in its order. When the service is told to
/// stop, the rest is written; what the log does not take then is given up, and that is logged.
final class RouteQueue: Service, CustomStringConvertible {
    struct Item: Sendable {
        var topic: String
        var event: String
        var key: Bytes
        var value: Bytes
        var time: Timestamp
    }
    private struct State {
        var waiting: [Item] = []
        /// How many were taken out to be written, and are not yet.
        var taken = 0
        var count: Int { waiting.count + taken }
        var counters: [String: (written: Counter, dropped: Counter)] = [:]
    }
    /// How long after a failure the log is tried again.
    private static let pause = Duration.seconds(1)
    /// How often it is tried again where the process is to stop.
    private static let lastTries = 3

    private let log: any EventLog
    private let limit: Int
    private let factory: any MetricsFactory
    private let logger: Logger
    private let state = Mutex(State())
    private let changed = Signal()
    var description: String { "route-queue" }

    init(
        _ log: any EventLog, limit: Int = GatewayLimits.routeEvents, metrics factory: any MetricsFactory, logger: Logger
    ) {
        (self.log, self.limit, self.factory, self.logger) = (log, limit, factory, logger)
    }

    /// How many wait.
    var count: Int { state.withLock { $0.count } }

    /// - Returns: Whether there was room.
    func put(_ item: Item) -> Bool {
        let before: Int? = state.withLock { state in
            if state.count >= limit { return nil }
            state.waiting.append(item)
            return state.waiting.count - 1
        }
        guard let before else {
            counters(of: item.event).dropped.increment()
            return false
        }
        if before == 0 { changed.notify() }
        return true
    }

    func run() async throws {
        try await withGracefulShutdownHandler {
            try await self.write()
        } onGracefulShutdown: {
            self.changed.notify()
        }
    }

    private func write() async throws {
        var counts: [String: PartitionCount] = [:]
        var tries = Self.lastTries
        var batch: [Item] = []
        while !Task.isCancelled {
            let version = changed.version
            if batch.isEmpty {
                if count == 0 {
                    if Task.isShuttingDownGracefully { return }
                    await changed.wait(past: version, atMost: Beat.within(GroupLoop.heed))
                    continue
                }
                // Each append waits for a disk, and wakes several threads: those of a moment go together.
                if !Task.isShuttingDownGracefully { try? await Task.sleep(for: GatewayLimits.gathering) }
                batch = next()
            }
            do {
                try await append(batch, &counts)
                end(&batch, areWritten: true)
            } catch let error as LogError where error.kind == .tooLarge {
                logger.error("events of routes are too large for the log", metadata: ["events": "\(batch.count)"])
                end(&batch, areWritten: false)
            } catch let error as LogError {
                logger.warning("events of routes wait for the log", metadata: ["error": "\(error)"])
                if Task.isShuttingDownGracefully {
                    tries -= 1
                    if tries == 0 { break }
                }
                try? await Task.sleep(for: Self.pause)
            }
        }
        let left = count
        if left > 0 { logger.error("events of routes are given up", metadata: ["events": "\(left)"]) }
    }

    private func append(_ batch: [Item], _ counts: inout [String: PartitionCount]) async throws {
        var appends: [Append] = []
        for (topic, items) in Dictionary(grouping: batch, by: \.topic) {
            if counts[topic] == nil {
                guard let count = try await log.partitionCounts()[topic] else { throw LogError.unknown(topic) }
                counts[topic] = PartitionCount(of: topic, on: log, count)
            }
            guard let count = try await counts[topic]?.now() else { continue }
            let records = items.map { NewRecord(key: $0.key, value: $0.value, timestamp: $0.time) }
            appends += Append.byKey(records, to: topic, among: count)
        }
        _ = try await log.append(appends)
    }

    /// Takes out the first that wait.
    private func next() -> [Item] {
        state.withLock { state in
            var batch: [Item] = []
            if state.waiting.count <= GatewayLimits.eventBatch {
                swap(&batch, &state.waiting)
            } else {
                batch = Array(state.waiting.prefix(GatewayLimits.eventBatch))
                state.waiting.removeFirst(batch.count)
            }
            state.taken = batch.count
            return batch
        }
    }

    /// What was taken out is done with.
    private func end(_ batch: inout [Item], areWritten: Bool) {
        defer { batch = [] }
        state.withLock { $0.taken = 0 }
        for (event, items) in Dictionary(grouping: batch, by: \.event) {
            let counters = counters(of: event)
            (areWritten ? counters.written : counters.dropped).increment(by: items.count)
        }
    }

    private func counters(of event: String) -> (written: Counter, dropped: Counter) {
        state.withLock { state in
            if let known = state.counters[event] { return known }
            let made = (
                written: Measures.routeEvents.counter(event, "written", in: factory),
                dropped: Measures.routeEvents.counter(event, "dropped", in: factory)
            )
            state.counters[event] = made
            return made
        }
    }
}
