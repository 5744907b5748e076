internal import CivilCalendar
internal import EventModel
internal import JSONText

/// A tweet as some file has it: in the flat form of ``TweetLine``, as an object of Twitter's API version 1.1
/// (`created_at`, `id_str`, a nested `user`, `full_text` or `extended_tweet`, `retweeted_status`) or of version 2 (`data` with
/// `author_id` and `referenced_tweets`, `includes` with users and tweets).
struct ImportedTweet {
    var id: String
    var user: String
    var text: String
    var time: Timestamp
    var original: String?
    var owner: String?
    /// The tweet that it answers, and the one that it shows. One's own are left out: whether they are in the file is not known here,
    /// and of one's own they must be.
    var reply: Social.Original?
    var quote: Social.Original?

    init(_ line: ArraySlice<UInt8>) throws(Malformed) {
        guard let object = JSONValue(line), object.isObject else { throw Malformed("line", "is not a JSON object") }
        if let data = object["data"] {
            guard data.isObject else { throw Malformed("data", "is no object; write one tweet a line") }
            try self.init(v2: data, object["includes"] ?? .null)
        } else if object["author_id"] != nil {
            try self.init(v2: object, object["includes"] ?? .null)
        } else if object["user"]?.isObject == true {
            try self.init(v1: object)
        } else {
            try self.init(flat: object)
        }
    }

    private init(flat object: JSONValue) throws(Malformed) {
        id = try Self.id(object, "id_str", "id")
        user = try Self.text(object, "user", "screen_name", "s")
        if let whole = Self.optional(object, "full_text") { text = whole } else { text = try Self.text(object, "text") }
        time = try Self.time(object, "time", "t", "created_at")
        original = try Self.optionalID(object, "retweet_of", "rt")
        if original != nil {
            try setOwner(Self.optional(object, "owner"))
            return
        }
        let answered = Self.members(object["m"]).first { mention in
            object["rpu"]?.plain.map { $0 == Self.members(mention).dropFirst().first?.plain } ?? false
        }
        reply = named(Self.members(answered).first?.plain, try Self.optionalID(object, "rp"))
        let quoted = try Self.optionalID(object, "q")
        quote = quoted.flatMap { id in
            let ends = Self.members(object["ur"]).lazy.compactMap {
                $0.plain.flatMap { Self.author(ofLink: $0, to: id) }
            }
            return named(ends.first, id)
        }
    }

    /// Who wrote a tweet that a link leads to: `https://twitter.com/NAME/status/ID`.
    private static func author(ofLink link: String, to id: String) -> String? {
        let parts = link.split(separator: "/")
        guard let at = parts.firstIndex(of: "status"), at > 0, at + 1 < parts.count,
            parts[at + 1].prefix(while: \.isNumber) == id
        else { return nil }
        return String(parts[at - 1])
    }

    /// Another's tweet by both of its names; nil where one is missing or can be none.
    private func named(_ owner: String?, _ tweet: String?) -> Social.Original? {
        guard let owner, let tweet, (try? Social.check(handle: owner, "owner")) != nil,
            Social.handle(owner) != Social.handle(user),
            (try? Check.identifier(tweet, "tweet", atMost: SocialLimits.tweet)) != nil
        else { return nil }
        return Social.Original(owner: owner, tweet: tweet)
    }

    /// developer.x.com/en/docs/x-api/v1/data-dictionary/object-model/tweet
    private init(v1 object: JSONValue) throws(Malformed) {
        id = try Self.id(object, "id_str", "id")
        user = try Self.text(object["user"] ?? .null, "screen_name", of: "user")
        text = try Self.v1Text(object)
        time = try Self.time(object, "created_at")
        guard let original = object["retweeted_status"], original.isObject else {
            reply = named(
                Self.optional(object, "in_reply_to_screen_name"),
                try Self.optionalID(object, "in_reply_to_status_id_str", "in_reply_to_status_id"))
            if let quoted = object["quoted_status"], quoted.isObject {
                quote = named(
                    quoted["user"].flatMap { Self.optional($0, "screen_name") },
                    try Self.optionalID(quoted, "id_str", "id"))
            }
            return
        }
        self.original = try Self.id(original, "id_str", "id", of: "retweeted_status")
        text = try Self.v1Text(original)
        try setOwner(original["user"].flatMap { Self.optional($0, "screen_name") })
    }

    /// developer.x.com/en/docs/x-api/data-dictionary/object-model/tweet
    private init(v2 object: JSONValue, _ includes: JSONValue) throws(Malformed) {
        id = try Self.id(object, "id")
        user = try Self.author(object, includes)
        text = Self.unescaped(try Self.text(object, "text"))
        time = try Self.time(object, "created_at")
        guard
            let reference = Self.members(object["referenced_tweets"]).first(where: { $0["type"]?.plain == "retweeted" })
        else {
            (reply, quote) = (try referred(object, "replied_to", includes), try referred(object, "quoted", includes))
            return
        }
        let original = try Self.id(reference, "id", of: "referenced_tweets")
        self.original = original
        let known = Self.members(includes["tweets"]).first { $0["id"]?.plain == original } ?? reference
        var owner: String?
        if known["author_id"] != nil || known["author"] != nil { owner = try Self.author(known, includes) }
        try setOwner(owner)
        if let whole = Self.optional(known, "text") { text = Self.unescaped(whole) }
    }

