#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Learns boosted trees of labelled rows: log loss, second-order steps (Chen and Guestrin 2016, "XGBoost"), a part of the rows and
/// of the features for each tree.
package struct BoostedTraining: Sendable {
    package var depth = 4
    package var trees = 250
    package var rate: Float = 0.06
    /// Added to the sum of second derivatives of a leaf.
    package var ridge: Float = 2
    /// The least sum of second derivatives of a leaf.
    package var least: Float = 1
    package var rows = 0.7
    package var columns = 0.6
    /// The most thresholds that are tried of a feature.
    package var cuts = 63
    package init() {}

    /// - Parameters:
    ///   - values: Rows of features, all of one length.
    ///   - labels: 1 or 0 for each row.
    package func train(
        _ values: [[Float]], _ labels: [Float], using random: inout some RandomNumberGenerator
    ) -> BoostedTrees {
        let positives = labels.reduce(0, +)
        let share = min(max(positives / Float(labels.count), 1e-4), 1 - 1e-4)
        var model = BoostedTrees(depth: depth, base: log(share / (1 - share)))
        guard let width = values.first?.count else { return model }
        let thresholds = (0..<width).map { feature in self.thresholds(values.map { $0[feature] }) }
        // By feature, the bin of each row: how many thresholds its value is not below. What is no number is below none, as when
        // it is scored.
        let bins = (0..<width).map { feature in
            values.map { row in UInt8(thresholds[feature].prefix { !(row[feature] < $0) }.count) }
        }
        var sums = [Float](repeating: model.base, count: values.count)
        for _ in 0..<trees {
            let chances = sums.map { 1 / (1 + exp(-$0)) }
            let steps = zip(labels, chances).map { $0 - $1 }
            let curves = chances.map { $0 * (1 - $0) }
            var order = Array(values.indices)
            order.shuffle(using: &random)
            let used = order.prefix(Int(Double(order.count) * rows)).sorted()
            var all = Array(0..<width)
            all.shuffle(using: &random)
            let tried = all.prefix(max(1, Int(Double(width) * columns))).sorted()
            var growing = Growing(training: self, thresholds: thresholds, bins: bins, steps: steps, curves: curves)
            growing.grow(0, level: 0, used, tried)
            model.features += growing.features
            model.thresholds += growing.cuts
            model.leaves += growing.leaves
            for row in values.indices { sums[row] += growing.leaves[growing.leaf(values[row])] }
        }
        return model
    }

    /// Between neighbours of the sorted values, at equal shares of the rows.
    private func thresholds(_ values: [Float]) -> [Float] {
        let sorted = values.filter { !$0.isNaN }.sorted()
        if sorted.isEmpty { return [] }
        var found: [Float] = []
        for cut in 1...cuts {
            let place = sorted.count * cut / (cuts + 1)
            let value = sorted[place]
            if value > sorted[0], value != found.last { found.append(value) }
        }
        return found
    }
}

/// One tree as it grows.
private struct Growing {
    let training: BoostedTraining
    let thresholds: [[Float]]
    let bins: [[UInt8]]
    let steps: [Float]
    let curves: [Float]
    var features: [UInt8]
    var cuts: [Float]
    var leaves: [Float]

    init(training: BoostedTraining, thresholds: [[Float]], bins: [[UInt8]], steps: [Float], curves: [Float]) {
        (self.training, self.thresholds, self.bins, self.steps, self.curves) = (
            training, thresholds, bins, steps, curves
        )
        let inner = 1 << training.depth - 1
        features = Array(repeating: 0, count: inner)
        // What is never split goes left.
        cuts = Array(repeating: .greatestFiniteMagnitude, count: inner)
        leaves = Array(repeating: 0, count: inner + 1)
    }

    func leaf(_ values: [Float]) -> Int {
        var node = 0
        for _ in 0..<training.depth { node = 2 * node + (values[Int(features[node])] < cuts[node] ? 1 : 2) }
        return node - cuts.count
    }

    mutating func grow(_ node: Int, level: Int, _ rows: [Int], _ tried: [Int]) {
        let step = rows.reduce(0) { $0 + steps[$1] }
        let curve = rows.reduce(0) { $0 + curves[$1] }
        guard level < training.depth else {
            let value = training.rate * step / (curve + training.ridge)
            leaves[node - cuts.count] = (value * 1e4).rounded() / 1e4
            return
        }
        if let split = split(rows, tried, step, curve) {
            (features[node], cuts[node]) = (UInt8(split.feature), thresholds[split.feature][split.cut])
            let bins = bins[split.feature]
            grow(2 * node + 1, level: level + 1, rows.filter { Int(bins[$0]) <= split.cut }, tried)
            grow(2 * node + 2, level: level + 1, rows.filter { Int(bins[$0]) > split.cut }, tried)
        } else {
            grow(2 * node + 1, level: level + 1, rows, tried)
        }
    }

    /// The split with the highest gain; nil where none gains.
    private func split(_ rows: [Int], _ tried: [Int], _ step: Float, _ curve: Float) -> (feature: Int, cut: Int)? {
        var best: (feature: Int, cut: Int)?
        var gain: Float = 1e-3
        let before = step * step / (curve + training.ridge)
        for feature in tried where !thresholds[feature].isEmpty {
            var sums = [(step: Float, curve: Float)](repeating: (0, 0), count: thresholds[feature].count + 1)
            let bins = bins[feature]
            for row in rows {
                sums[Int(bins[row])].step += steps[row]
                sums[Int(bins[row])].curve += curves[row]
            }
            var (left, weight): (Float, Float) = (0, 0)
            for cut in thresholds[feature].indices {
                left += sums[cut].step
                weight += sums[cut].curve
                if weight < training.least || curve - weight < training.least { continue }
                let right = step - left
                let now = left * left / (weight + training.ridge) + right * right / (curve - weight + training.ridge)
                if now - before > gain { (gain, best) = (now - before, (feature, cut)) }
            }
        }
        return best
    }
}
