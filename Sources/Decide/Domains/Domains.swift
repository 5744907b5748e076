public import EventModel

/// The one registry: a domain is its folder and a line here.
public enum Domains {
    public static let all: [Domain] = [
        .tickets,
        .hits,
        .rides,
    ]
}
