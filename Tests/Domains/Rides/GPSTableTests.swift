import CivilCalendar
import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import RidesDomain

@Suite("Tables of positions")
struct GPSTableTests {
    private func bytes(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }

    private func read(_ header: String, _ line: String, prefix: String = "") throws -> NewRecord {
        var table = try GPSTable(header: bytes(header), prefix: prefix)
        return try table.location(bytes(line))
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
    @Test func `are separated as their first line tells, and have decimal commas where no comma separates`() throws {
        let lines = [
            ("lat;lng;datetime;driver", "39,98;116,31;2008-10-23 05:53:05;001"),
            ("driver;latitude;longitude;timestamp", "001;39.98;116.31;1224741185"),
            ("driver\tlat\tlon\ttime", "001\t39,98\t+116,31\t1224741185,000"),
            ("\"driver\";\"lat\";\"lng\";\"ts, UTC\";\"ts\"", "\"001\";\"39,98\";\"116,31\";x;1224741185000"),
            (" lat , lng , time , driver ", "39.98 , 116.31 , 2008-10-23 05:53:05 , 001"),
            ("date,time,lat,lng,driver", "2008-10-23,05:53:05,39.98,116.31,001"),
            ("date;time;lat;lng;driver", "2008/10/23;05:53:05,000;39,98;116,31;001"),
        ]
        for (header, line) in lines {
            let record = try read(header, line)
            let expected = RidesDriverLocation.with { ($0.driver, $0.lat, $0.lng) = ("001", 39.98, 116.31) }
            #expect(record.value == RidesEvent.bytes(.driverLocation(expected)) && record.key == "001", "\(line)")
            #expect(record.timestamp == Timestamp(1_224_741_185_000), "\(line)")
        }
        let no = #expect(throws: Malformed.self) { try GPSTable(header: bytes("lat;lng;uid")) }
        #expect(no?.message.hasSuffix("it has lat, lng, uid") == true)
        #expect(why("lat;lng;ts;uid", "1;2;3") == "line: has 3 fields, the first line has 4")
        #expect(why("lat;lng;ts;uid", "1.234,5;2;3;a") == "lat: is 1.234,5, not a number of degrees")
    }
    @Test func `say in which unit they read numbers of time`() throws {
        var table = try GPSTable(header: bytes("lat,lng,ts,uid"))
        #expect(table.notes == [])
        for time in ["1224741185000", "2008-10-23 05:53:05", "1224741185123"] {
            _ = try table.location(bytes("1,2,\(time),7"))
        }
        #expect(table.notes == ["times read as milliseconds since 1970"])
        _ = try table.location(bytes("1,2,1224741185,7"))
        #expect(table.notes == ["times read as seconds since 1970", "times read as milliseconds since 1970"])
        var usual = try GPSTable(header: bytes("lat,lng,ts,uid"))
        _ = try usual.location(bytes("1,2,1224741185,7"))
        #expect(usual.notes == [])
    }
    @Test func `may be all of one driver, who is named`() throws {
        var table = try GPSTable(header: bytes("lat,lng,ts"), prefix: "x-", driver: "ann")
        #expect(try table.location(bytes("1,2,3")).key == "x-ann")
        var other = try GPSTable(header: bytes("lat,lng,ts,driver"), driver: "ann")
        #expect(try other.location(bytes("1,2,3,bob")).key == "ann")
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
        ("nan,116.31,2008-10-23 05:53:05,1", "lat: is nan, not a number of degrees"),
        ("0x10,116.31,2008-10-23 05:53:05,1", "lat: is 0x10, not a number of degrees"),
        ("39.98,0x1p3,2008-10-23 05:53:05,1", "lng: is 0x1p3, not a number of degrees"),
        ("39.98,inf,2008-10-23 05:53:05,1", "lng: is inf, not a number of degrees"),
        ("++1,116.31,2008-10-23 05:53:05,1", "lat: is ++1, not a number of degrees"),
        ("\"39,98\",116.31,2008-10-23 05:53:05,1", "lat: is 39,98, not a number of degrees"),
        ("39.98,-181,2008-10-23 05:53:05,1", "lng: is -181.0, it must be -180.0 to 180.0"),
        ("39.98,116.31,2008-10-23 05:53:05,a b", "driver: has a space, ':' or '#', which an identifier may not have"),
        (
            "39.98,116.31,23/10/2008,1",
            "datetime: is 23/10/2008, not 2008-10-23 05:53:05, 2008-10-23T05:53:05Z or seconds since 1970"
        ),
        ("39.98,116.31,9999-01-01 00:00:00,1", "datetime: 9999-01-01 00:00:00 is not in the years 1 to 9998"),
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
            ("1213084687.0625", 1_213_084_687_062), ("1213084687062", 1_213_084_687_062),
            ("1213084687062.9", 1_213_084_687_062), ("1213084687062500", 1_213_084_687_062),
            ("1213084687062500999", 1_213_084_687_062), ("-1213084687062", -1_213_084_687_062),
            ("99999999999", 99_999_999_999_000), ("100000000000", 100_000_000_000),
            ("2008/10/23 05:53:05", 1_224_741_185_000), ("2008-10-23 05:53:05,5", 1_224_741_185_500),
            ("2008-10-23 05:53:05+0200", 1_224_733_985_000), ("2008-10-23 05:53:05 +02:00", 1_224_733_985_000),
            ("2008-10-23 05:53:05 UTC", 1_224_741_185_000),
        ] as [(String, Int64)])
    func `have moments in three forms`(text: String, milliseconds: Int64) throws {
        #expect(try CivilTime.moment(text, "t") == Timestamp(milliseconds))
    }
    @Test(arguments: [
        "", "-", ".", "5.", "2008-10-23", "2008-10-23 05:53", "2008-13-01 00:00:00", "2008-00-01 00:00:00",
        "2008-04-31 00:00:00", "2007-02-29 00:00:00", "1900-02-29 00:00:00", "2008-10-23 24:00:00",
        "2008-10-23 05:60:00", "2008-10-23 05:53:61", "2008-10-23 05:53:05.", "2008-10-23 05:53:05+2",
        "2008-10-23 05:53:05+02:60", "2008-10-23 05:53:05 ", "0000-01-01 00:00:00", "12130846871213084687", "1e9",
        "now", "-9223372036854775808", "9223372036854775808", "0x10", "+5", "inf", "2008-10/23 05:53:05", "1,5",
        "2008-10-23 05:53:05 CET",
    ])
    func `have no other moments`(text: String) {
        #expect(throws: Malformed.self) { try CivilTime.moment(text, "t") }
    }
}
