public import EventModel

/// What came of holding two states of one view against each other.
public struct Comparison: Sendable {
    public struct Counted: Sendable, Hashable {
        public var table: String
        /// Rows of the view that was examined.
        public var rows: Int
        /// A hash of these rows in the order of their key.
        public var hash: UInt64
        /// Rows that differ, are missing or too many.
        public var differences: Int
    }
    /// A row that is not as it should be.
    public struct Difference: Sendable, Hashable {
        public var table: Table
        /// The row that should be there.
        public var expected: Row?
        /// The row that is there.
        public var found: Row?

        /// The values of the row's key.
        public var key: Row { Array((expected ?? found ?? []).prefix(table.key)) }
        /// The positions of the columns that differ, where both rows are there.
        public var columns: [Int] {
            guard let expected, let found else { return [] }
            return table.columns.indices.filter { expected[$0] != found[$0] }
        }
    }
    public var tables: [Counted] = []
    /// The first differences of each table.
    public var first: [Difference] = []
    public var isEqual: Bool { tables.allSatisfy { $0.differences == 0 } }

    /// Rows read at once of each side.
    static let page = 5000

    /// Compares all rows of two states, table by table in the order of the key.
    ///
    /// - Parameter most: How many differences of a table are kept; all are counted.
    public init(
        of projection: AnyProjection, found: any ViewSnapshot, expected: any ViewSnapshot, keeping most: Int = 5
    ) async throws {
        for table in projection.tables {
            var (left, right) = (Rows(table, found), Rows(table, expected))
            var counted = Counted(table: table.name, rows: 0, hash: 0, differences: 0)
            var hash = FNV1a()
            var kept = 0
            func differ(_ found: Row?, _ expected: Row?) {
                counted.differences += 1
                kept += 1
                if kept <= most { first.append(Difference(table: table, expected: expected, found: found)) }
            }
            var (l, r) = (try await left.next(), try await right.next())
            while l != nil || r != nil {
                let isBefore = Self.order(l, r, table)
                if isBefore <= 0, let row = l {
                    counted.rows += 1
                    for value in row { hash.add(value) }
                }
                if isBefore < 0 {
                    differ(l, nil)
                } else if isBefore > 0 {
                    differ(nil, r)
                } else if l != r {
                    differ(l, r)
                }
                if isBefore <= 0 { l = try await left.next() }
                if isBefore >= 0 { r = try await right.next() }
            }
            counted.hash = hash.value
            tables.append(counted)
        }
    }

    /// Below 0 where the first row's key comes before the second's; no row is after all others.
    private static func order(_ a: Row?, _ b: Row?, _ table: Table) -> Int {
        guard let a else { return 1 }
        guard let b else { return -1 }
        let keys = (Array(a.prefix(table.key)), Array(b.prefix(table.key)))
        return keys.0 == keys.1 ? 0 : precedes(keys.0, keys.1) ? -1 : 1
    }

    /// One side's rows, a page at a time.
    private struct Rows {
        let snapshot: any ViewSnapshot
        var scan: Scan
        var page: ArraySlice<Row> = []
        var isLast = false

        init(_ table: Table, _ snapshot: any ViewSnapshot) {
            self.snapshot = snapshot
            scan = Scan(table, limit: Comparison.page)
        }

        mutating func next() async throws -> Row? {
            if page.isEmpty, !isLast {
                let scan = scan
                page = try await snapshot.read { try $0.rows(scan) }[...]
                isLast = page.count < scan.limit
                self.scan.after = page.last.map { row in scan.order.map { row[$0] } }
            }
            return page.popFirst()
        }
    }
}

extension FNV1a {
    /// Adds a value in a form that tells kinds and lengths apart.
    mutating func add(_ value: Value) {
        switch value {
        case .null: add(UInt8(0))
        case .integer(let value): add(1, UInt64(bitPattern: value))
        case .real(let value): add(2, value.bitPattern)
        case .text(var text):
            add(3, UInt64(text.utf8.count))
            text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
        }
    }

    private mutating func add(_ tag: UInt8, _ number: UInt64) {
        add(tag)
        withUnsafeBytes(of: number.littleEndian) { add($0) }
    }
}
