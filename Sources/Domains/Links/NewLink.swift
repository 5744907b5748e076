internal import EventModel
internal import JSONText

/// A link as `POST /links` is asked for one.
struct NewLink {
    let owner: String
    let url: WebURL
    let alias: String?
    let isFresh: Bool
    var terms = Terms()
    /// It goes no further than to its hash.
    let password: String?

    private static let members = [
        "url", "owner", "alias", "fresh", "title", "tags", "password", "clickLimit", "activeFrom", "activeUntil", "utm",
    ]
    private static let campaign = ["source", "medium", "campaign", "term", "content"]
    private static let longestPassword = 1024

    /// - Parameter subject: Who asks, where that is known.
    init(_ json: String, subject: String?) throws(Malformed) {
        guard let value = JSONValue(Array(json.utf8)[...]), case .object(let all) = value else {
            throw Malformed("body", "is no JSON object, for example {\"url\":\"https://example.com/\"}")
        }
        if let other = all.first(where: { !Self.members.contains($0.name) }) {
            throw Malformed(other.name, Nearest.notA("member", of: "a link", other.name, among: Self.members))
        }
        if Set(all.map(\.name)).count < all.count { throw Malformed("body", "has a member twice") }
        owner = try Self.text("owner", value) ?? subject ?? ""
        alias = try Self.text("alias", value)
        password = try Self.text("password", value)
        if let password, password.isEmpty || password.utf8.count > Self.longestPassword {
            throw Malformed("password", "must have 1 to \(Self.longestPassword) bytes")
        }
        switch value["fresh"] {
        case nil, .null: isFresh = false
        case .bool(let said): isFresh = said
        default: throw Malformed("fresh", "must be true or false")
        }
        url = try Self.url(value)
        terms.title = try Self.text("title", value) ?? ""
        if case .list(let tags)? = value["tags"] {
            for tag in tags {
                guard case .text(let text) = tag else { throw Malformed("tags", "must be texts") }
                terms.tags.append(text)
            }
        } else if !Self.isMissing("tags", value) {
            throw Malformed("tags", "must be a list of texts")
        }
        if !Self.isMissing("clickLimit", value), let limit = value["clickLimit"] {
            guard case .number(let digits) = limit, let number = Int64(digits) else {
                throw Malformed("clickLimit", "must be a whole number")
            }
            terms.clickLimit = number
        }
        terms.from = try Self.moment("activeFrom", value)
        terms.until = try Self.moment("activeUntil", value)
    }

    /// The member that a field of the command comes from: its terms are not apart here.
    static func member(_ field: String) -> String {
        let terms = "terms."
        return field.hasPrefix(terms) ? String(field.dropFirst(terms.count)) : field
    }

    private static func text(_ name: String, _ value: JSONValue) throws(Malformed) -> String? {
        switch value[name] {
        case nil, .null: return nil
        case .text(let text): return text
        default: throw Malformed(name, "must be a text")
        }
    }

    private static func moment(_ name: String, _ value: JSONValue) throws(Malformed) -> Timestamp? {
        guard let text = try text(name, value) else { return nil }
        guard let moment = Timestamp(rfc3339: text) else {
            throw Malformed(name, "is \(text), it must be a moment such as 2026-12-24T19:30:00Z")
        }
        let fraction = text.split(separator: ".").dropFirst().first?.prefix { $0.isNumber } ?? ""
        if fraction.dropFirst(3).contains(where: { $0 != "0" }) {
            throw Malformed(name, "has a fraction of a millisecond")
        }
        return moment
    }

    /// A member that is null is as one that is not there.
    private static func isMissing(_ name: String, _ value: JSONValue) -> Bool {
        switch value[name] {
        case nil, .null: true
        default: false
        }
    }

    /// The URL, with what a campaign puts to its query (support.google.com/analytics, URL builders).
    private static func url(_ value: JSONValue) throws(Malformed) -> WebURL {
        let url = try WebURL(try text("url", value) ?? "")
        guard !isMissing("utm", value), let utm = value["utm"] else { return url }
        guard case .object(let members) = utm else { throw Malformed("utm", "must be an object") }
        var pairs = (url.query ?? "").split(separator: "&").map(String.init)
        for member in members {
            guard campaign.contains(member.name), case .text(let text) = member.value else {
                throw Malformed("utm.\(member.name)", "must be one of \(campaign.joined(separator: ", ")), and a text")
            }
            pairs.removeAll { $0 == "utm_\(member.name)" || $0.hasPrefix("utm_\(member.name)=") }
            if !text.isEmpty { pairs.append("utm_\(member.name)=\(formEscaped(text))") }
        }
        let query = pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&")
        return try WebURL(
            (url.isSecure ? "https" : "http") + "://\(url.authority)\(url.path)\(query)"
                + (url.fragment.map { "#\($0)" } ?? ""))
    }

    /// As forms write a value (url.spec.whatwg.org, section 5.2).
    private static func formEscaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "*"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"):
                out.append(byte)
            case UInt8(ascii: " "): out.append(UInt8(ascii: "+"))
            default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
