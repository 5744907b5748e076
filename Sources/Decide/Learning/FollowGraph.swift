/// A follow graph as suggestions read it. Each call may be a read of a store, so the calls of one suggestion are bounded: see
/// ``SuggestionBounds``.
package protocol FollowGraph<User> {
    /// How a user is named. Ties of equal scores go by its order.
    associatedtype User: Hashable & Comparable & Sendable
    /// Whom a user follows and who follows them: of each at most so many, the latest last.
    func ties(of user: User, atMost limit: Int) throws -> Ties<User>
    /// How many followers and followees users have, in the order of the users.
    func degrees(of users: [User]) throws -> [Degrees]
    /// Who has the most followers, at most so many; of as many followers the least user first.
    func popular(atMost limit: Int) throws -> [User]
}

/// How many follow a user, and how many a user follows.
package struct Degrees: Hashable, Sendable {
    package var followers: Int
    package var followees: Int
    package init(followers: Int = 0, followees: Int = 0) { (self.followers, self.followees) = (followers, followees) }
}

/// The latest ties of a user, and how many there are in all.
package struct Ties<User: Hashable & Sendable>: Sendable {
    package var followees: [User]
    package var followers: [User]
    package var degrees: Degrees
    package init(followees: [User] = [], followers: [User] = [], degrees: Degrees = Degrees()) {
        (self.followees, self.followers, self.degrees) = (followees, followers, degrees)
    }
}

/// A follow graph in memory, of users with numbers from 0.
package struct NumberedGraph: FollowGraph, Sendable {
    package private(set) var followees: [[Int32]]
    package private(set) var followers: [[Int32]]
    private var ranked: [Int32]

    /// - Parameter edges: Follower and followee, each pair once.
    package init(users: Int, edges: [(Int32, Int32)]) {
        followees = Array(repeating: [], count: users)
        followers = Array(repeating: [], count: users)
        for (follower, followee) in edges {
            followees[Int(follower)].append(followee)
            followers[Int(followee)].append(follower)
        }
        let counts = followers.map(\.count)
        ranked = (0..<Int32(users)).sorted { (counts[Int($1)], $0) < (counts[Int($0)], $1) }
    }

    package func ties(of user: Int32, atMost limit: Int) -> Ties<Int32> {
        let (out, into) = (followees[Int(user)], followers[Int(user)])
        return Ties(
            followees: Array(out.suffix(limit)), followers: Array(into.suffix(limit)),
            degrees: Degrees(followers: into.count, followees: out.count))
    }

    package func degrees(of users: [Int32]) -> [Degrees] {
        users.map { Degrees(followers: followers[Int($0)].count, followees: followees[Int($0)].count) }
    }

    package func popular(atMost limit: Int) -> [Int32] { Array(ranked.prefix(limit)) }
}
