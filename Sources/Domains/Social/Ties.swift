internal import EventModel
internal import Learning
internal import SwiftProtobuf

/// Whom each user follows and who follows them, packed so that a suggestion reads few rows.
///
/// A row has the latest ties alone: a user with a million followers costs a suggestion what one with ``kept`` costs. How many there
/// are in all is counted beside.
struct SocialTies: Projection {
    typealias Event = Acts
    static let name = "ties"
    /// 2: with what people say of themselves. 3: with who names which interest, and how many ties a row stands for.
    static let version = 3
    static let about = "The latest follows of each user, for suggestions."
    static let topics = Acts.topics
    static let tables = [ties, degrees, following, hidden, profiles, interested]

    /// Handles that a row keeps; older ones are forgotten.
    static let kept = 200

    static let ties = Table(
        "social_ties", "The latest ties of a user: rows of followers are by the partition of who follows.",
        key: [
            Column("user", .text), Column("direction", .text, "followees or followers"), Column("partition", .integer),
        ],
        columns: [
            Column("others", .text, "handles, the latest last"),
            Column("count", .integer, "of all, also of those that are forgotten"),
        ])
    static let degrees = Table(
        "social_degrees", "One row a user: how many follow, and are followed.", key: [Column("user", .text)],
        columns: [Column("followers", .integer), Column("followees", .integer)],
        indexes: [Index("followers", ["followers"])])
    static let following = Table(
        "social_following", "One row a user and whom they follow.",
        key: [Column("user", .text), Column("followee", .text)], columns: [])
    static let hidden = Timelines.hiding("social_strangers")
    static let profiles = Profiles.table("social_tied_profiles")
    static let interested = Table(
        "social_interested", "One row an interest and who names it.",
        key: [Column("interest", .text, "as one word, folded"), Column("user", .text)], columns: [])

    enum Tie {
        static let direction = ties.text("direction")
        static let others = ties.text("others")
        static let count = ties.integer("count")
    }
    enum Degree {
        static let user = degrees.text("user")
        static let followers = degrees.integer("followers")
        static let followees = degrees.integer("followees")
    }

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        switch event {
        case .profile(let profile):
            try index(profile, in: view)
            Profiles.fold(profile, into: Self.profiles, view)
        case .told(let told): try apply(told, at: place, to: view)
        }
    }

    private func apply(_ event: SocialEvent.Kind, at place: EventPosition, to view: ViewBatch) throws {
        switch event {
        case .userFollowed(let e):
            try change(e.user, e.followee, by: 1, place, view) { others, other in Self.adding(other, to: others) }
            view.put(Self.following, [.text(e.user), .text(e.followee)])
            view.add(Self.degrees, [.text(e.user)], [0, 1])
            view.add(Self.degrees, [.text(e.followee)], [1, 0])
        case .userUnfollowed(let e):
            try change(e.user, e.followee, by: -1, place, view) { others, other in Self.removing(other, from: others) }
            view.delete(Self.following, [.text(e.user), .text(e.followee)])
            view.add(Self.degrees, [.text(e.user)], [0, -1])
            view.add(Self.degrees, [.text(e.followee)], [-1, 0])
        default: Timelines.hide(event, in: Self.hidden, view)
        }
    }

    private func change(
        _ user: String, _ followee: String, by step: Int64, _ place: EventPosition, _ view: ViewBatch,
        _ change: (String, String) -> String
    ) throws {
        for (one, direction, other) in [(user, "followees", followee), (followee, "followers", user)] {
            let key: Row = [.text(one), .text(direction), Value(place.partition)]
            let row = try view.row(Self.ties, key)
            let (others, count) = (change(row?[Tie.others] ?? "", other), (row?[Tie.count] ?? 0) + step)
            if count <= 0 {
                view.delete(Self.ties, key)
            } else {
                view.put(Self.ties, key + [.text(others), .integer(count)])
            }
        }
    }

    /// Interests that a profile names no more go, and those that it names now come. The rows are of one user, as the profile is.
    private func index(_ profile: SocialProfileEvent.Kind, in view: ViewBatch) throws {
        let (user, person) =
            switch profile {
            case .profileTold(let e): (e.user, Person(location: "", interests: e.interests, about: ""))
            case .accountLeft(let e): (e.user, Person(hasLeft: true))
            }
        let before = try view.row(Self.profiles, [.text(user)]).map(Person.init)?.interests ?? []
        for gone in before.subtracting(person.interests) { view.delete(Self.interested, [.text(gone), .text(user)]) }
        for new in person.interests.subtracting(before) { view.put(Self.interested, [.text(new), .text(user)]) }
    }

    static func adding(_ other: String, to others: String) -> String {
        var names = others.isEmpty ? [] : others.utf8.split(separator: UInt8(ascii: " "))
        if names.count >= kept { names.removeFirst(names.count - kept + 1) }
        guard let first = names.first else { return other }
        return String(others[first.startIndex...]) + " " + other
    }

    static func removing(_ other: String, from others: String) -> String {
        others.split(separator: " ").filter { $0 != other }.joined(separator: " ")
    }
}

