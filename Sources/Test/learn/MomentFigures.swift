import EventModel
import Foundation
import Learning

/// A headline or a title with its class.
struct LabelledText {
    var text: String
    var label: Int
    /// Texts of one story are in one fold.
    var story: String
    var isHeadline: Bool
    /// Of a headline, with its site and the folders of its address, which often name a section.
    var withAddress: String

    static let classes = ["business", "fun", "technology", "health", "sports", "news"]

    static func all(_ data: String) throws -> [LabelledText] {
        let headlines = try CommaText.rows(Reading.text(data + "/moments/uci_news_aggregator_first6366.csv.gz"))
        let labels = ["b": 0, "e": 1, "t": 2, "m": 3]
        var texts = headlines.dropFirst().compactMap { row -> LabelledText? in
            guard row.count == 8, let label = labels[row[4]] else { return nil }
            return LabelledText(
                text: row[1], label: label, story: row[5], isHeadline: true,
                withAddress: row[1] + " " + TextFeatures.address(row[2]))
        }
        // YouTube's categories: film, music, comedy and entertainment are fun; sports; news and politics; science and technology.
        let categories = ["1": 1, "10": 1, "23": 1, "24": 1, "17": 4, "25": 5, "28": 2]
        var seen: Set<String> = []
        let videos = try CommaText.rows(Reading.text(data + "/video/youtube_trending_us_2017-09_10.csv.gz"))
        for row in videos.dropFirst() where row.count > 4 && seen.insert(row[0]).inserted {
            guard let label = categories[row[3]] else { continue }
            texts.append(
                LabelledText(
                    text: row[1], label: label, story: "channel " + row[2], isHeadline: false, withAddress: row[1]))
        }
        return texts
    }
}

enum MomentFigures {
    static let seed: UInt64 = 18
    static let folds = 10

    static func run(_ data: String, writingTo path: String?) throws {
        let texts = try LabelledText.all(data)
        let stories = Set(texts.filter(\.isHeadline).map(\.story))
        print(
            "headlines", texts.count { $0.isHeadline }, "of", stories.count, "stories; titles",
            texts.count { !$0.isHeadline })
        for seed in [seed, seed + 1] {
            print("seed \(seed)")
            let fold = folds(of: texts, seed)
            crossed(
                "headlines alone", texts.filter(\.isHeadline),
                texts.indices.filter { texts[$0].isHeadline }.map { fold[$0] })
            crossed("headlines and titles", texts, fold)
            crossed(
                "with addresses",
                texts.map {
                    var text = $0
                    text.text = $0.withAddress
                    return text
                }, fold)
        }
        let once = texts.filter(\.isHeadline)
        var random = SeededRandom(seed, 13)
        crossed("headlines at random, stories on both sides:", once, once.map { _ in random.number(0...folds - 1) })
        let model = deployed(texts)
        print(
            model == Moments.model ? "retrained, it is the committed model" : "retrained, it is NOT the committed model"
        )
        if let path { try write(model, to: path) }
        print("words and pairs", model.weights.count, "signs", model.description.utf8.count)
    }

    /// Stories are dealt out to the folds at random.
    static func folds(of texts: [LabelledText], _ seed: UInt64) -> [Int] {
        var random = SeededRandom(seed)
        var stories = Set(texts.map(\.story)).sorted()
        stories.shuffle(using: &random)
        let dealt = Dictionary(uniqueKeysWithValues: stories.enumerated().map { ($1, $0 % folds) })
        return texts.map { dealt[$0.story] ?? 0 }
    }

    static func train(_ texts: [LabelledText]) -> TextClassifier {
        var counts: [String: Float] = [:]
        for text in texts { counts[text.story, default: 0] += 1 }
        var random = SeededRandom(seed, 11)
        let examples = texts.map {
            TextTraining.Example($0.text, $0.label, weight: 3 / (counts[$0.story] ?? 1).squareRoot())
        }
        return TextTraining().train(examples, classes: LabelledText.classes, using: &random)
    }

    /// Of all there is: texts alone, and headlines with their addresses too.
    static func deployed(_ texts: [LabelledText]) -> TextClassifier {
        let addressed = texts.filter(\.isHeadline).map {
            var text = $0
            text.text = $0.withAddress
            return text
        }
        return train(texts + addressed)
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

    static func crossed(_ name: String, _ texts: [LabelledText], _ fold: [Int]) {
        var found: [(chance: Double, isRight: Bool, isHeadline: Bool)] = []
        for out in 0..<folds {
            let model = train(texts.indices.filter { fold[$0] != out }.map { texts[$0] })
            for i in texts.indices where fold[i] == out {
                let chances = model.chances(texts[i].text)
                let best = chances.indices.max { chances[$0] < chances[$1] } ?? 0
                found.append((chances[best], best == texts[i].label, texts[i].isHeadline))
            }
        }
        for isHeadline in [true, false] {
            let some = found.filter { $0.isHeadline == isHeadline }
            if some.isEmpty { continue }
            for threshold in [0, 0.6, 0.7, 0.8, 0.9, 0.95] {
                let sure = some.filter { $0.chance >= threshold }
                let right = sure.count { $0.isRight }
                print(
                    name, isHeadline ? "headlines" : "titles", "from", threshold, "accuracy",
                    String(format: "%.3f", Double(right) / Double(max(1, sure.count))), "of",
                    String(format: "%.3f", Double(sure.count) / Double(some.count)))
            }
        }
    }
}
