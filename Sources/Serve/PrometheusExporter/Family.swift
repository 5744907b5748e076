internal import Metering

/// The series of one metric.
struct Family {
    let kind: Measure.Kind
    let declared: Measure?
    private var series: [PrometheusText.Labels: any Cell] = [:]

    init(kind: Measure.Kind, declared: Measure?) {
        (self.kind, self.declared) = (kind, declared?.kind == kind ? declared : nil)
    }

    var bounds: [Double] { declared?.bounds ?? Measures.seconds }

    /// The cell of a series; that of all others where there is no room for it.
    mutating func cell(
        _ labels: PrometheusText.Labels, _ overflows: CounterCell, _ make: () -> any Cell
    ) -> any Cell {
        if let cell = series[labels] { return cell }
        var labels = labels
        if series.count >= PrometheusRegistry.seriesLimit - 1 {
            overflows.increment(by: 1)
            labels = labels.others
            if let cell = series[labels] { return cell }
        }
        let cell = make()
        series[labels] = cell
        return cell
    }

    mutating func remove(_ cell: AnyObject) {
        for (labels, own) in series where own === cell { series[labels] = nil }
    }

    func text(_ name: String) -> String {
        if series.isEmpty { return "" }
        var text = PrometheusText.head(name, kind, declared?.about)
        for (labels, cell) in series.sorted(by: { $0.key.text < $1.key.text }) { cell.write(name, labels, &text) }
        return text
    }
}
