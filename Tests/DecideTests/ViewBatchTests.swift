import EventModel
import Testing

@Suite("A view's batch")
struct ViewBatchTests {
    private let seats = Table(
        "seats", key: [Column("section", .text), Column("seat", .integer)], columns: [Column("status", .text)])
    private let counts = Table(
        "counts", key: [Column("path", .text)], columns: [Column("hits", .integer), Column("bytes", .integer)])
    private let names = Table("names", key: [Column("name", .text)], columns: [Column("seats", .integer)])

    /// A store's rows, and what was asked of it.
    private final class Store {
        var rows: [Row: Row] = [:]
        var asked: [Row] = []
        var batch: ViewBatch {
            ViewBatch { _, key in
                self.asked.append(key)
                return self.rows[key]
            }
        }
    }

    /// The changes as text, so that their order shows.
    private func written(_ batch: ViewBatch) -> [String] {
        batch.changes().flatMap { table, changes in
            changes.map { change in
                switch change {
                case .upsert(let row): "\(table.name) \(text(row))"
                case .delete(let key): "\(table.name) -\(text(key))"
                }
            }
        }
    }
    private func text(_ row: Row) -> String {
        row.map { $0.text ?? $0.integer.map(String.init) ?? "null" }.joined(separator: ",")
    }

    @Test func `a row is loaded once`() throws {
        let store = Store()
        store.rows[["A", 1]] = ["A", 1, "free"]
        let batch = store.batch
        #expect(try batch.row(seats, ["A", 1]) == ["A", 1, "free"])
        #expect(try batch.row(seats, ["A", 1]) == ["A", 1, "free"])
        #expect(try batch.row(seats, ["A", 2]) == nil)
        #expect(try batch.row(seats, ["A", 2]) == nil)
        #expect(store.asked == [["A", 1], ["A", 2]])
        #expect(written(batch) == [], "reading writes nothing")
    }

    @Test func `what was put or deleted is read back without loading`() throws {
        let store = Store()
        store.rows[["A", 1]] = ["A", 1, "free"]
        let batch = store.batch
        batch.put(seats, ["A", 2, "held"])
        batch.delete(seats, ["A", 1])
        #expect(try batch.row(seats, ["A", 2]) == ["A", 2, "held"])
        #expect(try batch.row(seats, ["A", 1]) == nil)
        #expect(store.asked.isEmpty)
    }

    @Test func `a row changed many times is written once, as it is last`() throws {
        let store = Store()
        store.rows[["A", 1]] = ["A", 1, "free"]
        let batch = store.batch
        #expect(try batch.update(seats, ["A", 1]) { $0[2] = "held" })
        #expect(try batch.update(seats, ["A", 1]) { $0[2] = "sold" })
        #expect(try !batch.update(seats, ["A", 9]) { $0[2] = "sold" })
        batch.put(seats, ["B", 1, "free"])
        batch.delete(seats, ["B", 1])
        batch.delete(seats, ["C", 1])
        batch.put(seats, ["C", 1, "free"])
        #expect(written(batch) == ["seats A,1,sold", "seats -B,1", "seats C,1,free"])
    }

