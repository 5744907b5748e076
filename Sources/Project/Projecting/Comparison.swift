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
            func differ(_ found: Row?, _ expected: Row?) {
                counted.differences += 1
                if counted.differences <= most {
                    first.append(Difference(table: table, expected: expected, found: found))
                }
            }
            var (l, r) = (try await left.next(), try await right.next())
            while l != nil || r != nil {
                // The rows of the key that comes first: of both sides, or of one of them.
                let order = Self.order(l, r, table)
                let (found, expected) = (order <= 0 ? l : nil, order >= 0 ? r : nil)
                if let found {
                    counted.rows += 1
                    for value in found { hash.add(value) }
                    l = try await left.next()
                }
                if expected != nil { r = try await right.next() }
                if found != expected { differ(found, expected) }
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
        case .integer(let value):
            add(UInt8(1))
            add(number: value)
        case .real(let value):
            add(UInt8(2))
            add(number: Int64(bitPattern: value.bitPattern))
        case .text(var text):
            add(UInt8(3))
            add(number: Int64(text.utf8.count))
            text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
        }
    }
}
