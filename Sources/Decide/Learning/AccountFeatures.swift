#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What a log of a social network knows of an account.
package struct AccountFacts: Hashable, Sendable {
    package var handle: String
    package var followers: Double
    package var followees: Double
    package var tweets: Double
    /// Tweets of others that the account likes.
    package var likes: Double
    /// Years since the account was made.
    package var years: Double
    package init(
        handle: String, followers: Double, followees: Double, tweets: Double, likes: Double, years: Double
    ) {
        (self.handle, self.followers, self.followees) = (handle, followers, followees)
        (self.tweets, self.likes, self.years) = (tweets, likes, years)
    }

    /// What the deployed model's features are, for people, in their order.
    package static let featureNames = [
        "followers", "followees", "tweets", "likes", "age", "followers a followee", "likes a tweet", "tweets a year",
        "likes a year", "followers a year", "followers a tweet", "length of the handle", "digits in the handle",
        "digits at its end", "underscores in the handle", "bot in the handle",
        "vowels of the handle",
    ]

    package var features: [Float] {
        let letters = Array(handle.utf8)
        let digits = letters.count { (48...57).contains($0) }
        let ending = letters.reversed().prefix { (48...57).contains($0) }.count
        let lower = handle.lowercased()
        let vowels = lower.utf8.count { "aeiou".utf8.contains($0) }
        func ratio(_ a: Double, _ b: Double) -> Float { Float(log((a + 1) / (b + 1))) }
        let years = max(years, 0.1)
        return [
            ratio(followers, 0), ratio(followees, 0), ratio(tweets, 0), ratio(likes, 0), Float(years),
            ratio(followers, followees), ratio(likes, tweets), ratio(tweets, years), ratio(likes, years),
            ratio(followers, years), ratio(followers, tweets), Float(letters.count), Float(digits), Float(ending),
            Float(letters.count { $0 == 95 }), lower.contains("bot") ? 1 : 0,
            Float(vowels) / Float(max(1, letters.count)),
        ]
    }
}
