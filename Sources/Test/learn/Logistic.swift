import Foundation

/// The baseline: a logistic regression of the same features, scaled to their deviation, by plain descent.
enum Logistic {
    static func crossed(_ rows: [[Double]], _ labels: [Bool], _ fold: [Int], _ folds: Int) -> [Double] {
        let scaled = scaled(rows)
        var scores = [Double](repeating: 0, count: rows.count)
        for out in 0..<folds {
            let weights = weights(scaled, labels, rows.indices.filter { fold[$0] != out })
            for i in rows.indices where fold[i] == out { scores[i] = chance(weights, scaled[i]) }
        }
        return scores
    }

    private static func scaled(_ rows: [[Double]]) -> [[Double]] {
        var scaled = rows
        let count = Double(rows.count)
        for f in rows[0].indices {
            let column = rows.map { $0[f] }
            let mean = column.reduce(0, +) / count
            let squares = column.map { ($0 - mean) * ($0 - mean) }
            let deviation = max(1e-9, (squares.reduce(0, +) / count).squareRoot())
            for i in rows.indices { scaled[i][f] = (rows[i][f] - mean) / deviation }
        }
        for i in rows.indices { scaled[i].append(1) }
        return scaled
    }

    private static func chance(_ weights: [Double], _ row: [Double]) -> Double {
        var sum = 0.0
        for f in weights.indices { sum += weights[f] * row[f] }
        return 1 / (1 + exp(-sum))
    }

    private static func weights(_ rows: [[Double]], _ labels: [Bool], _ kept: [Int]) -> [Double] {
        var weights = [Double](repeating: 0, count: rows[0].count)
        for _ in 0..<300 {
            var steps = weights.map { -1e-3 * $0 }
            for i in kept {
                let wanted: Double = labels[i] ? 1 : 0
                let miss = (wanted - chance(weights, rows[i])) / Double(kept.count)
                for f in weights.indices { steps[f] += miss * rows[i][f] }
            }
            for f in weights.indices { weights[f] += steps[f] }
        }
        return weights
    }
}
