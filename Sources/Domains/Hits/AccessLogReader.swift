public import EventModel

/// Reads an access log's lines in order, and remembers what they say of those after them.
public struct AccessLogReader: Sendable {
    private let format: LogFormat
    private let site: AccessLog.Site
    private var w3c = W3CLog()
    /// Whether a line was readable.
    private var knows = false
    /// How many lines that were imported before are looked at for one that is readable.
    private var looks = 100

    public init(_ format: LogFormat, site: AccessLog.Site) {
        self.format = format
        self.site = site
    }

    /// The hit that the next line records; nil where it says none, as a directive does.
    public mutating func read(_ line: ArraySlice<UInt8>) throws -> NewRecord? {
        do throws(AccessLog.Unreadable) {
            guard let entry = try self.entry(line) else { return nil }
            let record = try entry.record(site)
            knows = true
            return record
        } catch {
            if case .told = format.kind, !knows { throw UnknownFormat(why: error.why) }
            throw Malformed("line", error.why)
        }
    }

    /// Takes the next line where it was imported before.
    public mutating func passOver(_ line: ArraySlice<UInt8>) {
        if line.first == UInt8(ascii: "#") {
            try? w3c.take(directive: line)
        } else if !knows, looks > 0 {
            looks -= 1
            _ = try? read(line)
        }
    }

    private mutating func entry(_ line: ArraySlice<UInt8>) throws(AccessLog.Unreadable) -> LogEntry? {
        switch format.kind {
        case .told: return try told(line)
        case .common(let front): return try AccessLog.entry(line, front)
        case .json: return try JSONLog.entry(line)
        case .written(let format): return try format.entry(line)
        case .w3c: return try directive(line) ? nil : w3c.entry(line)
        }
    }

    private mutating func told(_ line: ArraySlice<UInt8>) throws(AccessLog.Unreadable) -> LogEntry? {
        if JSONMembers.isBegun(by: line) { return try JSONLog.entry(line) }
        if try directive(line) { return nil }
        return try w3c.knowsFields ? w3c.entry(line) : AccessLog.entry(line, .told)
    }

    private mutating func directive(_ line: ArraySlice<UInt8>) throws(AccessLog.Unreadable) -> Bool {
        guard line.first == UInt8(ascii: "#") else { return false }
        try w3c.take(directive: line)
        return true
    }
}
