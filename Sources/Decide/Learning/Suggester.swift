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
    /// Users alike, whose followees are gone through as the third hop.
    package var alike: Int
    /// Candidates whose degrees are looked up and that are ranked by all there is to know.
    package var candidates: Int
    /// Users with the most followers of all, who are candidates of everybody.
    package var popular: Int
    package init(neighbours: Int = 80, ties: Int = 100, alike: Int = 20, candidates: Int = 120, popular: Int = 40) {
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
    package func suggestions<Graph: FollowGraph>(
        for user: Graph.User, in graph: Graph, limit: Int, excluding excluded: (Graph.User) throws -> Bool
    ) throws -> [Suggestion<Graph.User>] {
        let (found, own) = try candidates(for: user, in: graph, excluding: excluded)
        let scored = found.map {
            Suggestion(user: $0.user, score: score($0.why, of: own), why: $0.why)
        }
        return Array(
            scored.sorted { ($1.score, $0.user) < ($0.score, $1.user) }.prefix(limit))
    }

    /// Those who are ranked, and the degrees of the user.
    package func candidates<Graph: FollowGraph>(
        for user: Graph.User, in graph: Graph, excluding excluded: (Graph.User) throws -> Bool
    ) throws -> (found: [(user: Graph.User, why: Acquaintance)], own: Degrees) {
        var gathering = Gathering(user, in: graph, bounds)
        try gathering.goTwoHops()
        try gathering.goThreeHops()
        return (try gathering.best(excluding: excluded), gathering.own.degrees)
    }

    package func score(_ why: Acquaintance, of own: Degrees) -> Double {
        zip(weights, Self.features(of: why, own)).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// What the weights are of, in their order.
    package static let featureNames = [
        "log followed by followees", "log common followees", "log followed by followers", "log followers followed",
        "log Adamic-Adar", "root resource allocation", "root by users alike", "follows back",
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
            why.byUsersAlike.squareRoot(), why.followsBack,
            log(1 + Double(why.degrees.followers)), log(1 + Double(why.degrees.followees)),
            common / (ties + 1), common / ((ties + 1) * (owns + 1)).squareRoot(),
        ]
    }
}

/// What one suggestion gathers on its way through the graph.
private struct Gathering<Graph: FollowGraph> {
    let user: Graph.User
    let graph: Graph
    let bounds: SuggestionBounds
    var own = Ties<Graph.User>()
    var known: [Graph.User: Acquaintance] = [:]
    var neighbours: [Graph.User: Ties<Graph.User>] = [:]

    init(_ user: Graph.User, in graph: Graph, _ bounds: SuggestionBounds) {
        (self.user, self.graph, self.bounds) = (user, graph, bounds)
    }

    mutating func goTwoHops() throws {
        own = try graph.ties(of: user, atMost: bounds.neighbours)
        let followees = Set(own.followees)
        let followers = Set(own.followers)
        for follower in own.followers { known[follower, default: Acquaintance()].followsBack = 1 }
        var gone: Set<Graph.User> = []
        for neighbour in own.followees + own.followers where gone.insert(neighbour).inserted {
            let ties = try graph.ties(of: neighbour, atMost: bounds.ties)
            let (out, into) = (followees.contains(neighbour), followers.contains(neighbour))
            let degree = Double(ties.degrees.followers + ties.degrees.followees)
            let (rare, share) = (1 / log(1 + degree), 1 / degree)
            for candidate in ties.followees {
                note(candidate, rare, share) {
                    if out { $0.followedByFollowees += 1 }
                    if into { $0.followedByFollowers += 1 }
                }
            }
            for candidate in ties.followers {
                note(candidate, rare, share) {
                    if out { $0.commonFollowees += 1 }
                    if into { $0.followersFollowed += 1 }
                }
            }
            neighbours[neighbour] = ties
        }
    }

    private mutating func note(
        _ candidate: Graph.User, _ rare: Double, _ share: Double, _ change: (inout Acquaintance) -> Void
    ) {
        change(&known[candidate, default: Acquaintance()])
        known[candidate]!.adamicAdar += rare
        known[candidate]!.resourceAllocation += share
    }

    /// By those who are most alike to whom they follow.
    mutating func goThreeHops() throws {
        var alike = Best<Graph.User, Double>(bounds.alike)
        for (other, why) in known where other != user && why.resourceAllocation > 0 {
            alike.add(other, why.resourceAllocation, why.resourceAllocation)
        }
        for (other, _, weight) in alike.found {
            let ties = try neighbours[other] ?? graph.ties(of: other, atMost: bounds.ties)
            let weight = weight / (1 + Double(ties.degrees.followees)).squareRoot()
            for candidate in ties.followees { known[candidate, default: Acquaintance()].byUsersAlike += weight }
        }
    }

    func best(excluding excluded: (Graph.User) throws -> Bool) throws -> [(user: Graph.User, why: Acquaintance)] {
        var followed = Set(own.followees)
        followed.insert(user)
        var ranked = Best<Graph.User, Acquaintance>(bounds.candidates)
        for (one, why) in known where !followed.contains(one) {
            let first = why.resourceAllocation + why.byUsersAlike + why.followsBack
            if try ranked.takes(one, first) && !excluded(one) { ranked.add(one, first, why) }
        }
        var best = ranked.found.map { (user: $0.user, why: $0.value) }
        let near = Set(best.map(\.user))
        for one in try graph.popular(atMost: bounds.popular) where !followed.contains(one) && !near.contains(one) {
            if try !excluded(one) { best.append((one, known[one] ?? Acquaintance())) }
        }
        let degrees = try graph.degrees(of: best.map(\.user))
        for i in best.indices { best[i].why.degrees = degrees[i] }
        return best
    }
}

/// The best so many of what is added: the highest first, of equal ones the least user.
private struct Best<User: Comparable, Value> {
    let limit: Int
    private(set) var found: [(user: User, score: Double, value: Value)] = []

    init(_ limit: Int) { self.limit = limit }

    private func precedes(_ user: User, _ score: Double, _ other: (user: User, score: Double, value: Value)) -> Bool {
        score > other.score || score == other.score && user < other.user
    }

    func takes(_ user: User, _ score: Double) -> Bool {
        guard found.count == limit, let last = found.last else { return limit > 0 }
        return precedes(user, score, last)
    }

    mutating func add(_ user: User, _ score: Double, _ value: Value) {
        if !takes(user, score) { return }
        if found.count == limit { found.removeLast() }
        var (low, high) = (0, found.count)
        while low < high {
            let middle = (low + high) / 2
            if precedes(user, score, found[middle]) { high = middle } else { low = middle + 1 }
        }
        found.insert((user, score, value), at: low)
    }
}
