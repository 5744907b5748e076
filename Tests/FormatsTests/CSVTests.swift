import EventModel
import Testing

@testable import CSVText

@Suite("Comma-separated values")
struct CSVTests {
    private func fields(_ line: String) throws -> [String] { try CSV.fields(Array(line.utf8)[...]) }

    @Test func `fields are split at commas, also empty ones`() throws {
        #expect(try fields("a,b,c") == ["a", "b", "c"])
        #expect(try fields("") == [""])
        #expect(try fields(",") == ["", ""])
        #expect(try fields("a,,ü") == ["a", "", "ü"])
    }
    @Test func `a field in quotes may have commas and doubled quotes`() throws {
        #expect(try fields(#""a,b",c"#) == ["a,b", "c"])
        #expect(try fields(#""say ""hi""","""#) == [#"say "hi""#, ""])
        #expect(try fields(#"a"b,c"#) == [#"a"b"#, "c"])
    }
    @Test(arguments: [#""a"#, #""a"b,c"#, #"x,""#])
    func `quotes that do not close are told`(line: String) {
        #expect(throws: Malformed.self) { try fields(line) }
    }
    @Test(arguments: [
        (#"a,"b"#, true), (#"a,"b"c""#, false), (#"a"b"#, false), (#"a,"b"","#, true), (#"a;"b"#, true),
        ("a\t\"b", true),
        (#""""#, false), (#""""""#, false), (#"a, "b"#, false), ("", false),
    ])
    func `a line that ends within a quoted field is told`(line: String, isOpen: Bool) {
        var quotes = CSVQuotes()
        quotes.add(Array(line.utf8)[...])
        #expect(quotes.isOpen == isOpen)
        quotes.add(Array(#"x",y"#.utf8)[...])
        #expect(!quotes.isOpen)
    }
    @Test func `a quoted field may have line feeds`() throws {
        #expect(try fields("a,\"b\nc\",d") == ["a", "b\nc", "d"])
    }
    @Test func `bytes that are not UTF-8 are told with their field`() {
        #expect(throws: Malformed("field 2", "is not UTF-8")) { try CSV.fields([0x61, 0x2c, 0xff]) }
    }
    @Test func `a header finds columns by any of their names, wherever they stand`() throws {
        let header = try CSVHeader(
            Array("\u{feff}LAT,lon,when\r".utf8.dropLast())[...], needed: [["lat"], ["lng", "lon"]],
            optional: [["uid"], ["at", "when"]])
        let row = try header.row(Array("1,2,".utf8)[...])
        #expect(row["lat"] == "1" && row["lng"] == "2" && row["uid"] == nil && row["at"] == nil)
        #expect(throws: Malformed("at", "is missing")) { try row.required("at") }
        #expect(throws: Malformed("line", "has 2 fields, the first line has 3")) {
            try header.row(Array("1,2".utf8)[...])
        }
    }
    @Test func `a header without a needed column is refused with what there is`() {
        let no = #expect(throws: Malformed.self) {
            try CSVHeader(Array("a,b".utf8)[...], needed: [["lat", "latitude"]])
        }
        #expect(no?.message == "the first line: names no column lat or latitude; it has a, b")
    }
}
