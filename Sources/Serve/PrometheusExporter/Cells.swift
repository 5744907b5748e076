internal import CoreMetrics
internal import Synchronization

/// What is kept of one series.
protocol Cell: AnyObject, Sendable {
    /// Adds its lines to a text.
    func write(_ name: String, _ labels: PrometheusText.Labels, _ text: inout String)
}

final class CounterCell: Cell, CounterHandler {
    private let value = Atomic<Int64>(0)
    var count: Int64 { value.load(ordering: .relaxed) }

    /// A counter never goes back.
    func increment(by amount: Int64) {
        if amount > 0 { value.wrappingAdd(amount, ordering: .relaxed) }
    }
    func reset() { value.store(0, ordering: .relaxed) }

    func write(_ name: String, _ labels: PrometheusText.Labels, _ text: inout String) {
        PrometheusText.line(name, labels.text, String(count), &text)
    }
}

/// A counter of what is not whole.
final class SumCell: Cell, FloatingPointCounterHandler {
    private let value = Mutex(0.0)

    func increment(by amount: Double) {
        if amount > 0, amount.isFinite { value.withLock { $0 += amount } }
    }
    func reset() { value.withLock { $0 = 0 } }

    func write(_ name: String, _ labels: PrometheusText.Labels, _ text: inout String) {
        PrometheusText.line(name, labels.text, PrometheusText.number(value.withLock { $0 }), &text)
    }
}

final class GaugeCell: Cell, MeterHandler, RecorderHandler {
    private let value = Mutex(0.0)

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }

    func write(_ name: String, _ labels: PrometheusText.Labels, _ text: inout String) {
        PrometheusText.line(name, labels.text, PrometheusText.number(value.withLock { $0 }), &text)
    }
}

/// Counts values by buckets. A timer's are seconds.
final class HistogramCell: Cell, TimerHandler, RecorderHandler {
    private struct Counts {
        var buckets: [Int64]
        var sum = 0.0
    }
    private let bounds: [Double]
    private let counts: Mutex<Counts>

    init(_ bounds: [Double]) {
        self.bounds = bounds
        counts = Mutex(Counts(buckets: [Int64](repeating: 0, count: bounds.count + 1)))
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) {
        // It would make the sum one that says nothing for ever.
        if !value.isFinite { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        counts.withLock { counts in
            counts.buckets[bucket] += 1
            counts.sum += value
        }
    }

    func write(_ name: String, _ labels: PrometheusText.Labels, _ text: inout String) {
        let counts = counts.withLock { $0 }
        var count: Int64 = 0
        for (i, bucket) in counts.buckets.enumerated() {
            count += bucket
            let bound = i < bounds.count ? PrometheusText.number(bounds[i]) : "+Inf"
            PrometheusText.line("\(name)_bucket", labels.with("le", bound), String(count), &text)
        }
        PrometheusText.line("\(name)_sum", labels.text, PrometheusText.number(counts.sum), &text)
        PrometheusText.line("\(name)_count", labels.text, String(count), &text)
    }
}
