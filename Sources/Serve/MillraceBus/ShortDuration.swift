internal import EventModel

extension Duration {
    /// As people write it: 5s, 250ms, 2h, 7d.
    package var short: String {
        let ms = milliseconds
        if ms % 86_400_000 == 0, ms > 0 { return "\(ms / 86_400_000)d" }
        if ms % 3_600_000 == 0, ms > 0 { return "\(ms / 3_600_000)h" }
        if ms % 60_000 == 0, ms > 0 { return "\(ms / 60_000)m" }
        return ms % 1000 == 0 ? "\(ms / 1000)s" : "\(ms)ms"
    }

    /// Reads 60s, 5m, 1h, 7d, 250ms, or plain seconds.
    package init?(short text: String) {
        let units: [(String, Int64)] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
        let unit = units.first { text.hasSuffix($0.0) }
        guard let count = Int64(unit.map { String(text.dropLast($0.0.count)) } ?? text), count >= 0 else { return nil }
        let (ms, overflow) = count.multipliedReportingOverflow(by: unit?.1 ?? 1000)
        if overflow { return nil }
        self = .milliseconds(ms)
    }
}
