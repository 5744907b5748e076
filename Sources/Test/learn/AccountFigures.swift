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
            guard row.count == 17, let year = year(row[8]) else { throw Reading.Unreadable(path: "a row of the accounts") }
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
                Float(about.unicodeScalars.count), Float(row[1].unicodeScalars.count), Float(said.split(separator: " ").count),
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
    static var training: BoostedTraining {
        var t = BoostedTraining()
        if let e = ProcessInfo.processInfo.environment["T"]?.split(separator: ",").compactMap({ Double($0) }), e.count == 6 {
            t.depth = Int(e[0]); t.trees = Int(e[1]); t.rate = Float(e[2]); t.ridge = Float(e[3]); t.rows = e[4]; t.columns = e[5]
        }
        return t
    }

    static func run(_ data: String) throws {
        let accounts = try LabelledAccount.all(data)
        print("accounts", accounts.count, "fake", accounts.count { $0.isFake })
        // An account that is there twice is in one fold.
        let fold = accounts.map { account in
            var random = SeededRandom(seed, account.facts.handle.lowercased().utf8.reduce(5381) { $0 &* 33 &+ UInt64($1) })
            return random.number(0...folds - 1)
        }
        let labels = accounts.map(\.isFake)
        let whole = crossed(accounts, fold) { $0.whole }
        report("all features", whole, labels)
        report("all, with words", crossedWithWords(accounts, fold), labels)
        report("what the log knows", crossed(accounts, fold) { $0.facts.features }, labels)
        report("followees a follower", accounts.map { log((1 + $0.facts.followees) / (1 + $0.facts.followers)) }, labels)
    }

    /// The log-odds of words of name and description, smoothed (naive Bayes); learned of some accounts.
    static func wordOdds(_ accounts: [LabelledAccount]) -> [String: Float] {
        var counts: [String: (fake: Float, not: Float)] = [:]
        for account in accounts {
            for word in account.words {
                if account.isFake { counts[word, default: (0, 0)].fake += 1 } else { counts[word, default: (0, 0)].not += 1 }
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
            let model = training.train(
                kept.map { features[$0] }, kept.map { accounts[$0].isFake ? 1 : 0 }, using: &random)
            for i in accounts.indices where fold[i] == out { scores[i] = model.probability(features[i]) }
        }
        return scores
    }

    static func crossed(
        _ accounts: [LabelledAccount], _ fold: [Int], _ features: (LabelledAccount) -> [Float]
    ) -> [Double] {
        var scores = [Double](repeating: 0, count: accounts.count)
        for out in 0..<folds {
            let kept = accounts.indices.filter { fold[$0] != out }
            let model = train(kept.map { accounts[$0] }, features)
            for i in accounts.indices where fold[i] == out { scores[i] = model.probability(features(accounts[i])) }
        }
        return scores
    }

    static func train(_ accounts: [LabelledAccount], _ features: (LabelledAccount) -> [Float]) -> BoostedTrees {
        var random = SeededRandom(seed, 11)
        return training.train(accounts.map(features), accounts.map { $0.isFake ? 1 : 0 }, using: &random)
    }

    static func report(_ name: String, _ scores: [Double], _ labels: [Bool], threshold: Double = 0.5) {
        func count(_ fake: Bool, _ flagged: Bool) -> Int {
            zip(scores, labels).count { ($0.0 >= threshold) == flagged && $0.1 == fake }
        }
        print(
            name, "AUC", String(format: "%.4f", Measures.area(scores, labels)), "at", threshold, "fake: flagged",
            count(true, true), "missed", count(true, false), "| not fake: flagged", count(false, true), "left", count(false, false))
    }
}
