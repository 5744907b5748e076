internal import Foundation

/// What one thing costs as much as there is grows: a line of a picture.
struct Curve: Sendable {
    let name: String
    /// How many times as much, and the median cost, in microseconds.
    var points: [(times: Double, cost: Double)]
}

/// Curves as a picture in SVG: how many times as much to the right, on a logarithmic scale; cost upwards, from nothing.
struct Picture {
    let curves: [Curve]

    private static let (width, height, left, bottom, top, right) = (720.0, 360.0, 60.0, 44.0, 20.0, 250.0)
    private static let colours = ["#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#b7791f"]

    private var most: Double { max(curves.flatMap { $0.points.map(\.cost) }.max() ?? 1, 1e-9) * 1.15 }
    private var widest: Double { max(curves.flatMap { $0.points.map(\.times) }.max() ?? 10, 10) }

    private func x(_ times: Double) -> Double {
        Self.left + log10(max(times, 1)) / log10(widest) * (Self.width - Self.left - Self.right)
    }
    private func y(_ cost: Double) -> Double {
        Self.height - Self.bottom - cost / most * (Self.height - Self.bottom - Self.top)
    }

    var svg: String {
        let ticks = Set(curves.flatMap { $0.points.map(\.times) }).sorted()
        let steps = (0...4).map { most * Double($0) / 4 }
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" \
            font-family="sans-serif" font-size="12">
            """,
            #"<rect width="100%" height="100%" fill="white"/>"#,
        ]
        for step in steps {
            lines.append(line(x(1), y(step), x(widest), y(step), "#dddddd"))
            lines.append(text(Self.left - 6, y(step) + 4, Row.number(step), "end"))
        }
        for tick in ticks {
            lines.append(text(x(tick), Self.height - Self.bottom + 18, "x \(Int(tick))", "middle"))
        }
        lines.append(text(Self.left, Self.top - 6, "µs of a processor", "start"))
        for (i, curve) in curves.enumerated() {
            let colour = Self.colours[i % Self.colours.count]
            let points = curve.points.map { String(format: "%.1f,%.1f", x($0.times), y($0.cost)) }
            lines.append(
                #"<polyline fill="none" stroke="\#(colour)" stroke-width="2" points="\#(points.joined(separator: " "))"/>"#
            )
            for point in points {
                let place = point.split(separator: ",")
                lines.append(#"<circle cx="\#(place[0])" cy="\#(place[1])" r="3" fill="\#(colour)"/>"#)
            }
            let beside = Self.top + 16 + Double(i) * 20
            lines.append(line(x(widest) + 16, beside - 4, x(widest) + 36, beside - 4, colour, 2))
            lines.append(text(x(widest) + 42, beside, curve.name, "start"))
        }
        return (lines + ["</svg>", ""]).joined(separator: "\n")
    }

    private func line(
        _ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ colour: String, _ wide: Int = 1
    ) -> String {
        let place = String(format: #"x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f""#, x1, y1, x2, y2)
        return #"<line \#(place) stroke="\#(colour)" stroke-width="\#(wide)"/>"#
    }

    private func text(_ x: Double, _ y: Double, _ words: String, _ anchor: String) -> String {
        let safe = words.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        return String(format: #"<text x="%.1f" y="%.1f" "#, x, y) + #"text-anchor="\#(anchor)">\#(safe)</text>"#
    }
}
