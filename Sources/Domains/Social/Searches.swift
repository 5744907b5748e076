internal import EventModel
internal import SwiftProtobuf

extension SocialSearchEvent: Envelope {}

/// Searches: facts that need no decision, only a check. What people look for trends beside what they write.
enum Searches: Telemetry {
    typealias Event = SocialSearchEvent

    /// Who looked; `-` is who did not say.
    static func key(of event: Event.Kind) -> String {
        switch event {
        case .searchPerformed(let e): e.user.isEmpty ? "-" : e.user
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
            _ = try SearchQuery(e.query)
        }
    }
}
