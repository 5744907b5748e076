internal import EventModel
internal import SwiftProtobuf

/// What may be said of a link beside where it leads.
struct Terms: Codable, Hashable, Sendable {
    var title = ""
    var tags: [String] = []
    var passwordHash = ""
    /// 0 is any number.
    var clickLimit: Int64 = 0
    var from: Timestamp?
    var until: Timestamp?

    init() {}

    /// Texts are the same where their bytes are: what looks alike and is written otherwise is a change.
    static func == (a: Terms, b: Terms) -> Bool { a.bytes == b.bytes }
    func hash(into hasher: inout Hasher) { hasher.combine(bytes) }
    private var bytes: [Bytes] {
        [
            Bytes(title), Bytes(passwordHash),
            Bytes("\(clickLimit) \(from?.rawValue ?? .min) \(until?.rawValue ?? .min)"),
        ]
            + tags.map { Bytes($0) }
    }

    init(_ message: LinksTerms) {
        (title, tags, passwordHash) = (message.title, message.tags, message.passwordHash)
        clickLimit = message.clickLimit
        if message.hasActiveFrom { from = Timestamp(message.activeFrom) }
        if message.hasActiveUntil { until = Timestamp(message.activeUntil) }
    }

    var message: LinksTerms {
        .with {
            ($0.title, $0.tags, $0.passwordHash, $0.clickLimit) = (title, tags, passwordHash, clickLimit)
            if let from { $0.activeFrom = from.proto }
            if let until { $0.activeUntil = until.proto }
        }
    }
}

/// The links of one place in the space of codes: those of a bucket, or one alias with what looks like it.
struct LinkGroup: Codable, Sendable, Hashable {
    enum Stage: String, Codable, Sendable { case active, expired, deleted }

    struct Link: Codable, Sendable, Hashable {
        var owner: String
        var url: String
        var terms: Terms
        var stage = Stage.active
        /// When it came to its stage.
        var since: Timestamp
        /// Whether its code was chosen.
        var isAlias = false
    }
    /// All that ever were: a code is never given to another.
    var links: [String: Link] = [:]

    /// The link that an owner's URL has already.
    func link(of owner: String, to url: String) -> (code: String, link: Link)? {
        let all = links.filter { $0.value.owner == owner && $0.value.url == url && $0.value.stage == .active }
        return all.min { ($0.value.since, $0.key) < ($1.value.since, $1.key) }.map { ($0.key, $0.value) }
    }
}
