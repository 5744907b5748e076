import EventModel
import Foundation
import Learning

/// A labelled account: what a log would know, and what the data set has beside.
struct LabelledAccount {
    var facts: AccountFacts
    /// Features of the data set that no event of ours has.
    var more: [Float]
    var words: [String]
    var isFake: Bool
    /// Which of the two spellings of dates its row has: the rows were gathered at two times.
    var isFirstSpelling: Bool

    var whole: [Float] { facts.features + more }

    static func all(_ data: String) throws -> [LabelledAccount] {
        let text = try Reading.text(data + "/bots/twitter_bots_2232.csv.gz")
        return try CommaText.rows(text).dropFirst().map { row in
            guard row.count == 17, let year = year(row[8]) else {
                throw Reading.Unreadable(path: "a row of the accounts")
            }
            func number(_ place: Int) -> Double { Double(row[place]) ?? 0 }
            func flag(_ place: Int) -> Float { row[place] == "TRUE" || row[place] == "1" ? 1 : 0 }
            let facts = AccountFacts(
                handle: row[0], followers: number(5), followees: number(6), tweets: number(11), likes: number(9),
                years: 2018 - Double(year))
            let about = row[2]
            let said = (row[1] + " " + about).lowercased()
            let signs = ["bot", "tweet", "every", "random", "hour", "automat", "http", "@", "#", "by ", "i "]
            var more: [Float] = [
                flag(3), flag(4), Float(log(1 + number(7))), flag(10), flag(13), flag(14), flag(15),
                Float(about.unicodeScalars.count), Float(row[1].unicodeScalars.count),
                Float(said.split(separator: " ").count),
                Float(log((1 + number(7)) / (1 + number(5)))), row[12].hasPrefix("en") ? 1 : 0,
                Float(row[1].filter(\.isUppercase).count), Float(row[0].filter(\.isUppercase).count),
                row[1].lowercased() == row[0].lowercased() ? 1 : 0,
            ]
            more += signs.map { said.contains($0) ? 1 : 0 }
            let words = Set(said.split { !$0.isLetter }.map(String.init)).sorted()
            return LabelledAccount(
                facts: facts, more: more, words: words, isFake: row[16] == "1", isFirstSpelling: row[8].contains("+"))
        }
    }

    /// Of both spellings the year alone is told: day and month change places between files.
    static func year(_ text: String) -> Int? {
        text.split { $0 == " " || $0 == "/" }.compactMap { $0.count == 4 ? Int($0) : nil }.last
    }
}

enum AccountFigures {
    static let seed: UInt64 = 18
    static let folds = 5
    /// What is measured has the most trees; what is deployed is small.
    static var large: BoostedTraining {
        var training = BoostedTraining()
        (training.depth, training.trees, training.rate, training.columns) = (6, 600, 0.025, 0.3)
        return training
    }
    static var small: BoostedTraining {
        var training = BoostedTraining()
        (training.depth, training.trees, training.rate, training.columns) = (4, 160, 0.08, 0.5)
        return training
    }

    static func run(_ data: String, writingTo path: String?) throws {
        let accounts = try LabelledAccount.all(data)
        let labels = accounts.map(\.isFake)
        print("accounts", accounts.count, "fake", labels.count { $0 })
        for seed in [seed, seed + 1, seed + 2] {
            let fold = folds(of: accounts, seed)
            report("seed \(seed), all features", crossedWithWords(accounts, fold), labels)
            report("seed \(seed), what the log knows", crossed(accounts, fold, small) { $0.facts.features }, labels)
            report(
                "seed \(seed), of that at the threshold used", crossed(accounts, fold, small) { $0.facts.features },
                labels, threshold: FakeAccounts.threshold)
        }
        let fold = folds(of: accounts, seed)
        report(
            "logistic regression, all features",
            Logistic.crossed(accounts.map { $0.whole.map(Double.init) }, labels, fold, folds), labels)
        report(
            "followees a follower", accounts.map { log((1 + $0.facts.followees) / (1 + $0.facts.followers)) }, labels)
        acrossSets(accounts)
        let model = train(accounts, small) { $0.facts.features }
        try onVerified(data, model)
        speed(accounts, model)
        print(
            model == FakeAccounts.model
                ? "retrained, it is the committed model" : "retrained, it is NOT the committed model")
        if let path { try write(model, accounts, to: path) }
    }

    /// An account that is there twice is in one fold.
    static func folds(of accounts: [LabelledAccount], _ seed: UInt64) -> [Int] {
        accounts.map { account in
            var random = SeededRandom(
                seed, account.facts.handle.lowercased().utf8.reduce(5381) { $0 &* 33 &+ UInt64($1) })
            return random.number(0...folds - 1)
        }
    }

    /// Learned of the rows of one spelling of dates, measured on those of the other.
    static func acrossSets(_ accounts: [LabelledAccount]) {
        for first in [true, false] {
            let model = train(accounts.filter { $0.isFirstSpelling == first }, small) { $0.facts.features }
            let others = accounts.filter { $0.isFirstSpelling != first }
            report(
                "what the log knows, of one gathering on the other (\(others.count))",
                others.map { model.probability($0.facts.features) }, others.map(\.isFake))
        }
    }

