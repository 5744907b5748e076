internal import EventModel
internal import HTTPTypes
internal import NIOHTTP1
internal import NIOHTTPTypesHTTP1

/// The head of a request as it was parsed, of which nothing matters but its path and a few fields.
struct PlainHead {
    enum Kind: String { case get = "GET", head = "HEAD", post = "POST" }
    let kind: Kind
    /// The path and the query.
    let target: String
    /// Nil where the client does not say.
    private(set) var host: String?
    private(set) var accept: String?
    private(set) var ifNoneMatch: String?
    /// Of what a POST brings: how many bytes it has, and of what type it is.
    private(set) var contentLength: Int?
    private(set) var contentType: String?
    private let headers: HTTPHeaders

    var method: String { kind.rawValue }
    var isHead: Bool { kind == .head }

    /// Nil where it wants more than an answer, where it says who asks or which page does, or where a field that matters is there twice: all
    /// that is for those who look at everything. A body is plain where its length is said, and it is not packed.
    init?(_ head: HTTPRequestHead) {
        switch head.method {
        case .GET: kind = .get
        case .HEAD: kind = .head
        case .POST: kind = .post
        default: return nil
        }
        if head.uri.utf8.first != UInt8(ascii: "/") { return nil }
        (target, headers) = (head.uri, head.headers)
        for (name, value) in head.headers where !take(name, value) { return nil }
    }

    /// Names are told apart by their length first, for most are none of these.
    private mutating func take(_ name: String, _ value: String) -> Bool {
        switch name.utf8.count {
        case 4: if Self.same(name, "host") { return Self.set(&host, value) }
        case 6:
            if Self.same(name, "accept") { return Self.set(&accept, value) }
            return !Self.same(name, "expect") && !Self.same(name, "origin")
        case 7: return !Self.same(name, "upgrade")
        case 10: if Self.same(name, "connection") { return Self.same(value, "keep-alive") }
        case 11: return !Self.same(name, "traceparent")
        case 12: if kind == .post, Self.same(name, "content-type") { return Self.set(&contentType, value) }
        case 13:
            if Self.same(name, "if-none-match") { return Self.set(&ifNoneMatch, value) }
            return !Self.same(name, "authorization")
        case 14:
            if !Self.same(name, "content-length") { return true }
            if kind != .post || contentLength != nil { return false }
            contentLength = Int(value)
            return contentLength != nil
        case 16: return kind != .post || !Self.same(name, "content-encoding")
        case 17: return !Self.same(name, "transfer-encoding")
        default: break
        }
        return true
    }

    /// Sets a field that is there once, and of ASCII.
    private static func set(_ field: inout String?, _ value: String) -> Bool {
        if field != nil || !isASCII(value) { return false }
        field = value
        return true
    }

    private static func isASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }

    /// Whether a text is a word of small letters, digits and hyphens, in whatever case.
    static func same(_ text: String, _ word: StaticString) -> Bool {
        if text.utf8.count != word.utf8CodeUnitCount { return false }
        var at = word.utf8Start
        for byte in text.utf8 {
            if (0x41...0x5a).contains(byte) ? byte | 0x20 != at.pointee : byte != at.pointee { return false }
            at += 1
        }
        return true
    }

    /// A field as routes are given it: where it is there more than once, with commas between.
    func field(_ field: RouteField) -> String? {
        switch field {
        case .accept: return accept
        case .ifNoneMatch: return ifNoneMatch
        case .userAgent: return one("user-agent", HTTPField.Name(field))
        case .referer: return one("referer", HTTPField.Name(field))
        case .purpose: return one("purpose", HTTPField.Name(field))
        case .secPurpose: return one("sec-purpose", HTTPField.Name(field))
        case .acceptLanguage: return one("accept-language", HTTPField.Name(field))
        case .idempotencyKey: return one("idempotency-key", HTTPField.Name(field))
        }
    }

    private func one(_ word: StaticString, _ name: @autoclosure () -> HTTPField.Name) -> String? {
        var found: String?
        for header in headers where Self.same(header.name, word) {
            if found != nil { return fields[name()] }
            found = header.value
        }
        guard let found else { return nil }
        return Self.isASCII(found) ? found : fields[name()]
    }

    func cookie(_ name: String) -> String? { fields.cookie(name) }

    /// All fields but that of the host, as other requests have them.
    private var fields: HTTPFields { HTTPFields(headers, splitCookie: false) }
}
