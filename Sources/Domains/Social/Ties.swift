internal import EventModel
internal import Learning
internal import SwiftProtobuf

/// Whom each user follows and who follows them, packed so that a suggestion reads few rows.
///
/// A row has the latest ties alone: a user with a million followers costs a suggestion what one with ``kept`` costs. How many there
/// are in all is counted beside.
struct SocialTies: Projection {
    /// What the two topics carry.
    enum Event: Readable {
        enum Content: Sendable {
            case told(SocialEvent.Kind)
            case profile(SocialProfileEvent.Kind)
        }
        static func content(of bytes: Bytes, in topic: String) throws(Undecodable) -> Content? {
            if topic == "social.profiles" { return try SocialProfileEvent.kind(in: bytes).map(Content.profile) }
            return try SocialEvent.kind(in: bytes).map(Content.told)
        }
    }

    static let name = "ties"
    /// 2: with what people say of themselves.
    static let version = 2
    static let about = "The latest follows of each user, for suggestions."
    static let topics = ["social.events", "social.profiles"]
    static let tables = [ties, degrees, following, hidden, profiles]

    /// Handles that a row keeps; older ones are forgotten.
    static let kept = 200

    static let ties = Table(
        "social_ties", "The latest ties of a user: rows of followers are by the partition of who follows.",
        key: [
            Column("user", .text), Column("direction", .text, "followees or followers"), Column("partition", .integer),
        ],
        columns: [Column("others", .text, "handles, the latest last")])
    static let degrees = Table(
        "social_degrees", "One row a user: how many follow, and are followed.", key: [Column("user", .text)],
        columns: [Column("followers", .integer), Column("followees", .integer)],
        indexes: [Index("followers", ["followers"])])
    static let following = Table(
        "social_following", "One row a user and whom they follow.",
        key: [Column("user", .text), Column("followee", .text)], columns: [])
    static let hidden = Timelines.hiding("social_strangers")
    static let profiles = Profiles.table("social_tied_profiles")

    enum Tie {
        static let direction = ties.text("direction")
        static let others = ties.text("others")
    }
    enum Degree {
        static let user = degrees.text("user")
        static let followers = degrees.integer("followers")
        static let followees = degrees.integer("followees")
    }

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        switch event {
        case .profile(let profile): Profiles.fold(profile, into: Self.profiles, view)
        case .told(let told): try apply(told, at: place, to: view)
        }
    }

    private func apply(_ event: SocialEvent.Kind, at place: EventPosition, to view: ViewBatch) throws {
        switch event {
        case .userFollowed(let e):
            try change(e.user, e.followee, place, view) { others, other in Self.adding(other, to: others) }
            view.put(Self.following, [.text(e.user), .text(e.followee)])
            view.add(Self.degrees, [.text(e.user)], [0, 1])
            view.add(Self.degrees, [.text(e.followee)], [1, 0])
        case .userUnfollowed(let e):
            try change(e.user, e.followee, place, view) { others, other in Self.removing(other, from: others) }
            view.delete(Self.following, [.text(e.user), .text(e.followee)])
            view.add(Self.degrees, [.text(e.user)], [0, -1])
            view.add(Self.degrees, [.text(e.followee)], [-1, 0])
        default: Timelines.hide(event, in: Self.hidden, view)
        }
    }

    private func change(
        _ user: String, _ followee: String, _ place: EventPosition, _ view: ViewBatch,
        _ change: (String, String) -> String
    ) throws {
        for (one, direction, other) in [(user, "followees", followee), (followee, "followers", user)] {
            let key: Row = [.text(one), .text(direction), Value(place.partition)]
            let others = change(try view.row(Self.ties, key)?[Tie.others] ?? "", other)
            if others.isEmpty { view.delete(Self.ties, key) } else { view.put(Self.ties, key + [.text(others)]) }
        }
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

    func ties(of user: String, atMost limit: Int) throws -> Ties<String> {
        var ties = Ties<String>()
        var followers: [[Substring]] = []
        for row in try reader.rows(Scan(SocialTies.ties, equal: [.text(user)])) {
            let others = (row[SocialTies.Tie.others] ?? "").split(separator: " ")
            if row[SocialTies.Tie.direction] == "followees" {
                ties.followees = others.suffix(limit).map(String.init)
            } else {
                followers.append(others)
            }
        }
        // Each partition's are in their order; of all together some of each are taken.
        let share = max(1, limit / max(1, followers.count))
        ties.followers = followers.flatMap { $0.suffix(share).map(String.init) }
        ties.degrees = try degrees(of: [user])[0]
        return ties
    }

    func degrees(of users: [String]) throws -> [Degrees] {
        let rows = try users.isEmpty ? [] : reader.rows(SocialTies.degrees, keys: users.map { [.text($0)] })
        var found: [String: Degrees] = [:]
        for row in rows {
            found[row[SocialTies.Degree.user] ?? ""] = Degrees(
                followers: Int(row[SocialTies.Degree.followers] ?? 0),
                followees: Int(row[SocialTies.Degree.followees] ?? 0))
        }
        return users.map { found[$0] ?? Degrees() }
    }

    func popular(atMost limit: Int) throws -> [String] {
        try reader.rows(Scan(SocialTies.degrees, by: "followers", descending: true, limit: limit))
            .compactMap { row in
                (row[SocialTies.Degree.followers] ?? 0) > 0 ? row[SocialTies.Degree.user] : nil
            }
    }
}
