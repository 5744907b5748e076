internal import EventModel
internal import Learning

extension Query {
    private static let whose = RequiredParameter<String>("user", "the user's handle")

    static let suggestions = Query(
        "social.suggestions", "Whom a user might follow, the likeliest first, and why in numbers.", of: "social.ties",
        [whose], page: 10
    ) { arguments, reader in
        let user = try arguments[whose]
        try Social.check(handle: user, "user")
        if arguments.cursor != nil {
            throw Malformed("cursor", "is not taken: ask for more with --limit, up to \(ReadSuggestions.most)")
        }
        return try ReadSuggestions.page(for: Social.handle(user), limit: arguments.limit, in: reader)
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
    ]

    static func page(for user: String, limit: Int, in reader: any ViewReader) throws -> Page {
        let strangers = try Strangers(to: user, in: reader)
        let found = try Suggester.learned.suggestions(
            for: user, in: TiesGraph(reader: reader), limit: min(limit, most), excluding: strangers.include)
        return Page(columns: columns, rows: found.map(row))
    }

    private static func row(_ found: Suggestion<String>) -> Row {
        let why = found.why
        func whole(_ number: Double) -> Value { .integer(Int64(number)) }
        return [
            .text(found.user), .real(found.score), whole(why.followedByFollowees), whole(why.commonFollowees),
            whole(why.followedByFollowers), whole(why.followersFollowed), .real(why.adamicAdar),
            .real(why.resourceAllocation), .real(why.byUsersAlike),
            .real(why.byCofollowers), .real(why.walksOfThree), .real(why.walksOfFour), whole(why.followsBack),
            Value(why.degrees.followers), Value(why.degrees.followees),
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
    private let followees: Set<String>
    private let isWhole: Bool

    init(to user: String, in reader: any ViewReader) throws {
        (self.user, self.reader) = (user, reader)
        hidden = try Hidden(from: user, in: SocialTies.hidden, reader)
        let rows = try reader.rows(Scan(SocialTies.following, equal: [.text(user)], limit: Self.most))
        followees = Set(rows.compactMap { $0[1].text })
        isWhole = rows.count < Self.most
    }

    func include(_ other: String) throws -> Bool {
        if followees.contains(other) { return true }
        if try hidden.hides(other) { return true }
        return try !isWhole && !reader.rows(SocialTies.following, keys: [[.text(user), .text(other)]]).isEmpty
    }
}
