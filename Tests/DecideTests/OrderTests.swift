import Testing

@testable import EventModel

@Suite("The order of rows")
struct OrderTests {
    @Test func `null comes before numbers, and numbers before text`() {
        let rows: [Row] = [[.null], [-5], [.real(-1.5)], [0], [.real(0.5)], [7], [""], ["10"], ["9"], ["a"], ["ä"]]
        for (i, a) in rows.enumerated() {
            for (j, b) in rows.enumerated() { #expect(precedes(a, b) == (i < j), "\(a) and \(b)") }
        }
    }

    @Test func `text goes by its UTF-8`() {
        // UTF-16 would put the first of these before the second.
        #expect(precedes(["\u{ff5e}"], ["\u{1f600}"]))
        #expect(precedes(["Z"], ["a"]))
        #expect(precedes(["z"], ["é"]))
        #expect(precedes(["e\u{301}"], ["\u{e9}"]), "one letter, written in two ways")
        #expect(!precedes(["\u{e9}"], ["e\u{301}"]))
    }

    @Test func `the first difference decides, and a part comes before the whole`() {
        #expect(precedes(["a", 2], ["b", 1]))
        #expect(precedes(["a", 1], ["a", 2]))
        #expect(!precedes(["a", 2], ["a", 2]))
        #expect(precedes(["a"], ["a", .null]))
        #expect(!precedes(["a", .null], ["a"]))
        #expect(precedes([], ["a"]))
    }

    @Test func `integers too large for a floating point number are told apart`() {
        let large: Int64 = 1 << 53
        #expect(precedes([Value(large)], [Value(large + 1)]))
        #expect(!precedes([Value(large + 1)], [Value(large)]))
        #expect(precedes([Value(Int64.max - 1)], [Value(Int64.max)]))
    }

    @Test func `a number that is equal leaves the next column to decide`() {
        #expect(precedes([1, "a"], [.real(1), "b"]))
        #expect(!precedes([.real(1), "b"], [1, "a"]))
    }

    @Test func `where beginnings differ, rows differ likewise`() {
        let values: [Value] = [
            .null, 0, -1, 1, .real(1), .real(-0.0), .real(0.5), 256, Value(1 << 53), Value((1 << 53) + 1),
            Value(Int64.max),
            Value(Int64.min), .real(1e300), "", "\0", "\0\0", "a", "a\0", "a\0b", "ab", "\u{1}", "é", "\u{10ffff}",
            "a reader", "a reader whose name is long", "a reader whose name is longer",
        ]
        var rows: [Row] = values.map { [$0] }
        for a in values { for b in values { rows.append([a, b]) } }
        for a in ["", "a", "a\0", "twenty-two characters."] as [Value] {
            for b in values { rows += [[a, b, 1], [a, b, 2]] }
        }
        var decided = 0
        for a in rows {
            for b in rows where RowPrefix(a) < RowPrefix(b) {
                decided += 1
                if !precedes(a, b) { Issue.record("\(a) is not before \(b)") }
            }
        }
        #expect(decided > rows.count * (rows.count - 1) / 3, "most rows of one length are told apart")
    }

    private let seats = Table(
        "seats", key: [Column("section", .text), Column("seat", .integer)],
        columns: [Column("status", .text), Column("holder", .text)],
        indexes: [
            Index("by-status", ["status"]), Index("by-seat", ["seat"]), Index("by-holder", ["holder", "section"]),
        ])

    @Test func `a table's columns are its key and then the others`() {
        #expect(seats.key == 2)
        #expect(seats.columns.map(\.name) == ["section", "seat", "status", "holder"])
    }

    @Test func `a scan goes by the key, or by an index and then the rest of the key`() {
        #expect(Scan(seats).order == [0, 1])
        #expect(Scan(seats, by: "by-status").order == [2, 0, 1])
        #expect(Scan(seats, by: "by-seat").order == [1, 0])
        #expect(Scan(seats, by: "by-holder").order == [3, 0, 1])
    }

    private struct Rows: ViewReader {
        var rows: [Row]
        func rows(_ scan: Scan) -> [Row] { Array(rows.prefix(scan.limit)) }
        func sums(_ columns: [Int], over scan: Scan) -> [Int64] { columns.map { _ in 0 } }
    }

    @Test func `a page has a cursor only where more may follow`() throws {
        let rows: [Row] = [["A", 1, "free", ""], ["A", 2, "held", "ann"], ["B", 1, "sold", "ben"]]
        let cut = try Page(of: Scan(seats, by: "by-status", limit: 2), in: Rows(rows: rows))
        #expect(cut.rows == Array(rows.prefix(2)))
        #expect(cut.next == ["held", "A", 2])
        let whole = try Page(of: Scan(seats, by: "by-status", limit: 3), in: Rows(rows: rows))
        #expect(whole.rows == rows)
        #expect(whole.next == nil)
        #expect(whole.columns == seats.columns)
        #expect(try Page(of: Scan(seats), in: Rows(rows: [])).next == nil)
    }
}
