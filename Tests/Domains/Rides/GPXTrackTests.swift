import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import RidesDomain

@Suite("Tracks in GPX")
struct GPXTrackTests {
    /// Each location as driver, lat, lng and time; and what was wrong.
    private func read(_ text: String, _ track: GPXTrack = GPXTrack(file: "ride")) throws -> (
        spots: [String], bad: [String]
    ) {
        var track = track
        var (spots, bad): ([String], [String]) = ([], [])
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            do {
                for record in try track.locations(ArraySlice(line.utf8)) {
                    guard case .driverLocation(let spot) = try RidesEvent.kind(in: record.value) else { continue }
                    #expect(record.key.text == spot.driver)
                    spots.append("\(spot.driver) \(spot.lat) \(spot.lng) \(record.timestamp.rfc3339)")
                }
            } catch let error as Malformed {
                bad.append(error.message)
            }
        }
        return (spots, bad)
    }
    private let usual = """
        <?xml version="1.0" encoding="UTF-8"?>
        <!-- <trkpt lat="1" lon="1"><time>2008-10-23T05:53:00Z</time></trkpt> -->
        <gpx version="1.1" creator="a > b" xmlns="http://www.topografix.com/GPX/1/1">
          <metadata><name>All</name><time>2000-01-01T00:00:00Z</time></metadata>
          <wpt lat="9" lon="9"><time>2008-10-23T05:53:00Z</time><name>Home</name></wpt>
          <rte><name>Way</name><rtept lat="8" lon="8"><time>2008-10-23T05:53:00Z</time></rtept></rte>
          <trk>
            <name>Ann &amp; Ben's
        ride</name>
            <trkseg>
              <trkpt lat="39.98" lon="116.31">
                <ele>150.0</ele>
                <time>2008-10-23T05:53:05Z</time>
                <extensions><x:time xmlns:x="x">2009-10-23T05:53:05Z</x:time></extensions>
              </trkpt>
              <trkpt lon='-116.5' lat='-39.5'><time> 2008-10-23T07:53:06.5+02:00 </time></trkpt>
            </trkseg>
            <trkseg><trkpt
                lat="0" lon="0"
              ><time><![CDATA[2008-10-23T05:53:07Z]]></time></trkpt></trkseg>
          </trk>
          <trk><trkseg><trkpt lat="1" lon="2"><time>2008-10-23T05:53:08Z</time></trkpt></trkseg></trk>
        </gpx>
        """
    private let spots = [
        "39.98 116.31 2008-10-23T05:53:05Z", "-39.5 -116.5 2008-10-23T05:53:06.500Z", "0.0 0.0 2008-10-23T05:53:07Z",
        "1.0 2.0 2008-10-23T05:53:08Z",
    ]

    @Test func `have a location for each point of a track, wherever lines break`() throws {
        let read = try read(usual)
        #expect(read.bad == [])
        #expect(read.spots == spots.prefix(3).map { "Ann-&-Ben's-ride " + $0 } + ["ride " + spots[3]])
        let one = try self.read(usual.split(separator: "\n").joined(separator: " "))
        #expect(one.spots == read.spots && one.bad == [])
        let many = try self.read(usual.replacing("> ", with: ">\n\n ").replacing("\" ", with: "\"\n"))
        #expect(many.spots == read.spots && many.bad == [])
    }
    @Test func `have no driver whose name a document would have to declare`() throws {
        let track = { (name: String) in
            """
            <gpx>
            <trk><name>\(name)</name><trkseg>
            <trkpt lat="1" lon="2"><time>2008-10-23T05:53:05Z</time></trkpt>
            </trkseg></trk>
            <trk><trkseg><trkpt lat="1" lon="2"><time>2008-10-23T05:53:05Z</time></trkpt></trkseg></trk>
            </gpx>
            """
        }
        let why = "has &b;, an entity that XML does not have; write the text that it stands for"
        let unknown = try read(track("x &b; y"))
        #expect(unknown.bad == ["line: \(why)", "name: of the track \(why)"], "\(unknown)")
        #expect(unknown.spots == ["ride 1.0 2.0 2008-10-23T05:53:05Z"], "\(unknown)")
        // Of no use is the name where the driver is known.
        let known = try read(track("&b;"), GPXTrack(driver: "ann", file: "x"))
        #expect(known.bad == ["line: \(why)"] && known.spots.count == 2, "\(known)")
        for (text, name) in [("A & B", "A-&-B"), ("A&#x42;&#67; &", "ABC-&"), ("AT&amp;T;", "AT&T;")] {
            #expect(try read(track(text)).spots.first?.hasPrefix("\(name) ") == true, "\(text)")
        }
        for bad in ["&nbsp;", "&#0x;", "&#xd800;", "&\u{e9}t\u{e9};"] {
            #expect(try read(track(bad)).bad.first?.contains("has \(bad), an entity") == true, "\(bad)")
        }
        for subset in ["<!DOCTYPE gpx [\n<!ENTITY b \"Bob\">\n]>\n", "<!DOCTYPE gpx SYSTEM \"g.dtd\" [ ]>\n"] {
            let declared = try read(subset + track("Ann"))
            #expect(declared.bad.first?.hasPrefix("line: has a <!DOCTYPE with declarations") == true, "\(declared)")
        }
        #expect(try read("<!DOCTYPE gpx SYSTEM \"a[b\">\n" + track("Ann")).bad == [])
    }
    @Test func `are of the driver that is named, with a prefix where there is one`() throws {
        #expect(try read(usual, GPXTrack(driver: "ann", file: "x")).spots == spots.map { "ann " + $0 })
        #expect(try read(usual, GPXTrack(prefix: "p-", file: "x")).spots.last == "p-x " + spots[3])
    }
    @Test(arguments: [
        (#"<trkpt lat="1" lon="2"/>"#, "time: is missing: the point is of a plan, not of where somebody was"),
        (
            #"<trkpt lat="1" lon="2"><ele>5</ele></trkpt>"#,
            "time: is missing: the point is of a plan, not of where somebody was"
        ),
        (#"<trkpt lat="1" lon="2"><time>soon</time></trkpt>"#, "time: is soon, not 2008-10-23T05:53:05Z"),
        (
            #"<trkpt lat="0x10" lon="2"><time>2008-10-23T05:53:05Z</time></trkpt>"#,
            "lat: is 0x10, not a number of degrees"
        ),
        (#"<trkpt lon="2"><time>2008-10-23T05:53:05Z</time></trkpt>"#, "lat: is missing"),
        (
            #"<trkpt lat="1" lon="181"><time>2008-10-23T05:53:05Z</time></trkpt>"#,
            "lng: is 181.0, it must be -180.0 to 180.0"
        ),
        (
            #"<trkpt lat=1 lon="2"><time>2008-10-23T05:53:05Z</time></trkpt>"#,
            "line: has an attribute of <trkpt> without quotes"
        ),
    ])
    func `name what is wrong with a point, and go on`(point: String, message: String) throws {
        let text = """
            <gpx><trk><trkseg>
            \(point)
            <trkpt lat="1" lon="2"><time>2008-10-23T05:53:08Z</time></trkpt>
            </trkseg></trk></gpx>
            """
        let read = try read(text)
        #expect(read.bad.first == message)
        // Where a tag cannot be read, its element's end has no beginning.
        #expect(read.spots == ["ride 1.0 2.0 2008-10-23T05:53:08Z"] || message.hasPrefix("line"))
    }
    @Test func `are not other XML, nor nested without end`() throws {
        #expect(try read("<kml><trk/></kml>").bad.first == "line: begins <kml>, which is not GPX")
        #expect(try read("<gpx></trk>").bad == ["line: closes <trk>, where <gpx> is open"])
        let deep = String(repeating: "<a>", count: 100)
        #expect(try read("<gpx>" + deep).bad == ["line: is deeper than 64 elements"])
        #expect(try read("<gpx>\n<a " + String(repeating: "x", count: 100_000)).bad.count == 1)
    }
    @Test func `are told from tables`() {
        #expect(GPXTrack.isXML(ArraySlice("\u{feff} <?xml".utf8)) && GPXTrack.isXML(ArraySlice("<gpx>".utf8)))
        #expect(!GPXTrack.isXML(ArraySlice("lat,lng".utf8)) && !GPXTrack.isXML([]))
    }
}
