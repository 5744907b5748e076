/// One value of a view's row.
public enum Value: Hashable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)

    /// The number; nil of another kind.
    public var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    /// The text; nil of another kind.
    public var text: String? { if case .text(let value) = self { value } else { nil } }
    /// The real number, or an integer as one; nil of another kind.
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
    /// A text.
    public init(_ value: String) { self = .text(value) }
    /// A number.
    public init(_ value: Int64) { self = .integer(value) }
    /// A number.
    public init(_ value: Int32) { self = .integer(Int64(value)) }
    /// A number.
    public init(_ value: Int) { self = .integer(Int64(value)) }
    /// A moment, as its milliseconds since 1970.
    public init(_ value: Timestamp) { self = .integer(value.rawValue) }
    /// A partition, as its number.
    public init(_ value: Partition) { self = .integer(Int64(value.rawValue)) }
}

/// A column of a view's table.
public struct Column: Hashable, Sendable {
    /// What the values of a column are.
    public enum Kind: String, Hashable, Sendable {
        case text, integer, real
        /// Milliseconds since 1970 UTC, kept as an integer and shown as RFC 3339.
        case timestamp
    }
    /// As SQL has it: `row_label`. JSON has it as `rowLabel`.
    public var name: String
    /// What its values are.
    public var kind: Kind
    /// What it means, for `millrace views`.
    public var about: String
    /// Digits behind the point that people are shown of a real number.
    public var decimals: Int
    /// Of an amount of money in minor units, the column with the code of its currency: people are shown major units.
    public var currency: String?
    /// Declares a column.
    public init(_ name: String, _ kind: Kind, _ about: String = "", decimals: Int = 3, currency: String? = nil) {
        self.name = name
        self.kind = kind
        self.about = about
        self.decimals = decimals
        self.currency = currency
    }
}

/// Another order in which a table can be scanned.
public struct Index: Hashable, Sendable {
    /// The index's name, by which scans choose it.
    public let name: String
    /// Names of its columns. The table's key follows them, so that the order is total.
    public let columns: [String]
    /// Where those stand in a row of its table.
    package fileprivate(set) var positions: [Int] = []
    /// An index over columns that its table has.
    public init(_ name: String, _ columns: [String]) {
        self.name = name
        self.columns = columns
    }
}

/// A table of a view. A row is its values in the order of `columns`; the first `key` of them are its primary key.
public struct Table: Hashable, Sendable {
    /// The table's name, which no other table of its projection has.
    public var name: String
    /// What a row is, for people.
    public var about: String
    /// Its columns, those of the primary key first.
    public var columns: [Column]
    /// How many of the first columns are the primary key.
    public var key: Int
    /// In what other orders its rows are read.
    public private(set) var indexes: [Index]
    /// Declares a table; `key` has the columns of its primary key, in their order. Columns of an index that the table does not
    /// have end the program.
    public init(_ name: String, _ about: String = "", key: [Column], columns: [Column], indexes: [Index] = []) {
        precondition(!key.isEmpty, "a table needs a key")
        self.name = name
        self.about = about
        self.key = key.count
        self.columns = key + columns
        self.indexes = indexes
        for i in indexes.indices { self.indexes[i].positions = indexes[i].columns.map(position) }
    }

    /// The place of a column that there is.
    package func position(_ name: String) -> Int {
        guard let position = columns.firstIndex(where: { $0.name == name }) else {
            preconditionFailure("\(self.name) has no column \(name)")
        }
        return position
    }

    /// The columns in whose order a scan by `index` goes, all of the key last.
    public func order(by index: Index?) -> [Int] {
        let leading = index?.positions ?? []
        return leading + (0..<key).filter { !leading.contains($0) }
    }
}

/// The values of a row, in the order of its table's columns.
public typealias Row = [Value]
