package import EventModel
internal import Foundation

/// A place in a view's order as opaque text, which only the query that gave it takes again.
///
/// A version byte; what it belongs to, as a hash; how many values there are, and each as its kind and its bytes; a checksum
/// of all before it. Numbers have eight bytes, the lowest first; a text has its length before it. All of it as base64 that
/// URLs take.
package enum Cursor {
    /// What a cursor belongs to.
    package struct Owner: Hashable, Sendable {
        /// With its domain: `tickets.seats`.
        package var query: String
        /// The projection's tables: `tickets.seatmap@1`.
        package var view: String
        /// The parameters as they were given; moments of them as they were written, for one before now is another each time.
        package var parameters: [String: Value]
        /// `--as-of` as it was written.
        package var past: String?

        package init(query: String, view: String, parameters: [String: Value], past: String?) {
            (self.query, self.view, self.parameters, self.past) = (query, view, parameters, past)
        }

        package var hash: UInt64 {
            var bytes = Writer()
            for text in [query, view] { bytes.add(.text(text)) }
            bytes.add(past.map { .text($0) } ?? .null)
            for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
                bytes.add(.text(name))
                bytes.add(value)
            }
            return bytes.checksum
        }
    }

    /// Others may come, for example with a signature.
    private static let version: UInt8 = 1
    private static let values = 32
    /// Characters of one.
    private static let longest = 64_000

    package static func encode(_ row: Row, for owner: Owner) -> String {
        var writer = Writer()
        writer.bytes.append(version)
        writer.add(owner.hash)
        writer.bytes.append(UInt8(truncatingIfNeeded: row.count))
        for value in row { writer.add(value) }
        writer.add(writer.checksum)
        return Data(writer.bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    /// - Throws: ``BusError`` where it was not given by an earlier page of the same query.
    package static func decode(_ text: String, for owner: Owner) throws(BusError) -> Row {
        guard text.utf8.count <= longest, let bytes = unarmoured(text), let first = bytes.first else {
            throw refusal("is no cursor", owner)
        }
        if first != version { throw refusal("is of another version of this program", owner) }
        guard bytes.count > 17 else { throw refusal("is cut short", owner) }
        var (body, sum) = (Reader(bytes.dropLast(8)), Reader(bytes.suffix(8)))
        var checked = Writer()
        checked.bytes = Array(bytes.dropLast(8))
        guard sum.number() == checked.checksum, body.byte() == version, let hash = body.number() else {
            throw refusal("is not as it was given", owner)
        }
        if hash != owner.hash {
            throw refusal("is of another query, of other parameters, or of another version of the view", owner)
        }
        guard let count = body.byte(), count <= values else { throw refusal("is not as it was given", owner) }
        var row: Row = []
        for _ in 0..<count {
            guard let value = body.value() else { throw refusal("is not as it was given", owner) }
            row.append(value)
        }
        if !body.isAtEnd { throw refusal("is not as it was given", owner) }
        return row
    }

    private static func refusal(_ why: String, _ owner: Owner) -> BusError {
        BusError(
            .usage,
            """
            cursor: was not given by an earlier page of \(owner.query) with these parameters: it \(why). Begin again without \
            it
            """)
    }

    private static func unarmoured(_ text: String) -> [UInt8]? {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)).map {
            Array($0)
        }
    }

    private struct Writer {
        var bytes: [UInt8] = []

        mutating func add(_ number: UInt64) { withUnsafeBytes(of: number.littleEndian) { bytes += $0 } }

        mutating func add(_ value: Value) {
            switch value {
            case .null: bytes.append(0)
            case .integer(let number):
                bytes.append(1)
                add(UInt64(bitPattern: number))
            case .real(let number):
                bytes.append(2)
                add(number.bitPattern)
            case .text(let text):
                bytes.append(3)
                add(UInt64(text.utf8.count))
                bytes += text.utf8
            }
        }

        var checksum: UInt64 {
            var hash = FNV1a()
            bytes.withUnsafeBytes { hash.add($0) }
            return hash.value
        }
    }

    /// Takes what is there, and nothing beyond.
    private struct Reader {
        private var rest: ArraySlice<UInt8>
        init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

        var isAtEnd: Bool { rest.isEmpty }

        mutating func byte() -> UInt8? { rest.popFirst() }

        mutating func number() -> UInt64? {
            if rest.count < 8 { return nil }
            defer { rest.removeFirst(8) }
            return rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }

        mutating func value() -> Value? {
            switch byte() {
            case 0: return .null
            case 1: return number().map { .integer(Int64(bitPattern: $0)) }
            case 2: return number().map { .real(Double(bitPattern: $0)) }
            case 3:
                guard let count = number(), count <= UInt64(rest.count) else { return nil }
                defer { rest.removeFirst(Int(count)) }
                return String(validating: rest.prefix(Int(count)), as: UTF8.self).map { .text($0) }
            default: return nil
            }
        }
    }
}
