package import CoreMetrics

extension Measure {
    /// A handle to one of its series. To look it up costs: it is kept.
    package func counter(_ labels: String..., in factory: any MetricsFactory) -> Counter {
        Counter(label: name, dimensions: dimensions(labels), factory: factory)
    }
    package func gauge(_ labels: String..., in factory: any MetricsFactory) -> Meter {
        Meter(label: name, dimensions: dimensions(labels), factory: factory)
    }
    package func timer(_ labels: String..., in factory: any MetricsFactory) -> CoreMetrics.Timer {
        Timer(label: name, dimensions: dimensions(labels), factory: factory)
    }
}

extension CoreMetrics.Timer {
    /// Records the time since a moment.
    package func record(since start: ContinuousClock.Instant) {
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}

/// What a worker counts. Its handles are looked up once; each call is for a batch, and none for a record.
package final class WorkerMetrics: Sendable {
    package let records, written, parked, crashes, rejoins: Counter
    package let batch, commit: CoreMetrics.Timer
    package let running: Meter
    package let commands: CommandMetrics

    /// - Parameter kind: `handler`, `reactor`, `projector`.
    package init(_ worker: String, kind: String, in factory: any MetricsFactory) {
        records = Measures.workerRecords.counter(worker, kind, in: factory)
        written = Measures.workerWritten.counter(worker, kind, in: factory)
        parked = Measures.workerParked.counter(worker, kind, in: factory)
        crashes = Measures.workerCrashes.counter(worker, kind, in: factory)
        rejoins = Measures.workerRejoins.counter(worker, kind, in: factory)
        batch = Measures.workerBatch.timer(worker, kind, in: factory)
        commit = Measures.workerCommit.timer(worker, kind, in: factory)
        running = Measures.workerRunning.gauge(worker, kind, in: factory)
        commands = CommandMetrics(worker, in: factory)
    }
}

/// What the local log counts.
package struct LogMetrics: Sendable {
    package let commit: CoreMetrics.Timer
    package let records, bytes: Counter

    package init(in factory: any MetricsFactory) {
        commit = Measures.logCommit.timer(in: factory)
        records = Measures.logRecords.counter(in: factory)
        bytes = Measures.logAppended.counter(in: factory)
    }
}
