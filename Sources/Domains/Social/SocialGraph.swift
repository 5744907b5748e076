internal import EventModel
internal import SwiftProtobuf

/// Who follows whom, who has blocked whom, and who has left.
struct SocialGraph: Projection {
    typealias Event = Acts
    static let name = "graph"
    /// 2: with who has left.
    static let version = 2
    static let about = "Who follows whom, who has blocked whom, and who has left."
    static let topics = Acts.topics
    static let tables = [follows, blocks, left]

    static let follows = Table(
        "social_follows", "One row a user and whom they follow.",
        key: [Column("user", .text), Column("followee", .text)], columns: [Column("followed_at", .timestamp)],
        indexes: [Index("followees", ["user", "followed_at"]), Index("followers", ["followee", "followed_at"])])
    static let blocks = Table(
        "social_blocks", "One row a user and whom they have blocked.",
        key: [Column("user", .text), Column("blocked", .text)], columns: [])
    static let left = Profiles.leavers("social_left")

    enum Follow {
        static let user = follows.text("user")
        static let followee = follows.text("followee")
    }

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) {
        switch event {
        case .told(let told): apply(told, at: place, to: view)
        case .profile(let profile): Profiles.foldLeaving(profile, into: Self.left, view)
        }
    }

    private func apply(_ event: SocialEvent.Kind, at place: EventPosition, to view: ViewBatch) {
        switch event {
        case .userFollowed(let e):
            view.put(Self.follows, [.text(e.user), .text(e.followee), Value(place.timestamp)])
        case .userUnfollowed(let e): view.delete(Self.follows, [.text(e.user), .text(e.followee)])
        case .userBlocked(let e): view.put(Self.blocks, [.text(e.user), .text(e.blocked)])
        case .userUnblocked(let e): view.delete(Self.blocks, [.text(e.user), .text(e.blocked)])
        default: break
        }
    }

    /// Followers or followees, the latest first, without those of whom either has blocked the other, and without who has left: such a
    /// follow is there still, and shows nothing.
    static func page(of user: String, followers: Bool, _ arguments: Arguments, _ reader: any ViewReader) throws -> Page
    {
        let scan = Scan(
            follows, by: followers ? "followers" : "followees", equal: [.text(user)], descending: true
        ).page(arguments)
        let page = try Page(of: scan, in: reader)
        let others = page.rows.map { $0.value(followers ? Follow.user : Follow.followee) }
        let keys = others.flatMap { [[.text(user), $0], [$0, .text(user)]] }
        let blocked = Set(try keys.isEmpty ? [] : reader.rows(blocks, keys: keys))
        let gone = try Profiles.leavers(among: others, in: left, reader)
        let rows = zip(page.rows, others).compactMap { row, other -> Row? in
            if gone.contains(other) { return nil }
            if blocked.contains([.text(user), other]) || blocked.contains([other, .text(user)]) { return nil }
            return [other, row[2]]
        }
        return Page(columns: [Column("user", .text), Column("followed_at", .timestamp)], rows: rows, next: page.next)
    }
}
