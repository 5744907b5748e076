internal import EventModel
internal import HTTPTypes
internal import MillraceBus

/// The token that a request has, if it has one (RFC 6750).
struct Credentials: Sendable, Hashable {
    /// The cookie that browsers send a token in: a page's event stream can set no field.
    static let cookie = "millrace-token"

    private(set) var token: String?
    /// Whether a browser has sent it by itself, whoever made it ask.
    private(set) var isCookie = false

    init(_ fields: HTTPFields) throws(Problem) {
        let said = fields[values: .authorization]
        if said.count > 1 { throw Problem(unreadable: "Authorization is there \(said.count) times") }
        if let said = said.first {
            let words = said.split(separator: " ")
            if words.first?.lowercased() != "bearer" { return }
            if words.count != 2 { throw Problem(unreadable: "Authorization must be Bearer and one token") }
            token = String(words[1])
            return
        }
        let cookies = Set(
            fields[values: .cookie].flatMap { $0.split(separator: ";") }.compactMap { Self.value(of: $0) })
        // Another host of the same site can put one beside it.
        if cookies.count > 1 {
            throw Problem(unreadable: "there are \(cookies.count) different cookies \(Self.cookie)")
        }
        (token, isCookie) = (cookies.first, !cookies.isEmpty)
    }

    private static func value(of pair: Substring) -> String? {
        let pair = pair.trimming { $0 == " " || $0 == "\t" }
        guard pair.hasPrefix("\(cookie)=") else { return nil }
        let value = pair.dropFirst(cookie.count + 1)
        return value.isEmpty ? nil : String(value)
    }

    /// The field that has a browser keep a token, for itself and for this site's own pages, until it expires.
    ///
    /// - Parameter seconds: How long; 0 takes it away.
    static func setting(_ token: String, for seconds: Int64, isSecure: Bool) -> String {
        "\(cookie)=\(token); Path=/; Max-Age=\(seconds); HttpOnly; SameSite=Strict" + (isSecure ? "; Secure" : "")
    }
}

extension Problem {
    static let realm = #"Bearer realm="millrace""#

    /// Nobody says who asks.
    static var unnamed: Problem {
        var problem = Problem(
            .unauthorized, "say who you are: Authorization: Bearer TOKEN; \(Program.name) token makes one")
        problem.challenge = realm
        return problem
    }

    /// A token that is not taken.
    init(refused why: String) {
        self.init(.unauthorized, why)
        challenge = Self.challenge("invalid_token", why)
    }

    /// A request that says who asks in a way that cannot be read.
    init(unreadable why: String) {
        self.init(.badRequest, why, field: "Authorization")
        challenge = Self.challenge("invalid_request", why)
    }

    /// A token without a scope that is needed.
    init(lacking grant: Access.Grant, of subject: String?) {
        let place = grant.domain.map { " in \($0)" } ?? ""
        self.init(
            .forbidden,
            "\(subject ?? "this token") may not \(grant.scope.rawValue)\(place): the token lacks the scope \(grant.text)"
        )
        challenge = "\(Self.challenge("insufficient_scope", nil)), scope=\"\(grant.text)\""
    }

    /// Somebody acts as somebody else.
    init(_ error: ActsForAnother) {
        let grant = Access.Grant(.actForOthers, in: error.domain)
        self.init(
            .forbidden,
            """
            \(error.field): is \(error.named), and the token is of \(error.subject), who may not act for others; leave it out, \
            or ask with a token that has the scope \(grant.text)
            """, field: error.field)
        challenge = "\(Self.challenge("insufficient_scope", nil)), scope=\"\(grant.text)\""
    }

    /// RFC 6750, section 3.
    private static func challenge(_ error: String, _ why: String?) -> String {
        // What a quoted text may have without escapes.
        let plain = why.map { why in
            String(why.unicodeScalars.filter { (0x20...0x7e).contains($0.value) && $0 != "\"" && $0 != "\\" })
        }
        return "\(realm), error=\"\(error)\"" + (plain.map { ", error_description=\"\($0)\"" } ?? "")
    }
}
