import EventModel
import SwiftProtobuf
import Testing

@testable import Domains

@Suite("Tables of positions")
struct GPSTableTests {
    private func bytes(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }

    private func read(_ header: String, _ line: String, prefix: String = "") throws -> NewRecord {
        try GPSTable(header: bytes(header), prefix: prefix).location(bytes(line))
    }
    private func why(_ header: String, _ line: String) -> String? {
        do {
            _ = try read(header, line)
            return nil
        } catch {
            return (error as? Malformed)?.message ?? "\(error)"
        }
    }

    @Test func `have their columns by many names, in any order, and others beside`() throws {
        let lines = [
            ("lat,lng,datetime,uid", "39.98,116.31,2008-10-23 05:53:05,001"),
            ("taxi,ts,lat,lon,occupied", "001,1224741185,39.98,116.31,1"),
            ("\u{feff}Longitude,Latitude,Time,Driver\r", "116.31,39.98,2008-10-23T07:53:05+02:00,001\r"),
            ("user,long,lat,timestamp", "\"001\",116.31,39.98,\"2008-10-23T05:53:05.000Z\""),
        ]
        for (header, line) in lines {
            let record = try read(header, line)
            let expected = RidesDriverLocation.with { ($0.driver, $0.lat, $0.lng) = ("001", 39.98, 116.31) }
            #expect(record.value == RidesEvent.bytes(.driverLocation(expected)) && record.key == "001", "\(line)")
            #expect(record.timestamp == Timestamp(1_224_741_185_000), "\(line)")
        }
        #expect(try read("lat,lng,ts,uid", "1,2,3,7", prefix: "sf-").key == "sf-7")
    }
    @Test func `that lack a column are told so`() {
        let no = #expect(throws: Malformed.self) { try GPSTable(header: bytes("lat,lng,uid")) }
        #expect(
            no?.message
                == "the first line: names no column datetime or ts or time or timestamp; it has lat, lng, uid")
    }
    @Test(arguments: [
        ("39.98,116.31,2008-10-23 05:53:05", "line: has 3 fields, the first line has 4"),
        (",116.31,2008-10-23 05:53:05,1", "lat: is missing"),
        ("39.98,116.31,2008-10-23 05:53:05,", "driver: is missing"),
        ("north,116.31,2008-10-23 05:53:05,1", "lat: is north, not a number of degrees"),
        ("90.5,116.31,2008-10-23 05:53:05,1", "lat: is 90.5, it must be -90.0 to 90.0"),
        ("nan,116.31,2008-10-23 05:53:05,1", "lat: is nan, it must be -90.0 to 90.0"),
        ("39.98,-181,2008-10-23 05:53:05,1", "lng: is -181.0, it must be -180.0 to 180.0"),
        ("39.98,116.31,2008-10-23 05:53:05,a b", "driver: has a space, ':' or '#', which an identifier may not have"),
        (
            "39.98,116.31,23/10/2008,1",
            "datetime: is 23/10/2008, not 2008-10-23 05:53:05, 2008-10-23T05:53:05Z or seconds since 1970"
        ),
        ("39.98,116.31,300000000000,1", "datetime: 300000000000 is not in the years 1 to 9998"),
    ])
    func `name what is wrong with a line`(line: String, message: String) {
        #expect(why("lat,lng,datetime,driver", line) == message)
    }

    @Test(
        arguments: [
            ("1970-01-01 00:00:00", 0), ("2008-10-23 05:53:05", 1_224_741_185_000),
            ("2008-10-23t05:53:05z", 1_224_741_185_000),
            ("2008-02-29 23:59:59.5", 1_204_329_599_500), ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2016-12-31 23:59:60", 1_483_228_800_000), ("0001-01-01 00:00:00", -62_135_596_800_000),
            ("2008-10-23T05:53:05.1239-04:30", 1_224_757_385_123), ("0", 0), ("-1.25", -1250),
            ("1213084687", 1_213_084_687_000),
            ("1213084687.0625", 1_213_084_687_062),
        ] as [(String, Int64)])
    func `have moments in three forms`(text: String, milliseconds: Int64) throws {
        #expect(try CivilTime.moment(text, "t") == Timestamp(milliseconds))
    }
    @Test(arguments: [
        "", "-", ".", "5.", "2008-10-23", "2008-10-23 05:53", "2008-13-01 00:00:00", "2008-00-01 00:00:00",
        "2008-04-31 00:00:00", "2007-02-29 00:00:00", "1900-02-29 00:00:00", "2008-10-23 24:00:00",
        "2008-10-23 05:60:00", "2008-10-23 05:53:61", "2008-10-23 05:53:05.", "2008-10-23 05:53:05+2",
        "2008-10-23 05:53:05+02:60", "2008-10-23 05:53:05 ", "0000-01-01 00:00:00", "12130846871213084687", "1e9",
        "now",
    ])
    func `have no other moments`(text: String) {
        #expect(throws: Malformed.self) { try CivilTime.moment(text, "t") }
    }
}
