import EventModel
import Foundation
import Learning

/// A headline or a title with its class.
struct LabelledText {
    enum Kind: String, CaseIterable {
        /// The first 6,366 headlines of the set: all publishers, three days.
        case sample
        /// Later headlines of four publishers, five months.
        case later
        /// Titles of videos.
        case title
    }

    var text: String
    var label: Int
    /// Texts of one story are in one fold.
    var story: String
    var kind: Kind
    /// Of a headline, when it was published, in milliseconds.
    var time = 0.0

    static let classes = ["business", "fun", "technology", "health", "sports", "news"]

    static func all(_ data: String) throws -> [LabelledText] {
        let more = data + "/moments/uci_news_aggregator_four_publishers.csv.gz"
        var texts = try headlines(data + "/moments/uci_news_aggregator_first6366.csv.gz", .sample)
        if FileManager.default.fileExists(atPath: more) {
            texts += try headlines(more, .later)
        } else {
            print(more, "is not there: what is learned without it is worse, and not the committed model")
        }
        return try texts + titles(data)
    }

    private static func headlines(_ path: String, _ kind: Kind) throws -> [LabelledText] {
        let labels = ["b": 0, "e": 1, "t": 2, "m": 3]
        return try CommaText.rows(Reading.text(path)).dropFirst().compactMap { row in
            guard row.count == 8, let label = labels[row[4]] else { return nil }
            return LabelledText(text: row[1], label: label, story: row[5], kind: kind, time: Double(row[7]) ?? 0)
        }
    }

    private static func titles(_ data: String) throws -> [LabelledText] {
        // YouTube's categories: film, music, comedy and entertainment are fun; sports; news and politics; science and technology.
        let categories = ["1": 1, "10": 1, "23": 1, "24": 1, "17": 4, "25": 5, "28": 2]
        var seen: Set<String> = []
        let videos = try CommaText.rows(Reading.text(data + "/video/youtube_trending_us_2017-09_10.csv.gz"))
        return videos.dropFirst().compactMap { row in
            guard row.count > 4, seen.insert(row[0]).inserted, let label = categories[row[3]] else { return nil }
            return LabelledText(text: row[1], label: label, story: "channel " + row[2], kind: .title)
        }
    }
}

/// Learns what texts are about, and measures it by stories that were held out.
enum MomentFigures {
    static let seed: UInt64 = 18
    static let folds = 10
    static let thresholds = [0, 0.6, 0.7, 0.8, Moments.threshold]

    static func run(_ data: String, writingTo path: String?) throws {
        let texts = try LabelledText.all(data)
        for kind in LabelledText.Kind.allCases {
            let some = texts.filter { $0.kind == kind }
            print(kind, some.count, "texts of", Set(some.map(\.story)).count, "stories or channels")
        }
        for seed in [seed, seed + 1] {
            print("seed \(seed), by held-out stories")
            let found = crossed(texts, folds(of: texts, seed))
            report(found)
            if seed == self.seed { confusion(found.filter { $0.text.kind != .title }) }
        }
        let sample = texts.filter { $0.kind == .sample }
        print("the sample alone, by held-out stories")
        report(crossed(sample, folds(of: sample, seed)))
        byTime(texts)
        print("the sample alone at random, its stories on both sides")
        var random = SeededRandom(seed, 13)
        report(crossed(sample, sample.map { _ in random.number(0...folds - 1) }))
        let model = train(texts)
        print(
            model == Moments.model ? "retrained, it is the committed model" : "retrained, it is NOT the committed model"
        )
        if let path { try write(model, to: path) }
        print("words, pairs and pieces", model.weights.count, "signs", model.description.utf8.count)
        speed(model, texts)
    }

    /// Stories are dealt out to the folds at random.
    static func folds(of texts: [LabelledText], _ seed: UInt64) -> [Int] {
        var random = SeededRandom(seed)
        var stories = Set(texts.map(\.story)).sorted()
        stories.shuffle(using: &random)
        let dealt = Dictionary(uniqueKeysWithValues: stories.enumerated().map { ($1, $0 % folds) })
        return texts.map { dealt[$0.story] ?? 0 }
    }

