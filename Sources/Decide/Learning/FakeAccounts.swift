/// How likely an account is fake, by what a log of a social network knows of it.
///
/// The model is boosted trees, made by `learn accounts` with the seed 18 of 2,232 labelled accounts of Twitter
/// (jubins/MachineLearning-Detecting-Twitter-Bots, MIT licence). Figures: docs/learned.md.
package enum FakeAccounts {
    /// From this chance on an account is flagged.
    package static let threshold = 0.8

    package static let model: BoostedTrees = {
        guard let model = BoostedTrees(text) else { preconditionFailure("the model of fake accounts cannot be read") }
        return model
    }()

    /// Between 0 and 1.
    package static func score(_ facts: AccountFacts) -> Double { model.probability(facts.features) }

    /// What speaks the most for it, in words with numbers: `followers 3`.
    package static func reasons(_ facts: AccountFacts, atMost limit: Int = 3) -> [String] {
        model.reasons(facts.features, usual: usual, atMost: limit).map {
            facts.told(AccountFacts.featureNames[$0.feature])
        }
    }
}

extension AccountFacts {
    /// A feature's name with the numbers that it is made of.
    func told(_ feature: String) -> String {
        func whole(_ number: Double) -> String { "\(Int(number))" }
        return switch feature {
        case "followers": "\(whole(followers)) followers"
        case "followees": "\(whole(followees)) followees"
        case "tweets": "\(whole(tweets)) tweets"
        case "likes": "\(whole(likes)) likes"
        case "age": "\(whole(years * 365)) days old"
        case "followers a followee": "\(whole(followers)) followers, \(whole(followees)) followees"
        case "likes a tweet": "\(whole(likes)) likes, \(whole(tweets)) tweets"
        case "tweets a year", "likes a year", "followers a year":
            "\(feature.split(separator: " ")[0]) in \(whole(years * 365)) days: \(whole(feature.hasPrefix("t") ? tweets : feature.hasPrefix("l") ? likes : followers))"
        case "followers a tweet": "\(whole(followers)) followers, \(whole(tweets)) tweets"
        default: "\(feature) (\(handle))"
        }
    }
}
