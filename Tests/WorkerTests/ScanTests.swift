import EventModel
import Projecting
import Testing

@Suite("A scan of a view")
struct ScanTests {
    /// Rows by name and number, with a label that repeats and one that is missing.
    private static let rows: [Row] = [
        ["a", 1, "x", .real(1.0)], ["a", 2, "y", .null], ["a", 10, "x", .real(2.5)], ["b", 1, .null, .null],
        ["b", 3, "y", .real(4.0)],
        ["c", -5, "x", .real(0.5)],
    ]

    private func filled(_ carrier: Carrier, _ test: (Shelf) async throws -> Void) async throws {
        try await shelf(carrier) { shelf async throws in
            try await shelf.commit([TopicPartition("events", 0): 1]) { view in
                for row in Self.rows.reversed() { view.put(items, row) }
            }
            try await test(shelf)
        }
    }
    /// Names and numbers, as `a1`.
    private func names(_ rows: [Row]) -> [String] { rows.map { "\($0[0].text ?? "")\($0[1].integer ?? 0)" } }

    @Test(arguments: Carrier.stores)
    func `goes by the key, either way, as far as it is told`(on carrier: Carrier) async throws {
        try await filled(carrier) { shelf async throws in
            #expect(try await shelf.rows(Scan(items)) == Self.rows)
            #expect(try await shelf.rows(Scan(items, descending: true)) == Self.rows.reversed())
            #expect(try await names(shelf.rows(Scan(items, limit: 2))) == ["a1", "a2"])
            #expect(try await names(shelf.rows(Scan(items, descending: true, limit: 2))) == ["c-5", "b3"])
            #expect(try await shelf.rows(Scan(items, limit: 0)) == [])
        }
    }
    @Test(arguments: Carrier.stores)
    func `keeps to a key's first columns, and to a range of the next, both ends included`(on carrier: Carrier)
        async throws
    {
        try await filled(carrier) { shelf async throws in
            func found(_ scan: Scan) async throws -> [String] { try await names(shelf.rows(scan)) }
            #expect(try await found(Scan(items, equal: ["a"])) == ["a1", "a2", "a10"])
            #expect(try await found(Scan(items, equal: ["a", 2])) == ["a2"])
            #expect(try await found(Scan(items, equal: ["z"])) == [])
            #expect(try await found(Scan(items, equal: ["a"], from: 2, through: 10)) == ["a2", "a10"])
            #expect(try await found(Scan(items, equal: ["a"], from: 3)) == ["a10"])
            #expect(try await found(Scan(items, equal: ["a"], through: 1)) == ["a1"])
            #expect(try await found(Scan(items, equal: ["a"], from: 11)) == [])
            #expect(try await found(Scan(items, from: "b", through: "b")) == ["b1", "b3"])
            #expect(try await found(Scan(items, from: "b", descending: true)) == ["c-5", "b3", "b1"])
        }
    }
    @Test(arguments: Carrier.stores)
    func `is not needed for rows of known keys, of which those that are missing are left out`(on carrier: Carrier)
        async throws
    {
        try await filled(carrier) { shelf async throws in
            let keys: [Row] = [["c", -5], ["a", 3], ["a", 10], ["b", 1]]
            let found = try await shelf.views.read(shelf.projection) { reader, _ in try reader.rows(items, keys: keys) }
            #expect(found.sorted(by: precedes) == [Self.rows[2], Self.rows[3], Self.rows[5]])
            let none = try await shelf.views.read(shelf.projection) { reader, _ in try reader.rows(items, keys: []) }
            #expect(none == [])
        }
    }
    @Test(arguments: Carrier.stores)
    func `goes by an index, ties by the key`(on carrier: Carrier) async throws {
        try await filled(carrier) { shelf async throws in
            func found(_ scan: Scan) async throws -> [String] { try await names(shelf.rows(scan)) }
            #expect(try await found(Scan(items, by: "label")) == ["b1", "a1", "a10", "c-5", "a2", "b3"])
            #expect(
                try await found(Scan(items, by: "label", descending: true)) == ["b3", "a2", "c-5", "a10", "a1", "b1"])
            #expect(try await found(Scan(items, by: "label", equal: ["x"])) == ["a1", "a10", "c-5"])
            #expect(try await found(Scan(items, by: "label", equal: ["x", "a"])) == ["a1", "a10"])
            #expect(try await found(Scan(items, by: "label", from: "x", through: "x")) == ["a1", "a10", "c-5"])
            #expect(try await found(Scan(items, by: "number", from: 1, through: 3)) == ["a1", "b1", "a2", "b3"])
        }
    }
    @Test(arguments: Carrier.stores)
    func `finds no missing value in any range`(on carrier: Carrier) async throws {
        try await filled(carrier) { shelf async throws in
            #expect(
                try await names(shelf.rows(Scan(items, by: "label", through: "zz"))) == [
                    "a1", "a10", "c-5", "a2", "b3",
                ])
            #expect(
                try await names(shelf.rows(Scan(items, by: "label", from: ""))) == ["a1", "a10", "c-5", "a2", "b3"])
        }
    }
    @Test(arguments: Carrier.stores)
    func `goes on behind a row, in either direction`(on carrier: Carrier) async throws {
        try await filled(carrier) { shelf async throws in
            func found(_ scan: Scan) async throws -> [String] { try await names(shelf.rows(scan)) }
            #expect(try await found(Scan(items, after: ["a", 2])) == ["a10", "b1", "b3", "c-5"])
            #expect(try await found(Scan(items, after: ["a", 3])) == ["a10", "b1", "b3", "c-5"])
            #expect(try await found(Scan(items, descending: true, after: ["a", 10])) == ["a2", "a1"])
            #expect(try await found(Scan(items, equal: ["a"], after: ["a", 1], limit: 1)) == ["a2"])
            #expect(try await found(Scan(items, by: "label", equal: ["x"], after: ["x", "a", 1])) == ["a10", "c-5"])
            #expect(try await found(Scan(items, by: "number", from: 1, after: [1, "a"])) == ["b1", "a2", "b3", "a10"])
            #expect(try await found(Scan(items, after: ["c", -5])) == [])
        }
    }
    @Test(arguments: Carrier.stores, [false, true])
    func `goes on behind a row whose column has no value`(on carrier: Carrier, descending: Bool) async throws {
        try await filled(carrier) { shelf async throws in
            for index in ["label", "number", nil] {
                let whole = try await shelf.rows(Scan(items, by: index, descending: descending))
                #expect(whole.count == 6)
                for size in 1...3 {
                    var (found, scan): ([Row], Scan) = (
                        [], Scan(items, by: index, descending: descending, limit: size)
                    )
                    while true {
                        let rows = try await shelf.rows(scan)
                        found += rows
                        guard rows.count == size, let last = rows.last else { break }
                        scan.after = scan.order.map { last[$0] }
                    }
                    #expect(found == whole, "by \(index ?? "key"), \(size) at once")
                }
            }
        }
    }
    @Test(arguments: Carrier.stores)
    func `gives pages that neither skip nor repeat, while rows come and go`(on carrier: Carrier) async throws {
        try await filled(carrier) { shelf async throws in
            let first = Scan(items, by: "number", limit: 3)
            let page = try await shelf.views.read(shelf.projection) { reader, _ in try Page(of: first, in: reader) }
            #expect(names(page.rows) == ["c-5", "a1", "b1"])
            #expect(page.next == [1, "b"])
            try await shelf.commit([TopicPartition("events", 0): 2]) { view in
                view.delete(items, ["b", 1])
                view.put(items, ["aa", 1, "new, before", .null])
                view.put(items, ["aa", 2, "new, behind", .null])
            }
            let second = Scan(items, by: "number", after: page.next, limit: 10)
            let rest = try await shelf.views.read(shelf.projection) { reader, _ in try Page(of: second, in: reader) }
            #expect(names(rest.rows) == ["a2", "aa2", "b3", "a10"])
            #expect(rest.next == nil)
        }
    }
    @Test(arguments: Carrier.stores)
    func `adds up columns over all its rows, whatever its limit and cursor`(on carrier: Carrier) async throws {
        try await filled(carrier) { shelf async throws in
            #expect(try await shelf.sums([1], Scan(items)) == [12])
            #expect(try await shelf.sums([1, 1], Scan(items, equal: ["a"], limit: 1)) == [13, 13])
            #expect(try await shelf.sums([1], Scan(items, equal: ["a"], from: 2, after: ["a", 9])) == [12])
            #expect(try await shelf.sums([1], Scan(items, equal: ["z"])) == [0])
            #expect(try await shelf.sums([1], Scan(items, by: "label", equal: ["y"])) == [5])
        }
    }
    @Test(arguments: Carrier.stores)
    func `orders text by its UTF-8, and tells apart two ways to write one letter`(on carrier: Carrier) async throws {
        let sorted = ["", "A", "Z", "a", "a b", "ab", "e\u{301}", "z", "Ä", "é", "\u{ffff}", "\u{10000}"]
        try await shelf(carrier) { shelf async throws in
            try await shelf.commit([TopicPartition("events", 0): 1]) { view in
                for name in sorted.reversed() { view.put(items, [.text(name), 1, .text(name), .null]) }
            }
            #expect(try await shelf.rows(Scan(items)).map { $0[0] } == sorted.map { .text($0) })
            #expect(try await shelf.rows(Scan(items, by: "label")).map { $0[0] } == sorted.map { .text($0) })
            #expect(try await shelf.rows(Scan(items, equal: ["é"])).count == 1)
            #expect(
                try await shelf.rows(Scan(items, from: "z", through: "é")).map { $0[0] } == ["z", "Ä", "é"])
        }
    }

    @Test(arguments: Carrier.stores)
    func `can be taken whole, some rows at a time`(on carrier: Carrier) async throws {
        try await filled(carrier) { shelf async throws in
            for limit in 1...7 {
                for descending in [false, true] {
                    let scan = Scan(items, by: "number", descending: descending, limit: limit)
                    let taken = try await shelf.views.read(shelf.projection) { reader, _ in
                        var taken: [Row] = []
                        try reader.everyRow(scan) { taken.append($0) }
                        return taken
                    }
                    #expect(try await taken == shelf.rows(Scan(items, by: "number", descending: descending)))
                }
            }
        }
    }
}
