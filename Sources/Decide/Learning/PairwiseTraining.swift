#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Weights of a linear ranking, learned of pairs: one that should stand above another (RankNet of one layer: Burges et al.
/// 2005). Features are scaled to their deviation while it learns; the weights are of the unscaled ones.
package struct PairwiseTraining {
    /// Differences of the features of the better and the worse of each pair.
    package var pairs: [[Double]] = []
    package init() {}

    package mutating func add(better: [Double], worse: [Double]) {
        pairs.append(zip(better, worse).map { $0 - $1 })
    }

    /// - Parameters:
    ///   - rounds: How often all pairs are gone through.
    ///   - decay: The pull of the weights to zero.
    package func weights(
        rounds: Int = 20, rate: Double = 0.05, decay: Double = 1e-5, using random: inout some RandomNumberGenerator
    ) -> [Double] {
        guard let width = pairs.first?.count else { return [] }
        let scales = (0..<width).map { feature in
            let squares = pairs.reduce(0) { $0 + $1[feature] * $1[feature] } / Double(pairs.count)
            return squares > 0 ? squares.squareRoot() : 1
        }
        let scaled = pairs.map { pair in zip(pair, scales).map { $0 / $1 } }
        var weights = [Double](repeating: 0, count: width)
        var sums = weights
        var order = Array(scaled.indices)
        var steps = 0.0
        for round in 0..<rounds {
            order.shuffle(using: &random)
            let rate = rate / (1 + Double(round))
            for place in order {
                let pair = scaled[place]
                var margin = 0.0
                for i in 0..<width { margin += weights[i] * pair[i] }
                let pull = 1 / (1 + exp(margin))
                for i in 0..<width { weights[i] += rate * (pull * pair[i] - decay * weights[i]) }
                if round >= rounds / 2 {
                    for i in 0..<width { sums[i] += weights[i] }
                }
            }
            if round >= rounds / 2 { steps += Double(order.count) }
        }
        return zip(sums, scales).map { $0 / steps / $1 }
    }
}
