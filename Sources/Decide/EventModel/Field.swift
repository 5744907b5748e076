/// What a column of a view can hold.
public protocol ColumnContent: Sendable {
    /// The kind of the columns that hold it.
    static var columnKind: Column.Kind { get }
    /// - Returns: nil where the value is null, or of another kind.
    init?(_ value: Value)
    /// As it stands in a row.
    var columnValue: Value { get }
}

extension String: ColumnContent {
    public static var columnKind: Column.Kind { .text }
    public init?(_ value: Value) {
        guard let text = value.text else { return nil }
        self = text
    }
    public var columnValue: Value { .text(self) }
}

extension Int64: ColumnContent {
    public static var columnKind: Column.Kind { .integer }
    public init?(_ value: Value) {
        guard let integer = value.integer else { return nil }
        self = integer
    }
    public var columnValue: Value { .integer(self) }
}

extension Double: ColumnContent {
    public static var columnKind: Column.Kind { .real }
    public init?(_ value: Value) {
        guard let real = value.real else { return nil }
        self = real
    }
    public var columnValue: Value { .real(self) }
}

extension Timestamp: ColumnContent {
    public static var columnKind: Column.Kind { .timestamp }
    public init?(_ value: Value) {
        guard let integer = value.integer else { return nil }
        self.init(integer)
    }
    public var columnValue: Value { Value(self) }
}

/// A column of a table by its name and type, so that rows are read and changed without counting columns:
///
/// ```swift
/// enum Seat { static let status = seats.text("status") }
/// row[Seat.status] = "sold"
/// ```
public struct Field<Content: ColumnContent>: Hashable, Sendable {
    /// The column's name.
    public let name: String
    /// Where it stands in a row of its table.
    public let position: Int

    fileprivate init(_ name: String, of table: Table) {
        let position = table.position(name)
        let kind = table.columns[position].kind
        precondition(
            kind == Content.columnKind,
            "\(table.name): the column \(name) is \(kind.rawValue), not \(Content.columnKind.rawValue)")
        (self.name, self.position) = (name, position)
    }
}

extension Table {
    /// A column of text that the table has; anything else ends the program, as the three below do.
    public func text(_ column: String) -> Field<String> { Field(column, of: self) }
    /// A column of 64-bit integers.
    public func integer(_ column: String) -> Field<Int64> { Field(column, of: self) }
    /// A column of 64-bit floating-point numbers.
    public func real(_ column: String) -> Field<Double> { Field(column, of: self) }
    /// A column of moments.
    public func timestamp(_ column: String) -> Field<Timestamp> { Field(column, of: self) }
}

extension [Value] {
    /// A field of a row of its table; nil is null.
    public subscript<Content>(field: Field<Content>) -> Content? {
        get { Content(self[field.position]) }
        set { self[field.position] = newValue?.columnValue ?? .null }
    }

    /// A field as it stands, for what passes it on without looking at it.
    public func value<Content>(_ field: Field<Content>) -> Value { self[field.position] }
}

extension ViewReader {
    /// The sums of some columns over all rows of a scan; its limit and cursor do not count.
    public func sums(_ fields: [Field<Int64>], over scan: Scan) throws -> [Int64] {
        try sums(fields.map(\.position), over: scan)
    }
}
