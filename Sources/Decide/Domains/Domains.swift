public import EventModel

/// The one registry: a domain is its folder and a line here.
public enum Domains {
    public static func all(_ settings: Settings) throws(Malformed) -> [Domain] {
        [
            .tickets,
            .hits,
            try .social(settings),
            .orders,
            .rides,
        ]
    }

    /// As they are where nothing is set.
    public static let all: [Domain] = (try? all(Settings())) ?? []
}
