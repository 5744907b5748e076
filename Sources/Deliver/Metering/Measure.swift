/// One metric: its name, what it counts or measures, and the labels that its series have.
///
/// Names and units are those of Prometheus: seconds and bytes, `_total` at the end of what only grows
/// (prometheus.io/docs/practices/naming).
package struct Measure: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable { case counter, gauge, histogram }

    package let name: String
    package let kind: Kind
    /// The names of its labels, in the order in which they are shown.
    package let labels: [String]
    /// What it is, in a sentence.
    package let about: String
    /// The upper bounds of a histogram's buckets, in its unit, ascending; there is one more without an end.
    package let bounds: [Double]

    private init(_ name: String, _ kind: Kind, _ labels: [String], _ about: String, _ bounds: [Double] = []) {
        (self.name, self.kind, self.labels, self.about, self.bounds) = (name, kind, labels, about, bounds)
    }

    package static func counter(_ name: String, _ labels: String..., about: String) -> Measure {
        Measure(name, .counter, labels, about)
    }
    package static func gauge(_ name: String, _ labels: String..., about: String) -> Measure {
        Measure(name, .gauge, labels, about)
    }
    package static func histogram(_ name: String, _ labels: String..., about: String, bounds: [Double]) -> Measure {
        Measure(name, .histogram, labels, about, bounds)
    }

    /// Labels with their values, in the measure's order.
    package func dimensions(_ values: [String]) -> [(String, String)] { Array(zip(labels, values)) }
}

/// What was seen of a measure when somebody asked.
package struct MeasuredSample: Sendable {
    package let measure: Measure
    /// The values of its labels, in the measure's order.
    package let labels: [String]
    package let value: Double

    package init(_ measure: Measure, _ labels: [String] = [], _ value: Double) {
        (self.measure, self.labels, self.value) = (measure, labels, value)
    }
}