    @Test func `changes come by table and key, whatever the order they were made in`() {
        let batch = Store().batch
        for row in [["b", 2, "x"], ["a", 10, "x"], ["a", 9, "x"], ["B", 1, "x"], ["b", 1, "x"]] as [Row] {
            batch.put(seats, row)
        }
        batch.put(counts, ["/", 1, 1])
        #expect(
            written(batch) == [
                "counts /,1,1", "seats B,1,x", "seats a,9,x", "seats a,10,x", "seats b,1,x", "seats b,2,x",
            ])
    }

    @Test func `additions are summed by key without reading a row`() {
        let store = Store()
        let batch = store.batch
        batch.add(counts, ["/b"], [1, 100])
        batch.add(counts, ["/a"], [1, 5])
        batch.add(counts, ["/b"], [2, -30])
        let additions = batch.additions()
        #expect(additions.map(\.table) == [counts])
        #expect(additions.flatMap(\.rows).map(\.key) == [["/a"], ["/b"]])
        #expect(additions.flatMap(\.rows).map(\.deltas) == [[1, 5], [3, 70]])
        #expect(store.asked.isEmpty)
        #expect(written(batch).isEmpty)
    }

    @Test func `a row that cannot be loaded fails the fold and is asked for again`() throws {
        struct Unreachable: Error {}
        var failures = 1
        let batch = ViewBatch { _, _ in
            failures -= 1
            if failures >= 0 { throw Unreachable() }
            return ["A", 1, "free"]
        }
        #expect(throws: Unreachable.self) { try batch.row(seats, ["A", 1]) }
        #expect(try batch.row(seats, ["A", 1]) == ["A", 1, "free"])
    }

    @Test func `keys that differ only in how an accent is written are two rows, as in SQL`() throws {
        let (composed, decomposed) = ("Zo\u{eb}", "Zoe\u{308}")
        let batch = Store().batch
        batch.put(counts, [Value(composed), 1, 1])
        batch.put(counts, [Value(decomposed), 2, 2])
        #expect(try batch.row(counts, [Value(composed)]) == [Value(composed), 1, 1])
        #expect(batch.changes().flatMap(\.changes).count == 2)
        batch.add(names, [Value(composed)], [1])
        batch.add(names, [Value(decomposed)], [1])
        #expect(batch.additions().flatMap(\.rows).map(\.deltas) == [[1], [1]])
    }

    @Test func `a table that is only written keeps the last of each key, and all when it is read after`() throws {
        let batch = Store().batch
        batch.put(seats, ["A", 1, "free"])
        batch.put(seats, ["A", 2, "free"])
        batch.put(seats, ["A", 1, "held"])
        batch.delete(seats, ["A", 2])
        #expect(written(batch) == ["seats A,1,held", "seats -A,2"])
        #expect(try batch.row(seats, ["A", 1]) == ["A", 1, "held"])
        #expect(try batch.row(seats, ["A", 2]) == nil)
        batch.put(seats, ["A", 1, "sold"])
        #expect(written(batch) == ["seats A,1,sold", "seats -A,2"])
    }

    @Test func `keys of every kind come in the order of rows`() {
        let table = Table("any", key: [Column("a", .text), Column("b", .integer)], columns: [])
        let firsts: [Value] = [
            .null, .real(-1e300), .integer(.min), .integer(-3), .real(-2.5), .integer(-1), .real(-0.0), .integer(0),
            .integer(1), .real(1.5), .integer(4_611_686_018_427_387_904), .integer(4_611_686_018_427_387_905),
            .integer(.max), .text(""), .text("\0"), .text("a"), .text("a\0"), .text("abcdefg"), .text("abcdefgh"),
            .text("abcdefgha"), .text("abcdefghb"), .text("abcdefgi"), .text("b"), .text("\u{e9}"), .text("\u{1F600}"),
        ]
        let batch = Store().batch
        for first in firsts.reversed() { for second in [7, -7] as [Value] { batch.put(table, [first, second]) } }
        let keys = batch.changes().flatMap(\.changes).map { change -> Row in
            switch change {
            case .upsert(let row): row
            case .delete(let key): key
            }
        }
        #expect(keys.count == 2 * firsts.count)
        #expect(zip(keys, keys.dropFirst()).allSatisfy { !precedes($1, $0) })
        // -0.0 and 0 are of one place, told apart by the second value.
        let apart = keys.filter { $0[0].real != 0 }
        #expect(apart == firsts.filter { $0.real != 0 }.flatMap { [[$0, -7], [$0, 7]] })
    }

    @Test func `stops a fold that adds to the rows of a table and reads or writes them too`() async {
        await #expect(processExitsWith: .failure) {
            let counts = Table("counts", key: [Column("path", .text)], columns: [Column("hits", .integer)])
            let batch = ViewBatch { _, _ in nil }
            batch.add(counts, ["/"], [1])
            _ = try batch.row(counts, ["/"])
        }
        await #expect(processExitsWith: .failure) {
            let counts = Table("counts", key: [Column("path", .text)], columns: [Column("hits", .integer)])
            let batch = ViewBatch { _, _ in nil }
            batch.put(counts, ["/", 1])
            batch.add(counts, ["/"], [1])
        }
    }
}
