/// A run over one table in the order of its key or of an index: the only way views are read, so no query can be slow by
/// accident, and every store can serve it.
public struct Scan: Hashable, Sendable {
    /// The table that is read.
    public var table: Table
    /// Nil goes by the primary key.
    public var index: Index?
    /// Values that the first columns of the order must have.
    public var equal: Row
    /// Bounds, both inclusive, of the column after those.
    public var from: Value?
    /// The upper bound, included; nil is to the end.
    public var through: Value?
    /// Whether the last row of the order comes first.
    public var descending: Bool
    /// Goes on after the row with these values in the order's columns.
    public var after: Row?
    /// The most rows that are read.
    public var limit: Int

    /// A run over a table, by its primary key or by one of its indexes.
    public init(
        _ table: Table, by index: String? = nil, equal: Row = [], from: Value? = nil, through: Value? = nil,
        descending: Bool = false, after: Row? = nil, limit: Int = Limits.pageRows
    ) {
        self.table = table
        self.index = index.map { name in
            guard let index = table.indexes.first(where: { $0.name == name }) else {
                preconditionFailure("\(table.name) has no index \(name)")
            }
            return index
        }
        self.equal = equal
        self.from = from
        self.through = through
        self.descending = descending
        self.after = after
        self.limit = limit
    }

    /// The same scan as one page of it: so many rows, after where the page before ended.
    public func page(_ arguments: Arguments) -> Scan {
        var page = self
        (page.limit, page.after) = (arguments.limit, arguments.cursor)
        return page
    }

    /// Positions of the columns in whose order the scan goes.
    public var order: [Int] { table.order(by: index) }
}

/// A view as one moment shows it. Calls block; a store makes them on a thread of its own.
public protocol ViewReader {
    func rows(_ scan: Scan) throws -> [Row]
    /// The rows of some primary keys; those that are missing are left out.
    func rows(_ table: Table, keys: [Row]) throws -> [Row]
    /// The sums of some columns, by position, over all rows of a scan; its limit and cursor do not count. A domain names them
    /// by their fields.
    func sums(_ columns: [Int], over scan: Scan) throws -> [Int64]
}

extension ViewReader {
    /// Reads the keys one after another: for a reader that has no quicker way.
    public func rows(_ table: Table, keys: [Row]) throws -> [Row] {
        try keys.flatMap { try rows(Scan(table, equal: $0, limit: 1)) }
    }

    /// Takes all rows of a scan, however many there are, reading its limit of them at a time.
    public func everyRow(_ scan: Scan, _ body: (Row) throws -> Void) throws {
        var scan = scan
        while true {
            let rows = try rows(scan)
            for row in rows { try body(row) }
            guard rows.count == scan.limit, let last = rows.last else { return }
            scan.after = scan.order.map { last[$0] }
        }
    }
}

/// What a query answers.
public struct Page: Sendable {
    /// What the values of each row are, in order.
    public var columns: [Column]
    /// In the query's order.
    public var rows: [Row]
    /// The last row's place in the order where more may follow.
    public var next: Row?
    /// A page whose rows are made by the query.
    public init(columns: [Column], rows: [Row], next: Row? = nil) {
        self.columns = columns
        self.rows = rows
        self.next = next
    }

    /// A page of whole rows, with a cursor where the scan was cut by its limit.
    public init(of scan: Scan, in reader: any ViewReader) throws {
        var wider = scan
        wider.limit += 1
        var rows = try reader.rows(wider)
        let more = rows.count > scan.limit
        if more { rows.removeLast() }
        let next = more ? rows.last.map { row in scan.order.map { row[$0] } } : nil
        self.init(columns: scan.table.columns, rows: rows, next: next)
    }
}

/// A question that people ask of one projection.
public struct Query: Sendable {
    /// With its domain: `tickets.seats`.
    public let name: String
    /// One sentence, for people.
    public let about: String
    /// The projection it reads, with its domain.
    public let projection: String
    /// What it may be asked with.
    public let parameters: [Parameter]
    /// Rows of a page where the asker does not say.
    public let page: Int
    /// Reads the rows that answer it.
    public let answer: @Sendable (Arguments, any ViewReader) throws -> Page

    /// Declares a query, for ``Domain/answering(_:)``.
    public init(
        _ name: String, _ about: String, of projection: String, _ parameters: [any DeclaredParameter], page: Int = 100,
        answer: @escaping @Sendable (Arguments, any ViewReader) throws -> Page
    ) {
        self.name = name
        self.about = about
        self.projection = projection
        self.parameters = parameters.map(\.declaration)
        self.page = page
        self.answer = answer
    }
}
