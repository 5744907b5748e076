internal import EventModel
internal import SwiftProtobuf

extension SocialSearchEvent: Envelope {}

/// Searches: facts that need no decision, only a check. What people look for trends beside what they write.
enum Searches: Telemetry {
    typealias Event = SocialSearchEvent

    /// Who looked, or else what for.
    static func key(of event: Event.Kind) -> String {
        switch event {
        case .searchPerformed(let e): e.user.isEmpty ? e.topics.first ?? "-" : e.user
        }
    }

    static func check(_ event: Event.Kind) throws(Malformed) {
        switch event {
        case .searchPerformed(let e):
            if !e.user.isEmpty {
                try Social.check(handle: e.user, "user")
                if e.user != Social.handle(e.user) {
                    throw Malformed("user", "is \(e.user); a fact has handles in lower case")
                }
            }
            let topics = try SearchQuery(e.query).topics
            if !Social.same(e.topics, topics) {
                throw Malformed("topics", "must be those of the query: \(topics.joined(separator: ", "))")
            }
        }
    }

    /// The fact that a search makes.
    static func performed(_ query: String, by user: String?) throws(Malformed) -> SocialSearchPerformed {
        let topics = try SearchQuery(query).topics
        return .with { ($0.user, $0.query, $0.topics) = (user ?? "", query, topics) }
    }
}
