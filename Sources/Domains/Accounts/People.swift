internal import EventModel
internal import SwiftProtobuf

/// Who there is, what they say of themselves, their sessions, and when they signed in.
struct People: Projection {
    typealias Event = Only<AccountsEvent>
    static let name = "people"
    static let version = 1
    static let about = "Users with their profiles, their sessions, and the hours in which they signed in."
    static let topics = ["accounts.events"]
    static let tables = [profiles, sessions, logins]

    static let profiles = Table(
        "accounts_profiles", "One row a user.", key: [Column("user", .text, "the name, in lower case")],
        columns: [
            Column("first_name", .text), Column("last_name", .text), Column("location", .text),
            Column("interests", .text, "with commas between"), Column("about", .text),
            Column("registered_at", .timestamp), Column("changed_at", .timestamp, "when the profile was last said"),
            Column("deactivated_at", .timestamp),
            Column("credential", .text, "under which name the store of credentials has what checks the password"),
        ])
    static let sessions = Table(
        "accounts_sessions", "One row a session.", key: [Column("user", .text), Column("session", .text)],
        columns: [
            Column("opened_at", .timestamp), Column("expires_at", .timestamp), Column("closed_at", .timestamp),
            Column("closed", .integer, "1 once it was closed, else 0"),
        ],
        indexes: [Index("opened", ["user", "opened_at"]), Index("closed", ["closed", "expires_at"])])
    static let logins = Table(
        "accounts_logins", "One row a user and hour in which they signed in.",
        key: [Column("user", .text), Column("hour", .integer, "since 1970 UTC")],
        columns: [Column("logins", .integer)])

    enum User {
        static let firstName = profiles.text("first_name")
        static let lastName = profiles.text("last_name")
        static let location = profiles.text("location")
        static let interests = profiles.text("interests")
        static let about = profiles.text("about")
        static let changedAt = profiles.timestamp("changed_at")
        static let deactivatedAt = profiles.timestamp("deactivated_at")
        static let credential = profiles.text("credential")
    }
    enum Session {
        static let user = sessions.text("user")
        static let closedAt = sessions.timestamp("closed_at")
        static let closed = sessions.integer("closed")
    }
    enum Login {
        static let user = logins.text("user")
        static let hour = logins.integer("hour")
        static let count = logins.integer("logins")
    }

    static let hour: Int64 = 3_600_000

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) throws {
        let now = Value(place.timestamp)
        switch event {
        case .userRegistered(let e):
            view.put(
                Self.profiles,
                [
                    .text(e.user), .text(e.firstName), .text(e.lastName), .text(e.location),
                    .text(e.interests.joined(separator: ",")), .text(e.about), now, now, .null, .text(e.credential),
                ])
        case .profileChanged(let e):
            try view.update(Self.profiles, [.text(e.user)]) { row in
                row[User.firstName] = e.firstName
                row[User.lastName] = e.lastName
                row[User.location] = e.location
                row[User.interests] = e.interests.joined(separator: ",")
                row[User.about] = e.about
                row[User.changedAt] = place.timestamp
            }
        case .passwordChanged(let e):
            try view.update(Self.profiles, [.text(e.user)]) { $0[User.credential] = e.credential }
        case .sessionOpened(let e):
            view.put(
                Self.sessions,
                [.text(e.user), .text(e.session), now, Value(Timestamp(e.expiresAt)), .null, 0])
            let hour = place.timestamp.rawValue.dividedDown(by: Self.hour)
            view.add(Self.logins, [.text(e.user), .integer(hour)], [1])
        case .sessionClosed(let e):
            try view.update(Self.sessions, [.text(e.user), .text(e.session)]) { row in
                row[Session.closedAt] = place.timestamp
                row[Session.closed] = 1
            }
        case .userDeactivated(let e):
            try view.update(Self.profiles, [.text(e.user)]) { $0[User.deactivatedAt] = place.timestamp }
        }
    }
}

extension Int64 {
    /// The quotient towards the past: also before 1970 an hour is as long as any other.
    func dividedDown(by unit: Int64) -> Int64 { self >= 0 ? self / unit : (self - unit + 1) / unit }
}
