internal import CivilCalendar
public import EventModel
internal import XMLText

/// Reads GPX (topografix.com/GPX/1/1), line by line: each point of a track that has a time is a location. Waypoints and
/// routes are passed over, which tell where somebody wants to be and not where he was.
///
/// The driver is the one that is named, else the track's name, its spaces as dashes, else the file's.
public struct GPXTrack: Sendable {
    private let prefix: String
    private let driver: String?
    private let file: String
    private var tags = XMLTags()
    /// The names of the elements that are open.
    private var path: [String] = []
    private var text: [UInt8] = []
    private var track: String?
    /// What stands in that name and cannot be read.
    private var unread: String?
    private var point = Point()

    private struct Point: Sendable {
        var lat: String?
        var lng: String?
        var time: String?
    }

    /// How deep elements may stand in one another.
    static let deepest = 64
    /// Bytes of a name or a time.
    static let longestText = 1000

    /// Whether a file's first line is not of a table, but of XML.
    public static func isXML(_ line: ArraySlice<UInt8>) -> Bool {
        let line = line.withoutByteOrderMark
        return line.first { $0 != 0x20 && $0 != 0x09 } == UInt8(ascii: "<")
    }

    /// - Parameters:
    ///   - prefix: What is put before the driver's name.
    ///   - driver: Whose tracks all of them are, where the file does not say or says it otherwise.
    ///   - file: The file's name without what follows its first point.
    public init(prefix: String = "", driver: String? = nil, file: String) {
        (self.prefix, self.driver, self.file) = (prefix, driver, file)
    }

    /// The locations of the points that end in the next line.
    public mutating func locations(_ line: ArraySlice<UInt8>) throws(Malformed) -> [NewRecord] {
        var (records, bad): ([NewRecord], Malformed?) = ([], nil)
        // All of the line is taken, so that the next one is read in its place; then what was wrong is told.
        for part in try tags.take(line) {
            do {
                if let record = try take(part) { records.append(record) }
            } catch {
                bad = bad ?? error
            }
        }
        if let bad { throw bad }
        return records
    }

    private mutating func take(_ part: XMLTags.Part) throws(Malformed) -> NewRecord? {
        switch part {
        case .text(let bytes):
            if keepsText { text += bytes.prefix(max(0, Self.longestText - text.count)) }
        case .unknown(let entity):
            if path.suffix(2) == ["trk", "name"] { unread = entity }
            throw Malformed("line", Self.isNotKnown(entity))
        case .open(let name, let attributes):
            if path.count >= Self.deepest { throw Malformed("line", "is deeper than \(Self.deepest) elements") }
            if path.isEmpty, name != "gpx" { throw Malformed("line", "begins <\(name)>, which is not GPX") }
            path.append(name)
            text = []
            if name == "trk" { (track, unread) = (nil, nil) }
            if name == "trkpt" { point = Point(lat: attributes["lat"], lng: attributes["lon"]) }
        case .close(let name):
            guard path.last == name else {
                throw Malformed("line", "closes <\(name)>, where \(path.last.map { "<\($0)>" } ?? "nothing") is open")
            }
            defer { path.removeLast() }
            switch path.suffix(2) {
            case ["trk", "name"]: track = Self.plain(text)
            case ["trkpt", "time"]: point.time = Self.plain(text)
            case ["trkseg", "trkpt"]: return try location()
            default: break
            }
        }
        return nil
    }

    private static func isNotKnown(_ entity: String) -> String {
        "has \(Shown.text(entity)), an entity that XML does not have; write the text that it stands for"
    }

    private var keepsText: Bool { path.last == "time" || path.last == "name" }

    private static func plain(_ bytes: [UInt8]) -> String {
        let words = LatinText.text(bytes[...]).split { $0 == " " || $0 == "\t" || $0 == "\n" }
        return words.joined(separator: " ")
    }

    private func location() throws(Malformed) -> NewRecord {
        if driver == nil, let unread { throw Malformed("name", "of the track \(Self.isNotKnown(unread))") }
        guard let time = point.time else {
            throw Malformed("time", "is missing: the point is of a plan, not of where somebody was")
        }
        let (lat, lng) = (try degrees(point.lat, "lat"), try degrees(point.lng, "lon"))
        guard let moment = CivilTime.civil(time) else {
            throw Malformed("time", "is \(time), not 2008-10-23T05:53:05Z")
        }
        if !Timestamp.calendar.contains(moment) { throw Malformed("time", "\(time) is not in the years 1 to 9998") }
        return try GPSTable.record(prefix + name, lat: lat, lng: lng, at: moment)
    }

    private func degrees(_ text: String?, _ attribute: String) throws(Malformed) -> Double {
        guard let text else { throw Malformed(attribute, "is missing") }
        guard let value = GPSTable.degrees(text) else {
            throw Malformed(attribute, "is \(text), not a number of degrees")
        }
        return value
    }

    /// Whose track it is.
    private var name: String {
        if let driver { return driver }
        guard let track, !track.isEmpty else { return file }
        return String(track.map { $0.isWhitespace || $0 == ":" || $0 == "#" ? "-" : $0 })
    }
}
