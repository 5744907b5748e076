internal import EventModel
internal import SwiftProtobuf

extension HitsEvent: Envelope {}

/// Hits on sites: facts that need no decision, only a check.
enum Hits: Telemetry {
    typealias Event = HitsEvent

    /// Over how many keys one site's hits are spread, so that a busy site is not one hot partition.
    static let salts: UInt32 = 16

    static func key(of event: Event.Kind) -> String {
        switch event {
        case .hit(let hit): "\(hit.site)#\(Partitioner.murmur2(Bytes(hit.visitor)) % salts)"
        }
    }

    static func check(_ event: Event.Kind) throws(Malformed) {
        switch event {
        case .hit(let hit):
            try Check.identifier(hit.site, "site", atMost: 200)
            if hit.site == HitWindows.allSites { throw Malformed("site", "is \(hit.site), which stands for all sites") }
            try Check.optionalText(hit.path, "path", atMost: 8192)
            try Check.optionalText(hit.visitor, "visitor", atMost: 200)
            try Check.optionalText(hit.method, "method", atMost: 20)
            if hit.status != 0 { try Check.range(hit.status, "status", 100...599) }
            try Check.range(hit.bytes, "bytes", 0...Int64.max)
            try Check.optionalText(hit.referrer, "referrer", atMost: 8192)
            try Check.optionalText(hit.userAgent, "userAgent", atMost: 4096)
        }
    }
}
