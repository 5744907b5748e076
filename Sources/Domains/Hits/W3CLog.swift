internal import CivilCalendar
internal import EventModel

/// Reads the extended log file format (w3.org/TR/WD-logfile), as IIS and others write it: a directive names the fields of the
/// lines after it, and may come again with others.
///
///     #Fields: date time c-ip cs-method cs-uri-stem cs-uri-query sc-status sc-bytes cs(User-Agent) cs(Referer)
struct W3CLog {
    private enum Field {
        case date, time, client, forwarded, method, stem, query, uri, status, size, agent, referrer, virtualHost, other
    }

    private var fields: [Field]?
    /// The day that the last `#Date` told, for lines that have none.
    private var day: String?

    var knowsFields: Bool { fields != nil }

    private static let names: [String: Field] = [
        "date": .date, "time": .time, "c-ip": .client, "c-dns": .client, "x-forwarded-for": .forwarded,
        "cs(x-forwarded-for)": .forwarded, "cs-method": .method, "cs-uri-stem": .stem, "cs-uri-query": .query,
        "cs-uri": .uri, "sc-status": .status, "sc-bytes": .size, "cs(user-agent)": .agent, "cs(referer)": .referrer,
        "cs(referrer)": .referrer, "cs-host": .virtualHost, "cs(host)": .virtualHost, "x-host-header": .virtualHost,
    ]

    /// Takes a line that begins with a #; a remark is passed over.
    mutating func take(directive line: ArraySlice<UInt8>) throws(AccessLog.Unreadable) {
        let text = LogEntry.text(line)
        guard let colon = text.firstIndex(of: ":") else { return }
        let words = text[text.index(after: colon)...].split { $0 == " " || $0 == "\t" }
        switch text[..<colon].lowercased() {
        case "#date": day = words.first.map(String.init)
        case "#fields":
            let fields = words.map { Self.names[$0.lowercased()] ?? .other }
            if !fields.contains(.time) {
                throw AccessLog.Unreadable(why: "#Fields names no time; the lines after it cannot be read")
            }
            self.fields = fields
        default: break
        }
    }

    func entry(_ line: ArraySlice<UInt8>) throws(AccessLog.Unreadable) -> LogEntry {
        guard let fields else { throw AccessLog.Unreadable(why: "no #Fields line names its fields") }
        let values = Self.values(line)
        if values.count != fields.count {
            throw AccessLog.Unreadable(why: "has \(values.count) fields, #Fields names \(fields.count)")
        }
        var entry = LogEntry()
        var (date, time, stem, forwarded) = (day, "", "", "")
        for (field, value) in zip(fields, values) where !value.elementsEqual([0x2d]) {
            let text = LogEntry.text(value)
            switch field {
            case .date: date = text
            case .time: time = text
            case .client: entry.put(client: text)
            case .forwarded: forwarded = text.replacing("+", with: " ")
            case .method: entry.hit.method = text
            case .stem: stem = text
            case .query: entry.query = text
            case .uri: entry.hit.path = text
            case .status: try entry.put(status: value)
            case .size: try entry.put(size: value)
            // IIS writes a + for each space.
            case .agent: entry.put(agent: text.contains(" ") ? text : text.replacing("+", with: " "))
            case .referrer: entry.put(referrer: text)
            case .virtualHost: entry.virtualHost = text
            case .other: break
            }
        }
        // A whole URI has its query in it.
        if stem.isEmpty { entry.query = "" } else { entry.hit.path = stem }
        if !forwarded.isEmpty { entry.put(client: forwarded) }
        guard let date else { throw AccessLog.Unreadable(why: "the date is missing, here and in #Date") }
        entry.time = CivilTime.civil("\(date) \(time)")
        if entry.time == nil {
            throw AccessLog.Unreadable(why: "the time is \(date) \(time), not 2015-05-17 10:05:03")
        }
        return entry
    }

    /// The values of a line: between tabs where it has any, else between spaces, where one may stand in quotes.
    private static func values(_ line: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        let line = line.last == 0x0d ? line.dropLast() : line
        if line.contains(0x09) { return line.split(separator: 0x09, omittingEmptySubsequences: false) }
        if !line.contains(0x22) { return line.split(separator: 0x20) }
        var values: [ArraySlice<UInt8>] = []
        var rest = line.drop { $0 == 0x20 }
        while let first = rest.first {
            if first != 0x22 {
                let value = rest.prefix { $0 != 0x20 }
                values.append(value)
                rest = rest[value.endIndex...]
            } else {
                var value: [UInt8] = []
                rest = rest.dropFirst()
                while let byte = rest.popFirst() {
                    if byte == 0x22, rest.first != 0x22 { break }
                    if byte == 0x22 { rest = rest.dropFirst() }
                    value.append(byte)
                }
                values.append(value[...])
            }
            rest = rest.drop { $0 == 0x20 }
        }
        return values
    }
}
