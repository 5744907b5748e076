#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Learns a classifier of labelled texts: steps of adapted size (Duchi, Hazan and Singer 2011, "AdaGrad"), then weights rounded and small ones
/// left out.
package struct TextTraining: Sendable {
    package var rounds = 8
    package var rate: Float = 0.25
    package var decay: Float = 1.5e-3
    /// Words, pairs and pieces of fewer texts than this are left out.
    package var least = 3
    /// Rounded weights whose highest is below this are left out.
    package var kept: Int8 = 2
    package init() {}

    package struct Example: Sendable {
        package var text: String
        package var label: Int
        /// How much it counts beside others.
        package var weight: Float
        package init(_ text: String, _ label: Int, weight: Float = 1) {
            (self.text, self.label, self.weight) = (text, label, weight)
        }
    }

    package func train(
        _ examples: [Example], classes: [String], using random: inout some RandomNumberGenerator
    ) -> TextClassifier {
        let texts = examples.map { TextFeatures.numbers(of: $0.text) }
        var counts: [UInt32: Int] = [:]
        for number in texts.joined() { counts[number, default: 0] += 1 }
        let numbers = counts.filter { $0.value >= least }.keys.sorted()
        let places = Dictionary(uniqueKeysWithValues: numbers.enumerated().map { ($1, $0) })
        // The last place is the bias.
        let rows = texts.map { $0.compactMap { places[$0] } + [numbers.count] }
        let width = classes.count
        var weights = [Float](repeating: 0, count: (numbers.count + 1) * width)
        var squares = [Float](repeating: 1e-3, count: weights.count)
        var order = Array(examples.indices)
        for _ in 0..<rounds {
            order.shuffle(using: &random)
            for i in order {
                let share = Float(TextClassifier.share(of: texts[i]))
                var sums = [Float](repeating: 0, count: width)
                for place in rows[i] {
                    for c in 0..<width { sums[c] += weights[place * width + c] * share }
                }
                let most = sums.max() ?? 0
                let powers = sums.map { exp($0 - most) }
                let whole = powers.reduce(0, +)
                for c in 0..<width {
                    let miss = (c == examples[i].label ? 1 : 0) - powers[c] / whole
                    let step = miss * examples[i].weight * share
                    for place in rows[i] {
                        let at = place * width + c
                        let slope = step - decay * weights[at]
                        squares[at] += slope * slope
                        weights[at] += rate * slope / squares[at].squareRoot()
                    }
                }
            }
        }
        return rounded(weights, numbers, classes)
    }

    private func rounded(_ weights: [Float], _ numbers: [UInt32], _ classes: [String]) -> TextClassifier {
        let width = classes.count
        let most = weights.map(abs).max() ?? 1
        let step = (most / 31 * 1e5).rounded() / 1e5
        func whole(_ at: Int) -> Int8 { Int8((weights[at] / most * 31).rounded()) }
        var kept: [UInt32: [Int8]] = [:]
        for (place, number) in numbers.enumerated() {
            let row = (0..<width).map { whole(place * width + $0) }
            if row.contains(where: { abs($0) >= self.kept }) { kept[number] = row }
        }
        let bias = (0..<width).map { whole(numbers.count * width + $0) }
        return TextClassifier(classes: classes, step: step, bias: bias, weights: kept)
    }
}