/// The follow graph as a view shows it.
struct TiesGraph: FollowGraph {
    let reader: any ViewReader
    /// Candidates of the user who is asked for beside the popular.
    var known: [PackedName] = []

    /// The row of a user's ties says how many there are: one scan has it all.
    func ties(of user: PackedName, atMost limit: Int) throws -> Ties<PackedName> {
        var ties = Ties<PackedName>()
        var followers: [String] = []
        for row in try reader.rows(Scan(SocialTies.ties, equal: [.text(user.name)])) {
            let (others, count) = (row[SocialTies.Tie.others] ?? "", Int(row[SocialTies.Tie.count] ?? 0))
            if row[SocialTies.Tie.direction] == "followees" {
                ties.followees = PackedName.last(limit, of: others)
                ties.degrees.followees += count
            } else {
                followers.append(others)
                ties.degrees.followers += count
            }
        }
        // Each partition's are in their order; of all together some of each are taken.
        let share = max(1, limit / max(1, followers.count))
        ties.followers = followers.flatMap { PackedName.last(share, of: $0) }
        return ties
    }

    func degrees(of users: [PackedName]) throws -> [Degrees] {
        let rows = try users.isEmpty ? [] : reader.rows(SocialTies.degrees, keys: users.map { [.text($0.name)] })
        var found: [PackedName: Degrees] = [:]
        for row in rows {
            guard let user = row[SocialTies.Degree.user].flatMap({ PackedName($0) }) else { continue }
            found[user] = Degrees(
                followers: Int(row[SocialTies.Degree.followers] ?? 0),
                followees: Int(row[SocialTies.Degree.followees] ?? 0))
        }
        return users.map { found[$0] ?? Degrees() }
    }

    func popular(atMost limit: Int) throws -> [PackedName] {
        let popular = try most(limit).filter { !known.contains($0) }
        return known + popular
    }

    private func most(_ limit: Int) throws -> [PackedName] {
        try reader.rows(Scan(SocialTies.degrees, by: "followers", descending: true, limit: limit))
            .compactMap { row in
                (row[SocialTies.Degree.followers] ?? 0) > 0
                    ? row[SocialTies.Degree.user].flatMap { PackedName($0) } : nil
            }
    }
}

extension TiesGraph {
    /// Interests of a user that people are looked for by, and those of each who are looked at: the first by name.
    static let interests = 8
    static let looked = 200
    /// Of whom so many are candidates, and as many of the popular who name one of the interests.
    static let famous = 10

    /// Who is well known among those who share an interest with a user: of each interest those with the most followers, among the
    /// first by name; and of all interests together, among those with the most followers of everybody.
    func famous(for person: Person) throws -> [PackedName] {
        var famous: [PackedName] = []
        var seen: Set<PackedName> = []
        func add(_ some: some Sequence<PackedName>) {
            for one in some.prefix(Self.famous) where seen.insert(one).inserted { famous.append(one) }
        }
        let interests = person.interests.sorted().prefix(Self.interests)
        if interests.isEmpty { return [] }
        let popular = try most(Self.looked)
        let people = try Profiles.people(popular.map(\.name), in: SocialTies.profiles, reader)
        add(popular.lazy.filter { people[$0.name].map { !$0.interests.isDisjoint(with: interests) } ?? false })
        for interest in interests {
            let rows = try reader.rows(Scan(SocialTies.interested, equal: [.text(interest)], limit: Self.looked))
            let some = rows.compactMap { $0[1].text.flatMap { PackedName($0) } }
            let ranked = zip(some, try degrees(of: some)).filter { $1.followers > 0 }
                .sorted { ($1.1.followers, $0.0) < ($0.1.followers, $1.0) }
            add(ranked.lazy.map(\.0))
        }
        return famous
    }
}
