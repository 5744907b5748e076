internal import EventModel
internal import Foundation
internal import SwiftProtobuf

extension SocialAccountEvent: Envelope {}
extension SocialProfileEvent: Envelope {}

/// What people say of themselves elsewhere, told on as events of this domain: `accounts.events` is read by its name and by a shape that is
/// declared here, so that neither domain knows the other.
enum Profiles: Reaction {
    typealias Event = SocialAccountEvent
    static let name = "profiles"
    static let topic = "accounts.events"

    static func react(to event: Event.Kind, at place: EventPosition) -> [Emission] {
        switch event {
        case .userRegistered(let e), .profileChanged(let e):
            [
                emission(
                    e.user, "ProfileTold",
                    .profileTold(
                        .with {
                            ($0.user, $0.location, $0.interests, $0.about) = (e.user, e.location, e.interests, e.about)
                        }))
            ]
        case .userDeactivated(let e):
            [emission(e.user, "AccountLeft", .accountLeft(.with { $0.user = e.user }))]
        }
    }

    private static func emission(_ user: String, _ type: String, _ event: SocialProfileEvent.Kind) -> Emission {
        Emission(topic: "social.profiles", key: Bytes(user), value: SocialProfileEvent.bytes(event), type: type)
    }

    /// A table of what people say of themselves: each view that ranks by it has its own.
    static func table(_ name: String) -> Table {
        Table(
            name, "One row a user who has said something of themselves, or has left.", key: [Column("user", .text)],
            columns: [
                Column("place", .text, "where they live, up to the first comma, folded as words of a search"),
                Column("interests", .text, "each as one word, folded, with spaces between"),
                Column("words", .text, "what they say about themselves: words, and pairs of them as one"),
                Column("tags", .text, "their interests as hashtags"), Column("has_left", .integer),
            ])
    }

    /// Folds an event into such a table.
    static func fold(_ event: SocialProfileEvent.Kind, into table: Table, _ view: ViewBatch) {
        switch event {
        case .profileTold(let e):
            let person = Person(location: e.location, interests: e.interests, about: e.about)
            view.put(table, [.text(e.user)] + person.row)
        case .accountLeft(let e): view.put(table, [.text(e.user)] + Person(hasLeft: true).row)
        }
    }

    /// A table of who has left: each view that lists people has its own. A name is not given again, so nobody comes back.
    static func leavers(_ name: String) -> Table {
        Table(name, "One row a user who has left.", key: [Column("user", .text)], columns: [])
    }

    /// Folds an event into such a table.
    static func foldLeaving(_ event: SocialProfileEvent.Kind, into table: Table, _ view: ViewBatch) {
        if case .accountLeft(let e) = event { view.put(table, [.text(e.user)]) }
    }

    /// Those of some users who have left.
    static func leavers(among users: [Value], in table: Table, _ reader: any ViewReader) throws -> Set<Value> {
        Set(try users.isEmpty ? [] : reader.rows(table, keys: users.map { [$0] }).map { $0[0] })
    }

    /// What is known of some users, by their names.
    static func people(_ users: [String], in table: Table, _ reader: any ViewReader) throws -> [String: Person] {
        if users.isEmpty { return [:] }
        return try reader.rows(table, keys: users.map { [.text($0)] }).reduce(into: [:]) {
            $0[$1[0].text ?? ""] = Person($1)
        }
    }
}

/// What a view is folded from that lists people: what they do, and that they leave.
enum Acts: Readable {
    enum Content: Sendable {
        case told(SocialEvent.Kind)
        case profile(SocialProfileEvent.Kind)
    }
    static let topics = ["social.events", "social.profiles"]
    static func content(of bytes: Bytes, in topic: String) throws(Undecodable) -> Content? {
        if topic == "social.profiles" { return try SocialProfileEvent.kind(in: bytes).map(Content.profile) }
        return try SocialEvent.kind(in: bytes).map(Content.told)
    }
}

/// What is known of a user, as far as it brings people together.
struct Person: Hashable, Sendable {
    /// Words of what one says about oneself that are looked at, from the beginning.
    static let words = 50

    private(set) var place = ""
    private(set) var interests: Set<String> = []
    private(set) var words: Set<String> = []
    /// Interests as hashtags would be: in lower case, without spaces.
    private(set) var tags: [String] = []
    private(set) var hasLeft = false

    init(hasLeft: Bool = false) { self.hasLeft = hasLeft }

    init(location: String, interests: [String], about: String) {
        place = Self.words(of: String(location.prefix { $0 != "," })).joined(separator: " ")
        self.interests = Set(interests.map { Self.words(of: $0).joined() }.filter { !$0.isEmpty })
        let words = Self.words(of: about).prefix(Self.words)
        self.words = Set(words).union(zip(words, words.dropFirst()).map { $0 + $1 })
        for interest in interests {
            let tag = Check.composed(interest.lowercased().filter { !$0.isWhitespace })
            if !tag.isEmpty, !tags.contains(tag) { tags.append(tag) }
        }
    }

    /// As ``Profiles/table(_:)`` keeps it.
    init(_ row: Row) {
        func list(_ value: Value) -> [String] { (value.text ?? "").split(separator: " ").map(String.init) }
        place = row[1].text ?? ""
        (interests, words, tags) = (Set(list(row[2])), Set(list(row[3])), list(row[4]))
        hasLeft = row[5].integer == 1
    }
    var row: Row {
        func joined(_ words: some Sequence<String>) -> Value { .text(words.joined(separator: " ")) }
        return [.text(place), joined(interests.sorted()), joined(words.sorted()), joined(tags), hasLeft ? 1 : 0]
    }

    private static func words(of text: String) -> [String] {
        SearchText.tokens(of: text).map(\.term).filter { !$0.hasPrefix("#") && !$0.hasPrefix("@") }
    }

    /// What somebody else's profile can add at most to how near the two are.
    func most(place: Double, interest: Double) -> Double {
        let common = interests.count + words.count
        return (self.place.isEmpty ? 0 : place) + interest * log(1 + Double(common))
    }

    /// Whether both say where they live, and it is called the same.
    func livesWhere(_ other: Person) -> Bool { !place.isEmpty && place == other.place }

    /// How many interests the two have in common: what one names as one, and the other as one too or in what they say about themselves.
    func interests(inCommonWith other: Person) -> Int {
        let named = interests.filter { other.interests.contains($0) || other.words.contains($0) }
        return named.union(other.interests.filter(words.contains)).count
    }
}
