internal import EventModel
internal import Foundation
internal import Learning

extension Query {
    private static let whose = RequiredParameter<String>("user", "the user's handle")

    static let suggestions = Query(
        "social.suggestions", "Whom a user might follow, the likeliest first, and why in numbers.", of: "social.ties",
        [whose], page: 10
    ) { arguments, reader in
        let user = try arguments[whose]
        try Social.check(handle: user, "user")
        let page = try RankedPage(arguments)
        let rows = try ReadSuggestions.rows(for: Social.handle(user), limit: page.wanted, in: reader)
        return page.page(ReadSuggestions.columns, of: [rows])
    }
}

/// Whom a user might follow, of the view of ties.
enum ReadSuggestions {
    /// No more are ranked for anybody.
    static let most = Suggester.learned.bounds.candidates

    static let columns = [
        Column("user", .text), Column("score", .real, "by the learned weights; only its order means something"),
        Column("followed_by_followees", .integer, "whom you follow who follow them"),
        Column("common_followees", .integer, "whom you both follow"),
        Column("followed_by_followers", .integer, "who follow you and them"),
        Column("followers_followed", .integer, "who follow you and are followed by them"),
        Column("adamic_adar", .real), Column("resource_allocation", .real),
        Column("by_users_alike", .real, "by whom those follow who are most like you"),
        Column("by_cofollowers", .real, "by whom those follow who follow whom you do"),
        Column("walks_of_three", .real, "the share of walks of three ties from you that end there"),
        Column("walks_of_four", .real, "the same of four ties"),
        Column("follows_you", .integer), Column("followers", .integer), Column("followees", .integer),
        Column("same_place", .integer, "1 where both say that they live in the same place"),
        Column("common_interests", .integer, "that both say they have"),
        Column("by_place", .real, "what the score has of it"),
        Column("by_interests", .real, "what the score has of them"),
    ]

    /// What the same place adds to a score of learned weights, and what the logarithm of common interests is multiplied by. They are chosen:
    /// no graph that the weights were learned of says who lives where.
    static let place = 1.0
    static let interest = 0.5

    static func rows(for user: String, limit: Int, in reader: any ViewReader) throws -> [Row] {
        guard let packed = PackedName(user) else { throw Malformed("user", "is no handle") }
        let strangers = try Strangers(to: user, in: reader)
        let own = try Profiles.people([user], in: SocialTies.profiles, reader)[user] ?? Person()
        var graph = TiesGraph(reader: reader)
        graph.known = try graph.famous(for: own)
        let found = try Suggester.learned.suggestions(for: packed, in: graph, limit: .max) {
            try strangers.include($0)
        }.map { Suggestion(user: $0.user.name, score: $0.score, why: $0.why) }
        return try best(min(limit, most), of: found, for: own, in: reader).map(row)
    }

    /// The best with what profiles add. They are looked up in the order of learned scores, as long as what a profile can add at most would
    /// bring one among the best.
    private static func best(
        _ limit: Int, of found: [Suggestion<String>], for own: Person, in reader: any ViewReader
    ) throws -> [Known] {
        let most = own.most(place: place, interest: interest)
        var best: [Known] = []
        var rest = found[...]
        while let next = rest.first {
            if best.count >= limit, best.prefix(limit).last.map({ next.score + most < $0.score }) ?? true { break }
            let some = rest.prefix(max(limit, 10))
            rest = rest.dropFirst(some.count)
            let people = try Profiles.people(some.map(\.user), in: SocialTies.profiles, reader)
            best += some.compactMap { one in
                let person = people[one.user] ?? Person()
                // Who has left reads nobody and writes nothing.
                return person.hasLeft
                    ? nil : Known(one, near: own.livesWhere(person), own.interests(inCommonWith: person))
            }
            best.sort { ($1.score, $0.found.user) < ($0.score, $1.found.user) }
        }
        return Array(best.prefix(limit))
    }

    /// A suggestion, with what the two say of themselves.
    private struct Known {
        var found: Suggestion<String>
        var isNear: Bool
        var common: Int
        var byPlace: Double
        var byInterests: Double
        var score: Double { found.score + byPlace + byInterests }

        init(_ found: Suggestion<String>, near isNear: Bool, _ common: Int) {
            (self.found, self.isNear, self.common) = (found, isNear, common)
            (byPlace, byInterests) = (isNear ? place : 0, interest * log(1 + Double(common)))
        }
    }

    private static func row(_ known: Known) -> Row {
        let (found, why) = (known.found, known.found.why)
        func whole(_ number: Double) -> Value { .integer(Int64(number)) }
        return [
            .text(found.user), .real(known.score), whole(why.followedByFollowees), whole(why.commonFollowees),
            whole(why.followedByFollowers), whole(why.followersFollowed), .real(why.adamicAdar),
            .real(why.resourceAllocation), .real(why.byUsersAlike),
            .real(why.byCofollowers), .real(why.walksOfThree), .real(why.walksOfFour), whole(why.followsBack),
            Value(why.degrees.followers), Value(why.degrees.followees), known.isNear ? 1 : 0,
            .integer(Int64(known.common)), .real(known.byPlace), .real(known.byInterests),
        ]
    }
}

/// Who is never suggested to a user: whom they follow, have blocked or muted, and who has blocked them.
final class Strangers {
    /// Rows that are read at once; where there are more, each candidate is looked up.
    private static let most = 1000

    private let user: String
    private let reader: any ViewReader
    private let hidden: Hidden
    private let followees: Set<PackedName>
    private let isWhole: Bool

    init(to user: String, in reader: any ViewReader) throws {
        (self.user, self.reader) = (user, reader)
        hidden = try Hidden(from: user, in: SocialTies.hidden, reader)
        let rows = try reader.rows(Scan(SocialTies.following, equal: [.text(user)], limit: Self.most))
        followees = Set(rows.compactMap { $0[1].text.flatMap { PackedName($0) } })
        isWhole = rows.count < Self.most
    }

    func include(_ other: PackedName) throws -> Bool {
        if followees.contains(other) { return true }
        let name = other.name
        if try hidden.hides(name) { return true }
        return try !isWhole && !reader.rows(SocialTies.following, keys: [[.text(user), .text(name)]]).isEmpty
    }
}
