package import EventModel

/// A moment as people write it: RFC 3339, milliseconds since 1970, `now`, or a time before or after now: -1h, +5m.
package enum Moment {
    package static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        if text == "now" { return now }
        if text.hasPrefix("-"), let ago = Duration(short: String(text.dropFirst())) { return now - ago }
        if text.hasPrefix("+"), let ahead = Duration(short: String(text.dropFirst())) { return now + ahead }
        if let time = Timestamp(rfc3339: text) { return time }
        return Int64(text).map { Timestamp($0) }
    }
}
