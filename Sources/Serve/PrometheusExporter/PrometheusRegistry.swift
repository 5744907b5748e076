package import CoreMetrics
package import Metering
internal import Synchronization

/// A backend of swift-metrics that keeps every series and writes them as Prometheus reads them.
///
/// A metric that is declared has its description and buckets from there; another, of some library, has the buckets of all
/// seconds. A metric has at most ``seriesLimit`` series: what is asked for beyond that counts under labels that are all `other`.
package final class PrometheusRegistry: MetricsFactory {
    /// Series of one metric.
    package static let seriesLimit = 1000
    /// Metrics; what is asked for beyond counts nothing.
    package static let familyLimit = 500
    /// Characters of a label's value; a longer one is cut.
    package static let labelValueLimit = 128
    /// What labels say whose series has no room.
    package static let other = "other"

    fileprivate struct State {
        var families: [String: Family] = [:]
        var collectors: [@Sendable () async -> [MeasuredSample]] = []
    }
    private let state = Mutex(State())
    private let declared: [String: Measure]
    private let overflows = CounterCell()

    package init(_ measures: [Measure] = Measures.all) {
        declared = Dictionary(measures.map { ($0.name, $0) }) { $1 }
    }

    /// Asks this whenever somebody reads the metrics.
    package func collect(_ collector: @escaping @Sendable () async -> [MeasuredSample]) {
        state.withLock { $0.collectors.append(collector) }
    }

    // MARK: What swift-metrics asks for

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(label, .counter, dimensions) { _ in CounterCell() } ?? NOOPMetricsHandler.instance
    }
    package func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        cell(label, .counter, dimensions) { _ in SumCell() } ?? NOOPMetricsHandler.instance
    }
    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        cell(label, .gauge, dimensions) { _ in GaugeCell() } ?? NOOPMetricsHandler.instance
    }
    package func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        if aggregate {
            return cell(label, .histogram, dimensions) { HistogramCell($0) } ?? NOOPMetricsHandler.instance
        }
        return cell(label, .gauge, dimensions) { _ in GaugeCell() } ?? NOOPMetricsHandler.instance
    }
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let name = label.hasSuffix("_seconds") ? label : label + "_seconds"
        return cell(name, .histogram, dimensions) { HistogramCell($0) } ?? NOOPMetricsHandler.instance
    }

    // A counter that is gone for a while and comes again from nothing looks like a restart: series stay.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyMeter(_ handler: any MeterHandler) { remove(handler) }

    private func remove(_ handler: AnyObject) {
        guard handler is GaugeCell else { return }
        state.withLock { state in
            for name in state.families.keys { state.families[name]?.remove(handler) }
        }
    }

    /// - Returns: Nil where the name is that of a metric of another kind, or there is no room for another metric.
    private func cell<C: Cell>(
        _ label: String, _ kind: Measure.Kind, _ dimensions: [(String, String)], _ make: ([Double]) -> C
    ) -> C? {
        var name = PrometheusText.name(label)
        if kind == .counter, !name.hasSuffix("_total") { name += "_total" }
        let labels = PrometheusText.Labels(dimensions, isHistogram: kind == .histogram)
        return state.withLock { state in
            if state.families[name] == nil {
                guard state.families.count < Self.familyLimit, !state.clashes(name, kind) else { return nil }
                state.families[name] = Family(kind: kind, declared: declared[name])
            }
            guard let family = state.families[name], family.kind == kind else { return nil }
            let bounds = family.bounds
            return state.families[name]?.cell(labels, overflows) { make(bounds) } as? C
        }
    }

    // MARK: What Prometheus asks for

    /// All metrics, in the text format 0.0.4, by name.
    package func text() async -> String {
        let collectors = state.withLock(\.collectors)
        var samples = [MeasuredSample(Measures.overflows, [], Double(overflows.count))]
        for collector in collectors { samples += await collector() }
        let families = state.withLock(\.families)
        var lines: [String: String] = [:]
        for (name, family) in families { lines[name] = family.text(name) }
        for (name, samples) in Dictionary(grouping: samples, by: \.measure.name) where lines[name] == nil {
            lines[name] = PrometheusText.text(name, samples)
        }
        return lines.sorted { $0.key < $1.key }.map(\.value).joined()
    }
}

extension PrometheusRegistry.State {
    /// Whether another metric shows a line of the same name.
    fileprivate func clashes(_ name: String, _ kind: Measure.Kind) -> Bool {
        let parts = ["_bucket", "_sum", "_count"]
        if kind == .histogram, parts.contains(where: { families[name + $0] != nil }) { return true }
        return parts.contains { part in
            name.hasSuffix(part) && families[String(name.dropLast(part.count))]?.kind == .histogram
        }
    }
}
