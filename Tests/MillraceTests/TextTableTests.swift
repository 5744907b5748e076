import EventModel
import Testing

@testable import MillraceApp

@Suite("A table")
struct TextTableTests {
    private static func table(_ text: String = "a long text that nobody needs whole") -> TextTable {
        TextTable(
            [
                Column("id", .text), Column("text", .text), Column("note", .text), Column("count", .integer),
                Column("at", .timestamp),
            ],
            [
                [.text("key-1"), .text(text), .text("short"), .integer(1234), Value(Timestamp(0))],
                [.text("key-2"), .text("家族家族家族家族家族家族家族家族"), .text("-"), .integer(7), Value(Timestamp(0))],
            ], keys: ["id"])
    }

    private static func widths(_ text: String) -> [Int] {
        text.split(separator: "\n").map { DisplayWidth.of(String($0)) }
    }

    @Test func `is as wide as it is where nothing has to fit`() {
        let text = Self.table().text(within: nil)
        #expect(text.contains("a long text that nobody needs whole  short   1234  1970-01-01T00:00:00Z"))
    }

    @Test(arguments: 50...90)
    func `fits, and has keys, numbers and moments whole`(_ width: Int) {
        let text = Self.table().text(within: width)
        #expect(Self.widths(text).max() ?? 0 <= width, "\(text)")
        for whole in ["key-1", "key-2", "1234", "1970-01-01T00:00:00Z"] { #expect(text.contains(whole), "\(text)") }
        #expect(text.split(separator: "\n").count == 3, "\(text)")
    }

    @Test func `shortens the widest text first`() {
        let text = Self.table().text(within: 60)
        #expect(text.contains("…") && text.contains("short"), "\(text)")
    }

    @Test func `cuts a header before a value`() {
        let table = TextTable(header: ["partitions", "b"], rows: [["8", "value"]], right: [0])
        #expect(table.text(within: 11) == "PAR…  B\n   8  value\n")
    }

    @Test func `cuts a long key before it gives up`() {
        let table = TextTable(
            [Column("id", .text), Column("at", .timestamp)],
            [[.text("7c2fdcd4-8c6d-4a98-9c2a-721e43b5a7c3"), Value(Timestamp(0))]], keys: ["id"])
        #expect(table.text(within: 40).contains("7c2fdcd4-8c…  1970-01-01T00:00:00Z"))
    }

    @Test func `leaves out and names what is empty in every row, where all columns do not fit`() {
        let table = TextTable(
            header: ["id", "reply to", "text", "quote", "count"],
            rows: [["a-key-that-is-long", "-", "one", "", "1"], ["another-key", "", "two", "-", "22"]], right: [4],
            keys: [0])
        #expect(
            table.text(within: 32) == """
                ID                  TEXT  COUNT
                a-key-that-is-long  one       1
                another-key         two      22
                (empty in every row: reply to,
                quote)

                """)
        #expect(table.text(within: 60).contains("REPLY TO") && !table.text(within: 60).contains("empty"))
        // A part of a longer table has the columns of the others.
        var part = table
        part.hasHeader = false
        #expect(!part.text(within: 32).contains("empty"))
    }

    @Test func `has one field a line where columns do not fit`() {
        let text = Self.table().text(within: 30)
        #expect(text.hasPrefix("ID     key-1\nTEXT   a long text that nobody\n       needs whole\nNOTE"), "\(text)")
        #expect(text.contains("\n\nID     key-2\n") && text.contains("AT     1970-01-01T00:00:00Z"), "\(text)")
        #expect(Self.widths(text).dropLast().max() ?? 0 <= 39)
    }

    @Test func `lets its last column go on below where that is prose`() {
        let table = TextTable(
            header: ["  field", "type", ""],
            rows: [["  seats", "string", "Seats as ROW-NUMBER, for example A-12, of one section"]], isProse: true)
        #expect(
            table.text(within: 46) == """
                  FIELD  TYPE
                  seats  string  Seats as ROW-NUMBER, for
                                 example A-12, of one section

                """)
        #expect(table.text(within: nil).split(separator: "\n").count == 2)
    }

    @Test func `cannot be broken by what is in it`() {
        let text = Self.table("a\u{1b}[31m\nb\u{202e}c").text(within: 80)
        #expect(text.contains(#"a\u{1b}[31m↵b\u{202e}c"#) && !text.contains("\u{1b}"))
    }
}
