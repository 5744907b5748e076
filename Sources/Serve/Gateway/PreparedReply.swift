internal import Foundation
internal import HTTPTypes
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// An answer's head as bytes, with places for what differs from one to the next.
struct PreparedReply: Sendable {
    /// What is put in, in the order in which it stands in an answer.
    enum Place: String, CaseIterable {
        case location, id, tag, asOf, next, length, date
        /// A value that no answer has.
        fileprivate var mark: String { "<<\(rawValue)>>" }
    }
    let status: Int
    /// The bytes before each place, and those after the last.
    private let pieces: [[UInt8]]
    private let size: Int

    /// - Parameters:
    ///   - reply: What is answered, with the fields that all answers have, and `mark`s in place of values.
    ///   - places: Which of them it has, in their order.
    init(_ reply: Reply, _ places: [Place]) {
        status = reply.status
        var text = Self.head(reply.status, reply.fields)
        if places.contains(.length) { text += "Content-Length: \(Place.length.mark)\r\n" }
        text += "Date: \(Place.date.mark)\r\n\r\n"
        var (pieces, rest) = ([[UInt8]](), text[...])
        for place in places {
            guard let range = rest.range(of: place.mark) else { preconditionFailure("\(place) has no place") }
            pieces.append(Array(rest[..<range.lowerBound].utf8))
            rest = rest[range.upperBound...]
        }
        pieces.append(Array(rest.utf8))
        self.pieces = pieces
        size = pieces.reduce(0) { $0 + $1.count } + 160
    }

    /// The value of a field that is put in later.
    static func mark(_ place: Place) -> String { place.mark }

    /// The answer's bytes.
    ///
    /// - Parameter values: What is put in, as many as there are places.
    func bytes(_ values: [String], body: [UInt8]?) -> ByteBuffer {
        precondition(values.count + 1 == pieces.count)
        let text = values.reduce(0) { $0 + $1.utf8.count }
        var buffer = ByteBufferAllocator().buffer(capacity: size + text + (body?.count ?? 0))
        for (piece, value) in zip(pieces, values) {
            buffer.writeBytes(piece)
            buffer.writeString(value)
        }
        buffer.writeBytes(pieces[values.count])
        if let body { buffer.writeBytes(body) }
        return buffer
    }

    /// The first line and the fields of an answer, without the empty line that ends them (RFC 9112).
    static func head(_ status: Int, _ fields: HTTPFields) -> String {
        let reason = HTTPResponseStatus(statusCode: status).reasonPhrase
        return fields.reduce(into: "HTTP/1.1 \(status) \(reason)\r\n") { $0 += "\($1.name.rawName): \($1.value)\r\n" }
    }

    /// All of an answer that has a text or none.
    static func bytes(_ reply: Reply, isHead: Bool, date: String) -> ByteBuffer {
        var fields = reply.fields
        var body = ""
        if case .text(let text) = reply.content { body = text }
        let hasBody = HTTPResponseStatus(statusCode: reply.status).mayHaveResponseBody
        if hasBody { fields[.contentLength] = String(body.utf8.count) }
        fields[.date] = date
        var buffer = ByteBuffer(string: head(reply.status, fields) + "\r\n")
        if hasBody, !isHead { buffer.writeString(body) }
        return buffer
    }
}

/// The field `Date` (RFC 9110, section 6.6.1), written once a second.
final class DateField: Sendable {
    private let last = Mutex<(second: Int, text: String)>((0, ""))

    var text: String { text(at: time(nil)) }

    /// - Parameter second: Since 1970.
    func text(at second: Int) -> String {
        last.withLock { last in
            if last.second == second { return last.text }
            var (second, parts, bytes) = (second, tm(), [CChar](repeating: 0, count: 64))
            gmtime_r(&second, &parts)
            let count = strftime(&bytes, bytes.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
            last = (second, String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self))
            return last.text
        }
    }
}
