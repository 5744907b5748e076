internal import Foundation

extension Timestamp {
    /// What four digits of a year can write.
    private static let written = Timestamp(-62_135_596_800_000)...Timestamp(253_402_300_799_999)

    /// In UTC with milliseconds where there are any: 2026-12-24T19:30:00Z. A time of no year from 1 to 9999 is written as its
    /// milliseconds since 1970.
    public var rfc3339: String {
        if !Self.written.contains(self) { return String(rawValue) }
        let date = Date(timeIntervalSince1970: Double(second))
        let whole = date.formatted(Date.ISO8601FormatStyle())
        if millisecond == 0 { return whole }
        let digits = String(millisecond)
        return whole.dropLast() + "." + String(repeating: "0", count: 3 - digits.count) + digits + "Z"
    }

    /// Reads RFC 3339: 2026-12-24T19:30:00Z, with a fraction or an offset where wanted.
    public init?(rfc3339 text: String) {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
        guard let date = try? style.parse(text),
            let milliseconds = Int64(exactly: (date.timeIntervalSince1970 * 1000).rounded())
        else { return nil }
        self.init(milliseconds)
    }
}
