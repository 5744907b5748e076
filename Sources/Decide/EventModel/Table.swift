/// One value of a view's row.
public enum Value: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)

    public var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    public var text: String? { if case .text(let value) = self { value } else { nil } }
    public var real: Double? {
        switch self {
        case .real(let value): value
        case .integer(let value): Double(value)
        default: nil
        }
    }
}

extension Value {
    /// Text is equal where its UTF-8 is, as in SQL; Swift's own strings also take two ways to write one letter as equal.
    public static func == (a: Value, b: Value) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.integer(let a), .integer(let b)): a == b
        case (.real(let a), .real(let b)): a == b
        case (.text(let a), .text(let b)): a == b && a.utf8.elementsEqual(b.utf8)
        default: false
        }
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(_ value: String) { self = .text(value) }
    public init(_ value: Int64) { self = .integer(value) }
    public init(_ value: Int32) { self = .integer(Int64(value)) }
    public init(_ value: Int) { self = .integer(Int64(value)) }
    public init(_ value: Timestamp) { self = .integer(value.rawValue) }
    public init(_ value: Partition) { self = .integer(Int64(value.rawValue)) }
}

/// A column of a view's table.
public struct Column: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        case text, integer, real
        /// Milliseconds since 1970 UTC, kept as an integer and shown as RFC 3339.
        case timestamp
    }
    public var name: String
    public var kind: Kind
    /// What it means, for `millrace views`.
    public var about: String
    /// Digits behind the point that people are shown of a real number.
    public var decimals: Int
    public init(_ name: String, _ kind: Kind, _ about: String = "", decimals: Int = 3) {
        self.name = name
        self.kind = kind
        self.about = about
        self.decimals = decimals
    }
}

/// Another order in which a table can be scanned.
public struct Index: Hashable, Sendable {
    public var name: String
    /// Positions of its columns. The table's key follows them, so that the order is total.
    public var columns: [Int]
    public init(_ name: String, _ columns: [Int]) {
        self.name = name
        self.columns = columns
    }
}

/// A table of a view. A row is its values in the order of `columns`; the first `key` of them are its primary key.
public struct Table: Hashable, Sendable {
    public var name: String
    public var about: String
    public var columns: [Column]
    /// How many of the first columns are the primary key.
    public var key: Int
    public var indexes: [Index]
    public init(_ name: String, _ about: String = "", key: [Column], columns: [Column], indexes: [Index] = []) {
        precondition(!key.isEmpty, "a table needs a key")
        self.name = name
        self.about = about
        self.key = key.count
        self.columns = key + columns
        self.indexes = indexes
    }

    /// The place of a column that there is.
    public func position(_ name: String) -> Int {
        guard let position = columns.firstIndex(where: { $0.name == name }) else {
            preconditionFailure("\(self.name) has no column \(name)")
        }
        return position
    }

    /// The columns in whose order a scan by `index` goes, all of the key last.
    public func order(by index: Index?) -> [Int] {
        let leading = index?.columns ?? []
        return leading + (0..<key).filter { !leading.contains($0) }
    }
}

public typealias Row = [Value]

/// What a projection reads and writes while it folds one batch: rows are loaded once and written once.
///
/// One thread owns it from start to end. A view store gives it the rows it asks for, and afterwards takes what changed.
public final class ViewBatch {
    public enum Change { case upsert(Row), delete(key: Row) }

    struct Slot {
        var row: Row?
        var dirty: Bool
    }

    private let load: (Table, _ key: Row) throws -> Row?
    /// Why a row could not be loaded: no fault of the event that asked for it.
    public private(set) var failure: (any Error)?
    private var slots: [Table: [Row: Slot]] = [:]
    private var sums: [Table: [Row: [Int64]]] = [:]

    public init(load: @escaping (Table, _ key: Row) throws -> Row?) { self.load = load }

    /// The row of that key as it stands now, nil where there is none.
    public func row(_ table: Table, _ key: Row) throws -> Row? {
        if let slot = slots[table]?[key] { return slot.row }
        let row: Row?
        do {
            row = try load(table, key)
        } catch {
            failure = error
            throw error
        }
        slots[table, default: [:]][key] = Slot(row: row, dirty: false)
        return row
    }

    /// Writes a whole row, in place of one with the same key.
    public func put(_ table: Table, _ row: Row) {
        precondition(row.count == table.columns.count, "a row of \(table.name) has \(table.columns.count) values")
        slots[table, default: [:]][Array(row.prefix(table.key))] = Slot(row: row, dirty: true)
    }

    /// Changes a row where there is one; says whether there was.
    @discardableResult
    public func update(_ table: Table, _ key: Row, _ change: (inout Row) -> Void) throws -> Bool {
        guard var row = try row(table, key) else { return false }
        change(&row)
        put(table, row)
        return true
    }

    public func delete(_ table: Table, _ key: Row) {
        slots[table, default: [:]][key] = Slot(row: nil, dirty: true)
    }

    /// Adds to the integer columns after the key without reading the row: a row that is missing counts as zeros.
    ///
    /// A table whose rows are added to is never put to, nor read from in a fold.
    public func add(_ table: Table, _ key: Row, _ deltas: [Int64]) {
        precondition(table.key + deltas.count == table.columns.count, "\(table.name): one delta a column after the key")
        if sums[table]?[key] == nil {
            sums[table, default: [:]][key] = deltas
        } else {
            for (i, delta) in deltas.enumerated() { sums[table]![key]![i] += delta }
        }
    }

    /// The rows put or deleted, by key, so that the same batch writes in the same order.
    public func changes() -> [(table: Table, changes: [Change])] {
        slots.sorted { $0.key.name < $1.key.name }.map { table, rows in
            let dirty = rows.filter(\.value.dirty).sorted { precedes($0.key, $1.key) }
            return (table, dirty.map { key, slot in slot.row.map(Change.upsert) ?? .delete(key: key) })
        }
    }

    /// The rows added to, by key.
    public func additions() -> [(table: Table, rows: [(key: Row, deltas: [Int64])])] {
        sums.sorted { $0.key.name < $1.key.name }.map { table, rows in
            (table, rows.sorted { precedes($0.key, $1.key) }.map { (key: $0.key, deltas: $0.value) })
        }
    }
}

/// The order of rows as SQL sorts them: null, numbers, text by its UTF-8.
public func precedes(_ a: Row, _ b: Row) -> Bool {
    for (x, y) in zip(a, b) where x != y {
        switch (x, y) {
        case (.null, _): return true
        case (_, .null): return false
        case (.text(let x), .text(let y)): return x.utf8.lexicographicallyPrecedes(y.utf8)
        case (.text, _): return false
        case (_, .text): return true
        case (.integer(let x), .integer(let y)): return x < y
        default:
            // 1 and 1.0 differ as values, not in order.
            let (x, y) = (x.real ?? 0, y.real ?? 0)
            if x != y { return x < y }
        }
    }
    return a.count < b.count
}
