internal import Metering

/// The text format of Prometheus, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
enum PrometheusText {
    /// The labels of a series, as they are written between its braces.
    struct Labels: Hashable {
        let text: String
        private let names: [String]

        private init(pairs: [(name: String, value: String)]) {
            names = pairs.map(\.name)
            text = pairs.map { "\($0.name)=\"\(PrometheusText.escaped($0.value))\"" }.joined(separator: ",")
        }

        /// - Parameter isHistogram: Its buckets have a label of their own, `le`.
        init(_ dimensions: [(String, String)], isHistogram: Bool = false) {
            var pairs: [(name: String, value: String)] = []
            for (name, value) in dimensions {
                var name = PrometheusText.labelName(name)
                if isHistogram, name == "le" { name = "exported_le" }
                if pairs.contains(where: { $0.name == name }) { continue }
                pairs.append((name, String(value.prefix(PrometheusRegistry.labelValueLimit))))
            }
            self.init(pairs: pairs)
        }

        /// The same labels, each for any value.
        var others: Labels { Labels(pairs: names.map { ($0, PrometheusRegistry.other) }) }

        func with(_ name: String, _ value: String) -> String {
            "\(text)\(text.isEmpty ? "" : ",")\(name)=\"\(value)\""
        }
    }

    static func head(_ name: String, _ kind: Measure.Kind, _ about: String?) -> String {
        let help = about.map { text in
            "# HELP \(name) \(text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n"))\n"
        }
        return "\(help ?? "")# TYPE \(name) \(kind.rawValue)\n"
    }

    static func line(_ name: String, _ labels: String, _ value: String, _ text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }

    /// Samples of one metric. Of two with the same labels the last counts.
    static func text(_ name: String, _ samples: [MeasuredSample]) -> String {
        guard let measure = samples.first?.measure else { return "" }
        var values: [Labels: Double] = [:]
        for sample in samples {
            let labels = Labels(measure.dimensions(sample.labels))
            if values[labels] == nil, values.count >= PrometheusRegistry.seriesLimit { continue }
            values[labels] = sample.value
        }
        var text = head(name, measure.kind, measure.about)
        for (labels, value) in values.sorted(by: { $0.key.text < $1.key.text }) {
            line(name, labels.text, number(value), &text)
        }
        return text
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        // Below that every whole number is one.
        if value == value.rounded(), abs(value) < 9_007_199_254_740_992 { return String(Int64(value)) }
        return "\(value)"
    }

    static func escaped(_ value: String) -> String {
        if value.utf8.allSatisfy({ $0 != 0x5c && $0 != 0x22 && $0 != 0x0a }) { return value }
        return value.unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }

    /// A metric's name: letters, digits, underscores and colons, and no digit first.
    static func name(_ text: String) -> String { sanitized(text, colons: true) }

    /// A label's name: without colons; two underscores at its beginning are Prometheus's own.
    static func labelName(_ text: String) -> String {
        let name = sanitized(text, colons: false)
        return name.hasPrefix("__") ? "label" + name : name
    }

    private static func sanitized(_ text: String, colons: Bool) -> String {
        var name = ""
        for scalar in text.unicodeScalars {
            let isFine = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            name.unicodeScalars.append(isFine || (colons && scalar == ":") ? scalar : "_")
        }
        if name.isEmpty || name.first?.isNumber == true { name = "_" + name }
        return name
    }
}
