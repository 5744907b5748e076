internal import EventModel
internal import SwiftProtobuf

/// Clicks: facts that need no decision, only a check.
enum Clicks: Telemetry {
    typealias Event = LinksClicks

    static func key(of event: Event.Kind) -> String {
        switch event {
        case .linkClicked(let e): "\(e.code)#\(Partitioner.murmur2(Bytes(e.visitor)) % LinksLimits.salts)"
        }
    }

    static func check(_ event: Event.Kind) throws(Malformed) {
        switch event {
        case .linkClicked(let e):
            try Check.identifier(e.code, "code")
            try Check.optionalText(e.visitor, "visitor", atMost: 64)
            try Check.optionalText(e.referrer, "referrer", atMost: LinksLimits.referrer)
            let isCountry = e.country.utf8.count == 2 && e.country.utf8.allSatisfy { (0x41...0x5a).contains($0) }
            if !e.country.isEmpty, !isCountry {
                throw Malformed("country", "is \(e.country), it must be two capital letters (ISO 3166-1)")
            }
            if case .UNRECOGNIZED = e.device { throw Malformed("device", "is none that is known here") }
        }
    }
}

extension LinksDevice {
    /// As views show it.
    var word: String {
        switch self {
        case .desktop: "desktop"
        case .mobile: "mobile"
        case .tablet: "tablet"
        case .bot: "bot"
        case .unspecified, .UNRECOGNIZED: "unknown"
        }
    }
}