    /// Another data set has no labels, but accounts that Twitter had verified: they are hardly fake.
    static func onVerified(_ data: String, _ model: BoostedTrees) throws {
        let rows = try CommaText.rows(Reading.text(data + "/tweets/stocknet_users.csv.gz")).dropFirst()
        var (verified, flagged, all, others) = (0, 0, 0, 0)
        for row in rows where row.count >= 10 {
            func number(_ place: Int) -> Double { Double(row[place]) ?? 0 }
            let facts = AccountFacts(
                handle: row[1], followers: number(4), followees: number(5), tweets: number(6), likes: number(7),
                years: (number(3) - number(2)) / 31_556_952)
            let isFlagged = model.probability(facts.features) >= FakeAccounts.threshold
            let isVerified = ["1", "true", "True", "TRUE"].contains(row[9])
            if isVerified { verified += 1 } else { all += 1 }
            if isFlagged { if isVerified { flagged += 1 } else { others += 1 } }
        }
        print("stocknet: flagged", flagged, "of", verified, "verified,", others, "of", all, "others")
    }

    static func speed(_ accounts: [LabelledAccount], _ model: BoostedTrees) {
        var sum = 0.0
        let start = ContinuousClock.now
        for _ in 0..<50 { for account in accounts { sum += model.probability(account.facts.features) } }
        let time = ContinuousClock.now - start
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        print(
            "scored", Int(Double(50 * accounts.count) / seconds), "accounts a second with their features; mean",
            sum / Double(50 * accounts.count))
    }

    static func write(_ model: BoostedTrees, _ accounts: [LabelledAccount], to path: String) throws {
        let rows = accounts.filter { !$0.isFake }.map(\.facts.features)
        let usual = rows[0].indices.map { feature in rows.map { $0[feature] }.sorted()[rows.count / 2] }
        var lines: [String] = []
        var line = ""
        for word in model.description.split(separator: " ") {
            if line.utf8.count + word.utf8.count > 110 {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        lines.append(line)
        let text = """
            // Made by `learn accounts`: do not edit.
            extension FakeAccounts {
                /// The middle of each feature among accounts that are not fake.
                static let usual: [Float] = [
                    \(usual.map { "\($0)" }.joined(separator: ", "))
                ]
                static let text = \"\"\"
                    \(lines.joined(separator: "\n        "))
                    \"\"\"
            }

            """
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// The log-odds of words of name and description, smoothed (naive Bayes); learned of some accounts.
    static func wordOdds(_ accounts: [LabelledAccount]) -> [String: Float] {
        var counts: [String: (fake: Float, not: Float)] = [:]
        for account in accounts {
            for word in account.words {
                if account.isFake {
                    counts[word, default: (0, 0)].fake += 1
                } else {
                    counts[word, default: (0, 0)].not += 1
                }
            }
        }
        let (fake, not) = (Float(accounts.count { $0.isFake }), Float(accounts.count { !$0.isFake }))
        return counts.filter { $0.value.fake + $0.value.not >= 3 }.mapValues {
            log(($0.fake + 1) / (fake + 2)) - log(($0.not + 1) / (not + 2))
        }
    }

    static func said(_ account: LabelledAccount, _ odds: [String: Float]) -> [Float] {
        let found = account.words.compactMap { odds[$0] }
        return [found.reduce(0, +), found.max() ?? 0, found.min() ?? 0]
    }

    /// With what the words say, which is learned of other folds than the row's own.
    static func crossedWithWords(_ accounts: [LabelledAccount], _ fold: [Int]) -> [Double] {
        var scores = [Double](repeating: 0, count: accounts.count)
        for out in 0..<folds {
            let odds = (0..<folds).map { inner in
                wordOdds(accounts.indices.filter { fold[$0] != out && fold[$0] != inner }.map { accounts[$0] })
            }
            let features = accounts.indices.map { accounts[$0].whole + said(accounts[$0], odds[fold[$0]]) }
            let kept = accounts.indices.filter { fold[$0] != out }
            var random = SeededRandom(seed, 11)
            let model = large.train(
                kept.map { features[$0] }, kept.map { accounts[$0].isFake ? 1 : 0 }, using: &random)
            for i in accounts.indices where fold[i] == out { scores[i] = model.probability(features[i]) }
        }
        return scores
    }

    static func crossed(
        _ accounts: [LabelledAccount], _ fold: [Int], _ training: BoostedTraining,
        _ features: (LabelledAccount) -> [Float]
    ) -> [Double] {
        var scores = [Double](repeating: 0, count: accounts.count)
        for out in 0..<folds {
            let kept = accounts.indices.filter { fold[$0] != out }
            let model = train(kept.map { accounts[$0] }, training, features)
            for i in accounts.indices where fold[i] == out { scores[i] = model.probability(features(accounts[i])) }
        }
        return scores
    }

    static func train(
        _ accounts: [LabelledAccount], _ training: BoostedTraining, _ features: (LabelledAccount) -> [Float]
    ) -> BoostedTrees {
        var random = SeededRandom(seed, 11)
        return training.train(accounts.map(features), accounts.map { $0.isFake ? 1 : 0 }, using: &random)
    }

    static func report(_ name: String, _ scores: [Double], _ labels: [Bool], threshold: Double = 0.5) {
        func count(_ fake: Bool, _ flagged: Bool) -> Int {
            zip(scores, labels).count { ($0.0 >= threshold) == flagged && $0.1 == fake }
        }
        print(
            name, "AUC", String(format: "%.4f", Measures.area(scores, labels)), "at", threshold, "fake: flagged",
            count(true, true), "missed", count(true, false), "| not fake: flagged", count(false, true), "left",
            count(false, false))
    }
}
