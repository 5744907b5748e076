internal import CivilCalendar
public import EventModel

/// Reads web servers' access logs in the common and the combined log format
/// (httpd.apache.org/docs/2.4/logs.html#accesslog), with or without the virtual host in front.
///
///     [site[:port]] host ident user [day/month/year:hour:minute:second zone] "method path protocol" status bytes ["referrer" "agent"]
///
/// The host may be a list of addresses, and the time have a fraction or be written as RFC 3339.
public enum AccessLog {
    public struct Unreadable: Error, Hashable, Sendable {
        public var why: String
    }

    /// What stands in front of the client.
    enum Front: Hashable, Sendable {
        /// A virtual host where the line looks like it.
        case told
        case client, virtualHost
    }

    /// The hit that a line records: its key, value and time.
    public static func hit(_ line: ArraySlice<UInt8>, site: String) throws(Unreadable) -> NewRecord {
        try entry(line, .told).record(.named(site))
    }

    static func entry(_ line: ArraySlice<UInt8>, _ front: Front) throws(Unreadable) -> LogEntry {
        var scanner = LineScanner(rest: line.last == 0x0d ? line.dropLast() : line)
        var entry = LogEntry()
        var client = try scanner.addresses("the host")
        var identity = try scanner.word("the identity")
        if front == .virtualHost || front == .told && scanner.isVirtualHost(client, before: identity) {
            entry.virtualHost = LogEntry.text(client)
            client = scanner.list(from: identity)
            identity = try scanner.word("the identity")
        }
        entry.put(client: LogEntry.text(client))
        entry.time = try scanner.time()
        entry.put(request: try scanner.quoted("the request"))
        try entry.put(status: scanner.word("the status"))
        try entry.put(size: scanner.word("the size"))
        if !scanner.isAtEnd {
            entry.put(referrer: try scanner.quoted("the referrer"))
            entry.put(agent: try scanner.quoted("the agent", mayEndOpen: true))
        }
        return entry
    }

    /// `17/May/2015:10:05:03 +0000`, with a fraction where there is one; or what else is a moment.
    static func timestamp(_ text: String) throws(Unreadable) -> Timestamp {
        guard let time = moment(ArraySlice(text.utf8)) else {
            throw Unreadable(why: "the time is [\(text)], not [17/May/2015:10:05:03 +0000]")
        }
        return time
    }

    static func moment(_ bytes: ArraySlice<UInt8>) -> Timestamp? {
        if let time = usual(bytes) { return time }
        // Bytes of a time are ASCII.
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        return TimePattern.accessLog.moment(text) ?? CivilTime.civil(text) ?? sinceEpoch(text)
    }

    /// A number since 1970, unless it is so short that it may as well be something else.
    private static func sinceEpoch(_ text: String) -> Timestamp? {
        text.utf8.count < 10 ? nil : CivilTime.sinceEpoch(text)?.moment
    }

    /// `17/May/2015:10:05:03 +0000`, byte by byte: nearly every line has it so.
    private static func usual(_ bytes: ArraySlice<UInt8>) -> Timestamp? {
        guard bytes.count == 26 else { return nil }
        return bytes.withUnsafeBufferPointer { time -> Timestamp? in
            func number(_ at: Int, _ count: Int) -> Int64? {
                var value: Int64 = 0
                for byte in time[at..<(at + count)] {
                    if byte < 0x30 || byte > 0x39 { return nil }
                    value = value * 10 + Int64(byte - 0x30)
                }
                return value
            }
            guard time[2] == 0x2f, time[6] == 0x2f, time[11] == 0x3a, time[14] == 0x3a, time[17] == 0x3a,
                time[20] == 0x20, time[21] == 0x2b || time[21] == 0x2d,
                let month = months[UInt32(time[3]) << 16 | UInt32(time[4]) << 8 | UInt32(time[5])],
                let day = number(0, 2), let year = number(7, 4), let hour = number(12, 2), let minute = number(15, 2),
                let second = number(18, 2), let hours = number(22, 2), let minutes = number(24, 2), hours < 24,
                minutes < 60
            else { return nil }
            let zone = (hours * 60 + minutes) * 60
            return CivilTime.moment(
                year: year, month: month, day: day, hour: hour, minute: minute, second: second, milliseconds: 0,
                zone: time[21] == 0x2b ? zone : -zone)
        }
    }

    /// The months by the three bytes of their names.
    private static let months: [UInt32: Int64] = {
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let keys = names.map { $0.utf8.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } }
        return Dictionary(uniqueKeysWithValues: zip(keys, 1...12))
    }()
}
