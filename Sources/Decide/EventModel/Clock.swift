internal import Foundation

extension Timestamp {
    /// In UTC with milliseconds where there are any: 2026-12-24T19:30:00Z.
    public var rfc3339: String {
        let date = Date(timeIntervalSince1970: Double(second))
        let whole = date.formatted(Date.ISO8601FormatStyle())
        let milliseconds = rawValue - second * 1000
        if milliseconds == 0 { return whole }
        let digits = String(milliseconds)
        return whole.dropLast() + "." + String(repeating: "0", count: 3 - digits.count) + digits + "Z"
    }

    /// Reads RFC 3339: 2026-12-24T19:30:00Z, with a fraction or an offset where wanted.
    public init?(rfc3339 text: String) {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
        guard let date = try? style.parse(text) else { return nil }
        self.init(Int64((date.timeIntervalSince1970 * 1000).rounded()))
    }
}
