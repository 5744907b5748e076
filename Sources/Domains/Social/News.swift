internal import EventModel
internal import SwiftProtobuf

extension SocialNewsEvent: Envelope {}

/// Headlines: facts that need no decision, only a check.
enum SocialNews: Telemetry {
    typealias Event = SocialNewsEvent

    static func key(of event: Event.Kind) -> String {
        switch event {
        case .newsIngested(let e): e.publisher
        }
    }

    static func check(_ event: Event.Kind) throws(Malformed) {
        switch event {
        case .newsIngested(let e):
            try Check.identifier(e.headline, "headline", atMost: SocialLimits.tweet)
            try Check.optionalText(e.publisher, "publisher", atMost: 200)
            if e.publisher.isEmpty { throw Malformed("publisher", "is missing") }
            if !e.title.contains(where: { !$0.isWhitespace }) { throw Malformed("title", "is missing") }
            try Check.optionalText(e.title, "title", atMost: 1000)
            try Check.optionalText(e.url, "url", atMost: 4096)
        }
    }
}
