internal import EventModel
internal import Projecting

/// The values of one statement in PostgreSQL's binary format, all in one buffer.
struct Parameters {
    private(set) var bytes: [UInt8] = []
    /// Where each value is; nil for null.
    private(set) var spans: [Range<Int>?] = []
    var count: Int { spans.count }

    /// Adds a value; says which `$n` it is, with its type.
    mutating func add(_ value: Value, _ column: Column, of table: Table) throws -> String {
        let start = bytes.count
        let isThere = try write(value, column, table)
        spans.append(isThere ? start..<bytes.count : nil)
        return "$\(spans.count)::\(column.kind.type)"
    }
    mutating func add(_ value: Int64) -> String {
        spans.append(bytes.count..<bytes.count + 8)
        write(value)
        return "$\(spans.count)::bigint"
    }
    mutating func add(_ text: String) -> String {
        spans.append(bytes.count..<bytes.count + text.utf8.count)
        bytes += text.utf8
        return "$\(spans.count)::text"
    }

    /// Adds one column of some rows as an array of one dimension.
    mutating func add(_ column: Column, of table: Table, _ count: Int, _ value: (Int) -> Value) throws {
        let start = bytes.count
        head(column.kind.oid, count)
        for i in 0..<count {
            let at = bytes.count
            write(Int32(0))
            let isThere = try write(value(i), column, table)
            patch(at, isThere ? Int32(bytes.count - at - 4) : -1)
        }
        spans.append(start..<bytes.count)
    }
    mutating func add(_ texts: [String]) {
        let start = bytes.count
        head(Column.Kind.text.oid, texts.count)
        for text in texts {
            write(Int32(text.utf8.count))
            bytes += text.utf8
        }
        spans.append(start..<bytes.count)
    }
    mutating func add(_ numbers: [Int64]) {
        let start = bytes.count
        head(Column.Kind.integer.oid, numbers.count)
        for number in numbers {
            write(Int32(8))
            write(number)
        }
        spans.append(start..<bytes.count)
    }

    /// Dimensions, whether there are nulls, the type; then length and lower bound of the one dimension.
    private mutating func head(_ type: Int32, _ count: Int) {
        for number in [1, 1, type, Int32(count), 1] { write(number) }
    }

    private mutating func write(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }
    private mutating func patch(_ at: Int, _ number: Int32) {
        withUnsafeBytes(of: number.bigEndian) { for i in 0..<4 { bytes[at + i] = $0[i] } }
    }

    /// Writes a value as its column's type; false where it is null.
    private mutating func write(_ value: Value, _ column: Column, _ table: Table) throws(ViewError) -> Bool {
        switch (column.kind, value) {
        case (_, .null): return false
        case (.text, .text(let text)):
            let start = bytes.count
            bytes += text.utf8
            if bytes[start...].contains(0) { throw .nul(column, table) }
        case (.integer, .integer(let number)), (.timestamp, .integer(let number)): write(number)
        case (.real, .real(let number)): write(number.bitPattern)
        case (.real, .integer(let number)): write(Double(number).bitPattern)
        default:
            throw ViewError(
                .unstorable, "\(table.name).\(column.name) is \(column.kind.rawValue), which \(value) is not")
        }
        return true
    }
}

extension Column.Kind {
    /// The type in PostgreSQL.
    var type: String {
        switch self {
        case .text: "text"
        case .integer, .timestamp: "bigint"
        case .real: "double precision"
        }
    }
    /// Its number in `pg_type`, which never changes.
    var oid: Int32 {
        switch self {
        case .text: 25
        case .integer, .timestamp: 20
        case .real: 701
        }
    }
}
