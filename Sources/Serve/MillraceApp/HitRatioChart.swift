internal import Caching
internal import Foundation

/// Hit ratios over capacities, drawn: one mark a policy, capacities in powers.
struct HitRatioChart {
    struct Curve {
        var name: String
        var mark: Character
        /// In the order of capacities.
        var points: [(capacity: Int, ratio: Double)]
    }

    static let rows = 16
    private static let labels = 7
    private static let leastColumns = 20

    let curves: [Curve]
    private let capacities: ClosedRange<Double>

    /// Nil where there are not two capacities to draw between.
    init?(_ curves: [Curve]) {
        let all = curves.flatMap { $0.points.map(\.capacity) }
        guard let least = all.min(), let most = all.max(), least < most else { return nil }
        self.curves = curves
        capacities = log(Double(max(1, least)))...log(Double(most))
    }

    /// From 0 to 1, where a capacity stands.
    private func place(_ capacity: Int) -> Double {
        (log(Double(max(1, capacity))) - capacities.lowerBound) / (capacities.upperBound - capacities.lowerBound)
    }

    /// From below a step to above another, of tenths.
    private var ratios: ClosedRange<Double> {
        let all = curves.flatMap { $0.points.map(\.ratio) }
        let low = ((all.min() ?? 0) * 10).rounded(.down) / 10
        let high = ((all.max() ?? 1) * 10).rounded(.up) / 10
        return low...max(high, low + 0.1)
    }

    /// Lines of at most so many columns. Where curves meet, the mark of the higher one is seen.
    func text(width: Int) -> String {
        let columns = max(Self.leastColumns, width - Self.labels)
        var grid = [[Character]](repeating: Array(repeating: " ", count: columns), count: Self.rows)
        let ratios = ratios
        for curve in curves.sorted(by: { ($0.points.last?.ratio ?? 0) < ($1.points.last?.ratio ?? 0) }) {
            for column in 0..<columns {
                guard let ratio = ratio(of: curve, at: Double(column) / Double(columns - 1)) else { continue }
                let height = (ratio - ratios.lowerBound) / (ratios.upperBound - ratios.lowerBound)
                let row = Self.rows - 1 - min(Self.rows - 1, max(0, Int((height * Double(Self.rows - 1)).rounded())))
                grid[row][column] = curve.mark
            }
        }
        var text = ""
        for (row, line) in grid.enumerated() {
            let share = 1 - Double(row) / Double(Self.rows - 1)
            let ratio = ratios.lowerBound + share * (ratios.upperBound - ratios.lowerBound)
            let label = row % 5 == 0 ? String(format: "%4.0f%% ", ratio * 100) : "      "
            text += "\(label)|\(String(line))".trimmedAtEnd + "\n"
        }
        let (least, most) = (Self.short(exp(capacities.lowerBound)), Self.short(exp(capacities.upperBound)))
        text += "      +" + String(repeating: "-", count: columns) + "\n"
        let gap = max(1, columns - least.count - most.count)
        text += "       \(least)\(String(repeating: " ", count: gap))\(most)\n"
        return text + legend(width)
    }

    private func legend(_ width: Int) -> String {
        var (lines, line) = ("", "      ")
        for curve in curves {
            let item = " \(curve.mark) \(curve.name) "
            if line.count + item.count > width {
                lines += line.trimmedAtEnd + "\n"
                line = "      "
            }
            line += item
        }
        return lines + line.trimmedAtEnd + "\n"
    }

    /// Between points a straight line.
    private func ratio(of curve: Curve, at place: Double) -> Double? {
        let points = curve.points.map { (place: self.place($0.capacity), ratio: $0.ratio) }
        guard let next = points.firstIndex(where: { $0.place >= place - 1e-9 }) else { return nil }
        guard next > 0 else { return abs(points[0].place - place) < 0.02 ? points[0].ratio : nil }
        let (a, b) = (points[next - 1], points[next])
        return a.ratio + (b.ratio - a.ratio) * (place - a.place) / max(1e-12, b.place - a.place)
    }

    static func short(_ capacity: Double) -> String {
        let whole = Int(capacity.rounded())
        return whole >= 1_000_000 && whole % 100_000 == 0
            ? trimmed(Double(whole) / 1e6) + "m"
            : whole >= 1_000 && whole % 100 == 0 ? trimmed(Double(whole) / 1e3) + "k" : String(whole)
    }
    private static func trimmed(_ x: Double) -> String { x == x.rounded() ? String(Int(x)) : String(format: "%.1f", x) }
}

extension HitRatioChart {
    private static let colours = [
        "#1b6ca8", "#c0392b", "#7f8c8d", "#8e44ad", "#b9770e", "#148f77", "#d35400", "#2e4053", "#239b56", "#000000",
    ]

    /// A picture of its own, as SVG 1.1.
    var svg: String {
        let (width, height, left, top) = (640.0, 360.0, 60.0, 20.0)
        let ratios = ratios
        func x(_ capacity: Int) -> Double { left + place(capacity) * width }
        func y(_ ratio: Double) -> Double {
            top + (ratios.upperBound - ratio) / (ratios.upperBound - ratios.lowerBound) * height
        }
        func number(_ value: Double) -> String { String(format: "%.1f", value) }
        var text = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 420" font-family="sans-serif" font-size="12">
            <rect width="860" height="420" fill="#fff"/>

            """
        let steps = Int(((ratios.upperBound - ratios.lowerBound) * 10).rounded())
        for step in 0...steps {
            let ratio = ratios.lowerBound + Double(step) / 10
            text += """
                <path d="M\(number(left)) \(number(y(ratio)))H\(number(left + width))" stroke="#ddd"/>
                <text x="\(number(left - 8))" y="\(number(y(ratio) + 4))" text-anchor="end">\(Int((ratio * 100).rounded()))%</text>

                """
        }
        for capacity in Set(curves.flatMap { $0.points.map(\.capacity) }).sorted() where curves[0].points.count <= 20 {
            text += """
                <text x="\(number(x(capacity)))" y="\(number(top + height + 18))" text-anchor="middle">\(Self.short(Double(capacity)))</text>

                """
        }
        for (index, curve) in curves.enumerated() {
            let colour = Self.colours[index % Self.colours.count]
            let points = curve.points.map { "\(number(x($0.capacity))),\(number(y($0.ratio)))" }.joined(separator: " ")
            text += """
                <polyline points="\(points)" fill="none" stroke="\(colour)" stroke-width="2"/>
                <text x="\(number(left + width + 14))" y="\(number(top + 14 + 20 * Double(index)))" fill="\(colour)">\(curve.name)</text>

                """
        }
        return text + "</svg>\n"
    }
}

extension String {
    fileprivate var trimmedAtEnd: String {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