    /// A text counts less the more there are of its story and of its class: one over the root of how many.
    static func train(_ texts: [LabelledText]) -> TextClassifier {
        var stories: [String: Float] = [:]
        for text in texts { stories[text.story, default: 0] += 1 }
        func share(_ text: LabelledText) -> Float { 1 / (stories[text.story] ?? 1).squareRoot() }
        var classes = [Float](repeating: 0, count: LabelledText.classes.count)
        for text in texts { classes[text.label] += share(text) }
        let weights = texts.map { share($0) / classes[$0.label].squareRoot() }
        let mean = weights.reduce(0, +) / Float(weights.count)
        var random = SeededRandom(seed, 11)
        let examples = zip(texts, weights).map { TextTraining.Example($0.text, $0.label, weight: $1 / mean) }
        return TextTraining().train(examples, classes: LabelledText.classes, using: &random)
    }

    struct Found {
        var text: LabelledText
        var best: Int
        var chance: Double
        var isRight: Bool { best == text.label }

        init(_ text: LabelledText, by model: TextClassifier) {
            let chances = model.chances(text.text)
            self.text = text
            best = chances.indices.max { chances[$0] < chances[$1] } ?? 0
            chance = chances[best]
        }
    }

    static func crossed(_ texts: [LabelledText], _ fold: [Int]) -> [Found] {
        (0..<folds).flatMap { out in
            let model = train(texts.indices.filter { fold[$0] != out }.map { texts[$0] })
            return texts.indices.filter { fold[$0] == out }.map { Found(texts[$0], by: model) }
        }
    }

    /// Learned of what was published from three weeks after the sample on, without its stories, and measured on the sample.
    static func byTime(_ texts: [LabelledText]) {
        let sample = texts.filter { $0.kind == .sample }
        let last = sample.map(\.time).max() ?? 0
        let stories = Set(sample.map(\.story))
        let weeks = 21.0 * 86_400_000
        let later = texts.filter { $0.kind == .later && $0.time > last + weeks && !stories.contains($0.story) }
        if later.isEmpty { return }
        print("learned of", later.count, "headlines from three weeks later on, measured on the sample")
        let model = train(later)
        report(sample.map { Found($0, by: model) })
    }

    static func report(_ found: [Found]) {
        for kind in LabelledText.Kind.allCases {
            let some = found.filter { $0.text.kind == kind }
            if some.isEmpty { continue }
            let figures = thresholds.map { threshold in
                let sure = some.filter { $0.chance >= threshold }
                let right = sure.count { $0.isRight }
                return String(
                    format: "%.1f: %.3f of %.3f", threshold, Double(right) / Double(max(1, sure.count)),
                    Double(sure.count) / Double(some.count))
            }
            print(" ", kind, "accuracy at a threshold, of the share that is sure:", figures.joined(separator: "; "))
        }
    }

    /// What texts of a class were taken for, where that was sure.
    static func confusion(_ found: [Found]) {
        print("  headlines of", (LabelledText.classes + ["none"]).joined(separator: " "))
        for (label, name) in LabelledText.classes.enumerated() {
            var counts = [Int](repeating: 0, count: LabelledText.classes.count + 1)
            for one in found where one.text.label == label {
                counts[one.chance >= Moments.threshold ? one.best : LabelledText.classes.count] += 1
            }
            if counts.contains(where: { $0 > 0 }) { print("   ", name, counts) }
        }
    }

    static func speed(_ model: TextClassifier, _ texts: [LabelledText]) {
        let start = ContinuousClock.now
        let sure = texts.count { model.label($0.text, atLeast: Moments.threshold) != nil }
        let time = ContinuousClock.now - start
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        print("labelled", Int(Double(texts.count) / seconds), "texts a second;", sure, "of", texts.count, "surely")
    }

    static func write(_ model: TextClassifier, to path: String) throws {
        var lines: [Substring] = []
        for line in model.description.split(separator: "\n") {
            var rest = line
            while rest.utf8.count > 116, !line.contains(" ") {
                lines.append(rest.prefix(116))
                rest = rest.dropFirst(116)
            }
            lines.append(rest)
        }
        let text = """
            // Made by `learn moments`: do not edit.
            extension Moments {
                static let text = \"\"\"
                    \(lines.joined(separator: "\n        "))
                    \"\"\"
            }

            """
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }
}
