internal import Foundation
internal import TestSupport

/// One line of the table: what was measured, beside what it is held against.
///
/// Both are measured in the same run, round by round: the first of one, the first of the other, the second of one, and so on,
/// for the machine is not the same in two minutes.
struct Row: Sendable {
    enum Unit: String, Sendable {
        case perSecond = "/s"
        case milliseconds = "ms"
        case microseconds = "µs"
        case seconds = "s"
        case megabytes = "MB"
        case kilobytes = "kB"
        case bytes = "B"
        case percent = "%"
        case share = ""
    }
    /// What is to be reached.
    enum Goal: Sendable {
        case atLeast(Double), atMost(Double)
        /// The value divided by the other's.
        case timesAtLeast(Double), timesAtMost(Double)
    }

    let name: String
    let unit: Unit
    /// One value for each round.
    var values: [Double]
    var against: String?
    var others: [Double] = []
    var goals: [Goal] = []
    /// Where it is a point of a curve: of which, and how many times as much there was.
    var curve: (name: String, times: Double)?

    init(_ name: String, _ unit: Unit, _ values: [Double], _ goals: Goal...) {
        (self.name, self.unit, self.values, self.goals) = (name, unit, values, goals)
    }

    /// Where the other is not on this machine, the row is not held against it: what is left is to reach by itself.
    func held(against name: String, _ others: [Double]) -> Row {
        var row = self
        if others.isEmpty {
            row.goals.removeAll(where: \.isRatio)
        } else {
            (row.against, row.others) = (name, others)
        }
        return row
    }

    var median: Double { Self.median(values) }
    /// From the lowest to the highest, as a share of the median.
    var spread: Double { ((values.max() ?? 0) - (values.min() ?? 0)) / max(median, 1e-9) }
    /// How many times the other: the median of the rounds' ratios, or the ratio of the medians where rounds differ in number.
    var times: Double? {
        if others.isEmpty { return nil }
        if values.count != others.count { return median / max(Self.median(others), 1e-9) }
        return Self.median(zip(values, others).map { $0 / max($1, 1e-9) })
    }

    func isReached(_ goal: Goal) -> Bool {
        switch goal {
        case .atLeast(let least): median >= least
        case .atMost(let most): median <= most
        case .timesAtLeast(let least): times.map { $0 >= least } ?? false
        case .timesAtMost(let most): times.map { $0 <= most } ?? false
        }
    }

    static func median(_ values: [Double]) -> Double {
        if values.isEmpty { return 0 }
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

extension Row.Goal {
    var isRatio: Bool {
        switch self {
        case .atLeast, .atMost: false
        case .timesAtLeast, .timesAtMost: true
        }
    }

    func text(_ unit: Row.Unit) -> String {
        switch self {
        case .atLeast(let value): "≥ \(Row.number(value)) \(unit.rawValue)"
        case .atMost(let value): "≤ \(Row.number(value)) \(unit.rawValue)"
        case .timesAtLeast(let value): "≥ \(Row.number(value))x"
        case .timesAtMost(let value): "≤ \(Row.number(value))x"
        }
    }
}

extension Row {
    /// `1,234,567`, `12.3`, `0.45`.
    static func number(_ value: Double) -> String {
        if abs(value) < 10 { return String(format: "%.2f", value) }
        if abs(value) < 100 { return String(format: "%.1f", value) }
        var digits = String(Int(value.rounded()))
        var index = digits.count - 3
        while index > (value < 0 ? 1 : 0) {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: index))
            index -= 3
        }
        return digits
    }

    static let header = ["row", "median", "spread", "held against", "its median", "times", "to reach", ""]

    var cells: [String] {
        [
            name, "\(Self.number(median)) \(unit.rawValue)",
            values.count < 2 ? "" : "\(Int((spread * 100).rounded()))%",
            against ?? "", others.isEmpty ? "" : "\(Self.number(Self.median(others))) \(unit.rawValue)",
            times.map { Self.number($0) } ?? "", goals.map { $0.text(unit) }.joined(separator: ", "),
            goals.isEmpty ? "" : goals.allSatisfy(isReached) ? "reached" : "missed",
        ]
    }

    static func table(_ rows: [Row]) -> String { columns([header] + rows.map(\.cells), right: [1, 2, 4, 5]) }
}

extension Row: Encodable {
    private enum Key: String, CodingKey {
        case row, unit, median, spread, values, against, others, times, toReach, reached
    }

    func encode(to encoder: any Encoder) throws {
        var line = encoder.container(keyedBy: Key.self)
        try line.encode(name, forKey: .row)
        try line.encode(unit.rawValue, forKey: .unit)
        try line.encode(median, forKey: .median)
        try line.encode(spread, forKey: .spread)
        try line.encode(values, forKey: .values)
        try line.encodeIfPresent(against, forKey: .against)
        if !others.isEmpty { try line.encode(others, forKey: .others) }
        try line.encodeIfPresent(times, forKey: .times)
        if !goals.isEmpty {
            try line.encode(goals.map { $0.text(unit) }, forKey: .toReach)
            try line.encode(goals.allSatisfy(isReached), forKey: .reached)
        }
    }
}