    /// A tweet that one of version 2 refers to, where the line has it too: only that says who wrote it.
    private func referred(_ object: JSONValue, _ type: String, _ includes: JSONValue) throws(Malformed) -> Social
        .Original?
    {
        let references = Self.members(object["referenced_tweets"])
        guard let id = references.first(where: { $0["type"]?.plain == type })?["id"]?.plain,
            let known = Self.members(includes["tweets"]).first(where: { $0["id"]?.plain == id }),
            known["author_id"] != nil || known["author"] != nil
        else { return nil }
        return named(try Self.author(known, includes), id)
    }

    private mutating func setOwner(_ known: String?) throws(Malformed) {
        owner = known ?? TweetText.mentions(in: text).first?.name
        guard let owner else { throw Malformed("owner", "is missing, and the text of the retweet names nobody") }
        // A client's way to quote: what follows is the original's text.
        if let rest = Self.text(text, behind: "RT @\(owner): ") { text = rest }
    }

    private static func text(_ text: String, behind start: String) -> String? {
        guard text.utf8.count >= start.utf8.count,
            zip(text.utf8, start.utf8).allSatisfy({
                $0 == $1 || (65...90).contains($0 & 0xdf) && $0 | 0x20 == $1 | 0x20
            })
        else { return nil }
        return String(text.utf8.dropFirst(start.utf8.count))
    }

    // MARK: What the members say

    /// A tweet of over 140 characters has its whole text in one of two other places.
    private static func v1Text(_ object: JSONValue) throws(Malformed) -> String {
        if let whole = object["full_text"]?.plain ?? object[["extended_tweet", "full_text"]]?.plain {
            return unescaped(whole)
        }
        return unescaped(try text(object, "text"))
    }

    /// Twitter's API writes three signs as entities, which count as the one that they are.
    private static func unescaped(_ text: String) -> String {
        if !text.utf8.contains(UInt8(ascii: "&")) { return text }
        return text.replacing("&lt;", with: "<").replacing("&gt;", with: ">").replacing("&amp;", with: "&")
    }

    /// The handle of a tweet's author: by the users beside it, in it, or by the id where the line has no users.
    private static func author(_ object: JSONValue, _ includes: JSONValue) throws(Malformed) -> String {
        if let name = object[["author", "username"]]?.plain { return name }
        let id = try id(object, "author_id")
        let users = members(includes["users"])
        if users.isEmpty { return id }
        guard let name = users.first(where: { $0["id"]?.plain == id })?["username"]?.plain else {
            throw Malformed("author_id", "\(id.prefix(40)) is of none of the users in includes")
        }
        return name
    }

    private static func members(_ list: JSONValue?) -> [JSONValue] {
        if case .list(let values) = list { return values }
        return []
    }

    /// The first of these members that is there: text, or a number as it is written.
    private static func optional(_ object: JSONValue, _ names: String...) -> String? { value(object, names)?.plain }

    private static func value(_ object: JSONValue, _ names: [String]) -> JSONValue? {
        for name in names {
            switch object[name] {
            case .text(let text) where !text.isEmpty: return .text(text)
            case .number(let number): return .number(number)
            default: continue
            }
        }
        return nil
    }

    private static func text(_ object: JSONValue, _ names: String..., of parent: String? = nil) throws(Malformed)
        -> String
    {
        guard let value = value(object, names)?.plain else { throw missing(names, parent) }
        return value
    }

    private static func missing(_ names: [String], _ parent: String?) -> Malformed {
        Malformed((parent.map { "\($0)." } ?? "") + names.joined(separator: " or "), "is missing")
    }

    private static func id(_ object: JSONValue, _ names: String..., of parent: String? = nil) throws(Malformed)
        -> String
    {
        guard let id = try id(value(object, names), names) else {
            throw missing(names.count > 1 ? ["id"] : names, parent)
        }
        return id
    }

    private static func optionalID(_ object: JSONValue, _ names: String...) throws(Malformed) -> String? {
        try id(value(object, names), names)
    }

    /// Text as it is; a number as a whole one is written, digit by digit.
    private static func id(_ value: JSONValue?, _ names: [String]) throws(Malformed) -> String? {
        guard case .number(let number) = value else { return value?.plain }
        guard let whole = DecimalText(number)?.integer else {
            throw Malformed(
                names.last ?? "id", "is \(number.prefix(60)), not a whole number of at most 64 bits; write it as a text"
            )
        }
        return whole
    }

    /// `Wed Jan 01 00:00:00 +0000 2014`, and as mails have it.
    private static let patterns: [TimePattern] = ["%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S %z"]
        .compactMap { try? TimePattern($0) }

    /// Twitter counts in seconds, and in milliseconds.
    private static func sinceEpoch(_ text: String) -> Timestamp? {
        guard let (moment, unit) = DecimalText(text).flatMap(CivilTime.sinceEpoch),
            unit == .seconds || unit == .milliseconds
        else { return nil }
        return moment
    }

    private static func time(_ object: JSONValue, _ names: String...) throws(Malformed) -> Timestamp {
        let flat = names.count > 1 ? Array(names.dropLast()) : names
        guard let text = value(object, names)?.plain else { throw missing(flat, nil) }
        let time =
            CivilTime.civil(text) ?? sinceEpoch(text)
            ?? patterns.lazy.compactMap { $0.moment(text) }.first
        guard let time, Timestamp.calendar.contains(time) else {
            throw Malformed(
                "time", "is \(text.prefix(40)), neither RFC 3339 nor seconds since 1970")
        }
        return time
    }
}
