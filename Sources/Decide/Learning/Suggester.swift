#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// How much one suggestion may read and hold: the bound of its work, whatever hubs there are.
package struct SuggestionBounds: Hashable, Sendable {
    /// Followees, and followers, of the user that are gone through: the latest.
    package var neighbours: Int
    /// Ties of each direction of each neighbour that are gone through: the latest.
    package var ties: Int
    /// Users alike, whose ties are gone through as the third hop.
    package var alike: Int
    /// Candidates whose degrees are looked up and that are ranked by all there is to know.
    package var candidates: Int
    /// Users with the most followers of all, who are candidates of everybody.
    package var popular: Int
    package init(neighbours: Int = 80, ties: Int = 100, alike: Int = 60, candidates: Int = 160, popular: Int = 40) {
        (self.neighbours, self.ties, self.alike) = (neighbours, ties, alike)
        (self.candidates, self.popular) = (candidates, popular)
    }
}

/// What is known of a user and one whom they might follow. Each is a number that people can be shown.
package struct Acquaintance: Hashable, Sendable {
    /// Followees of the user who follow the candidate.
    package var followedByFollowees = 0.0
    /// Followees whom the two have in common.
    package var commonFollowees = 0.0
    /// Followers of the user who follow the candidate.
    package var followedByFollowers = 0.0
    /// Followers of the user whom the candidate follows.
    package var followersFollowed = 0.0
    /// The sum over those between them of 1 / log(1 + ties): Adamic and Adar 2003.
    package var adamicAdar = 0.0
    /// The sum over those between them of 1 / ties: Zhou, Lü and Zhang 2009.
    package var resourceAllocation = 0.0
    /// Paths of three hops by users alike, each weighed by how alike: Gupta et al. 2013, "WTF", is of this kind.
    package var byUsersAlike = 0.0
    /// The same by those who follow whom the user follows, each by how few others do.
    package var byCofollowers = 0.0
    /// The share of walks of three steps from the user that end at the candidate, a step being any tie of where the walk is. Walks
    /// back through the user, and through users whose ties were not read, are left out.
    package var walksOfThree = 0.0
    /// The same of walks of four steps.
    package var walksOfFour = 0.0
    /// 1 where the candidate follows the user.
    package var followsBack = 0.0
    package var degrees = Degrees()
    package init() {}
}

/// A suggestion, and why.
package struct Suggestion<User: Hashable & Sendable>: Sendable {
    package var user: User
    package var score: Double
    package var why: Acquaintance
    package init(user: User, score: Double, why: Acquaintance) {
        (self.user, self.score, self.why) = (user, score, why)
    }
}

/// Whom a user might follow: candidates two and three hops away, ranked by learned weights.
///
/// The same graph, user and exclusions give the same suggestions. What it reads and holds is bounded by ``SuggestionBounds``.
package struct Suggester: Sendable {
    package var bounds: SuggestionBounds
    package var weights: [Double]

    package init(weights: [Double], bounds: SuggestionBounds = SuggestionBounds()) {
        (self.weights, self.bounds) = (weights, bounds)
    }

    /// - Parameters:
    ///   - excluded: Who is not to be suggested beside the user and all their followees: whether one is.
    ///   - limit: The most suggestions.
    /// - Returns: The best first; of equal scores the least user.
    @specialized(where User == PackedName)
    @specialized(where User == Int32)
    package func suggestions<User: Hashable & Comparable & Sendable>(
        for user: User, in graph: any FollowGraph<User>, limit: Int, excluding excluded: (User) throws -> Bool
    ) throws -> [Suggestion<User>] {
        let (found, own) = try candidates(for: user, in: graph, excluding: excluded)
        let scored = found.map {
            Suggestion(user: $0.user, score: score($0.why, of: own), why: $0.why)
        }
        return Array(
            scored.sorted { ($1.score, $0.user) < ($0.score, $1.user) }.prefix(limit))
    }

    /// Those who are ranked, and the degrees of the user.
    @specialized(where User == PackedName)
    @specialized(where User == Int32)
    package func candidates<User: Hashable & Comparable & Sendable>(
        for user: User, in graph: any FollowGraph<User>, excluding excluded: (User) throws -> Bool
    ) throws -> (found: [(user: User, why: Acquaintance)], own: Degrees) {
        var gathering = try Gathering(user, in: graph, bounds)
        try gathering.goTwoHops()
        try gathering.goFurther()
        return (try gathering.best(excluding: excluded), gathering.own.degrees)
    }

    package func score(_ why: Acquaintance, of own: Degrees) -> Double {
        zip(weights, Self.features(of: why, own)).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// What the weights are of, in their order.
    package static let featureNames = [
        "log followed by followees", "log common followees", "log followed by followers", "log followers followed",
        "log Adamic-Adar", "root resource allocation", "root by users alike", "root by cofollowers",
        "root of walks of three", "root of walks of four", "log walks of four", "follows back",
        "log followers", "log followees", "common a tie", "cosine",
    ]

    /// The numbers that the weights are of.
    package static func features(of why: Acquaintance, _ own: Degrees) -> [Double] {
        let common = why.followedByFollowees + why.commonFollowees + why.followedByFollowers + why.followersFollowed
        let ties = Double(why.degrees.followers + why.degrees.followees)
        let owns = Double(own.followers + own.followees)
        return [
            log(1 + why.followedByFollowees), log(1 + why.commonFollowees), log(1 + why.followedByFollowers),
            log(1 + why.followersFollowed), log(1 + why.adamicAdar), why.resourceAllocation.squareRoot(),
            why.byUsersAlike.squareRoot(), why.byCofollowers.squareRoot(),
            why.walksOfThree.squareRoot(), why.walksOfFour.squareRoot(), log(1e-4 + why.walksOfFour), why.followsBack,
            log(1 + Double(why.degrees.followers)), log(1 + Double(why.degrees.followees)),
            common / (ties + 1), common / ((ties + 1) * (owns + 1)).squareRoot(),
        ]
    }
}
