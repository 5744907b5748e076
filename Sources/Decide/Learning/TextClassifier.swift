#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Which of some classes a short text is of, and how sure that is: a multinomial logistic regression of hashed words, pairs of
/// words and pieces of words. Each counts as one over the root of how many a text has, known or not: of what it does not know it is
/// less sure.
package struct TextClassifier: Sendable, Hashable {
    package let classes: [String]
    /// The steps of which weights are whole numbers, -31 to 31.
    package let step: Float
    /// By class; what is said of every text.
    package var bias: [Int8]
    /// By the number of a word, a pair or a piece, a weight for each class.
    package var weights: [UInt32: [Int8]]

    package init(classes: [String], step: Float, bias: [Int8], weights: [UInt32: [Int8]]) {
        (self.classes, self.step, self.bias, self.weights) = (classes, step, bias, weights)
    }

    /// The chance of each class; they add up to 1.
    package func chances(_ text: String) -> [Double] { chances(TextFeatures.numbers(of: text)) }

    private func chances(_ numbers: [UInt32]) -> [Double] {
        var sums = bias.map(Double.init)
        for number in numbers {
            guard let weights = weights[number] else { continue }
            for i in sums.indices { sums[i] += Double(weights[i]) }
        }
        let share = Double(step) * Self.share(of: numbers)
        let most = sums.max() ?? 0
        let powers = sums.map { exp(($0 - most) * share) }
        let whole = powers.reduce(0, +)
        return powers.map { $0 / whole }
    }

    /// What each word, pair or piece of a text counts, and what is said of every text.
    static func share(of numbers: [UInt32]) -> Double { 1 / Double(numbers.count + 1).squareRoot() }

    /// The likeliest class and its chance; nil where that is below the threshold, or no word of the text is known.
    package func label(_ text: String, atLeast threshold: Double) -> (name: String, chance: Double)? {
        let numbers = TextFeatures.numbers(of: text)
        if !numbers.contains(where: { weights[$0] != nil }) { return nil }
        let chances = chances(numbers)
        guard let best = chances.indices.max(by: { chances[$0] < chances[$1] }), chances[best] >= threshold else {
            return nil
        }
        return (classes[best], chances[best])
    }
}

/// As text: the classes, the step and the biases with spaces between, then for each number four signs and one for each class, of 64.
extension TextClassifier: LosslessStringConvertible {
    private static let signs = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-".utf8)

    package var description: String {
        var body: [UInt8] = []
        for (number, weights) in weights.sorted(by: { $0.key < $1.key }) {
            for shift in [18, 12, 6, 0] { body.append(Self.signs[Int(number >> shift) & 63]) }
            for weight in weights { body.append(Self.signs[Int(weight) + 31]) }
        }
        return "\(classes.joined(separator: ",")) \(step) \(bias.map(String.init).joined(separator: ","))\n"
            + String(decoding: body, as: UTF8.self)
    }

    package init?(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count >= 3, let step = Float(words[1]) else { return nil }
        let classes = words[0].split(separator: ",").map(String.init)
        let bias = words[2].split(separator: ",").compactMap { Int8($0) }
        var values = [Int](repeating: -1, count: 256)
        for (value, sign) in Self.signs.enumerated() { values[Int(sign)] = value }
        let body = words.dropFirst(3).joined().utf8.map { values[Int($0)] }
        let width = 4 + classes.count
        guard bias.count == classes.count, body.count % width == 0, !body.contains(-1) else { return nil }
        var weights: [UInt32: [Int8]] = [:]
        weights.reserveCapacity(body.count / width)
        for start in stride(from: 0, to: body.count, by: width) {
            let number = body[start..<start + 4].reduce(0) { $0 << 6 | UInt32($1) }
            weights[number] = body[(start + 4)..<(start + width)].map { Int8($0 - 31) }
        }
        self.init(classes: classes, step: step, bias: bias, weights: weights)
    }
}
