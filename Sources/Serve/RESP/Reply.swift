internal import EventModel
internal import NIOCore

/// An answer, in either version of the protocol (redis.io/docs, RESP).
enum Reply: Sendable, Hashable {
    case simple(String)
    /// The code and the text: `ERR syntax error`.
    case error(String)
    case integer(Int64)
    case bulk([UInt8])
    case null
    case list([Reply])
    /// Names and values after one another.
    case map([Reply])

    static let ok = Reply.simple("OK")
    static func text(_ text: String) -> Reply { .bulk(Array(text.utf8)) }

    /// Of values in it.
    var bytes: Int {
        switch self {
        case .bulk(let bytes): bytes.count
        case .list(let all), .map(let all): all.reduce(0) { $0 + $1.bytes }
        case .simple, .error, .integer, .null: 0
        }
    }

    func write(to out: inout ByteBuffer, version: Int) {
        switch self {
        case .simple(let text): Self.line("+", text, &out)
        // A line that a client took for two would put all answers out of step.
        case .error(let text):
            let bytes = text.utf8.map { $0 == 10 || $0 == 13 ? 32 : $0 }
            Self.line("-", String(decoding: bytes, as: UTF8.self), &out)
        case .integer(let number): Self.line(":", String(number), &out)
        case .bulk(let bytes):
            Self.line("$", String(bytes.count), &out)
            out.writeBytes(bytes)
            out.writeStaticString("\r\n")
        case .null: out.writeStaticString(version == 3 ? "_\r\n" : "$-1\r\n")
        case .list(let all):
            Self.line("*", String(all.count), &out)
            for one in all { one.write(to: &out, version: version) }
        case .map(let all):
            if version == 3 {
                Self.line("%", String(all.count / 2), &out)
            } else {
                Self.line("*", String(all.count), &out)
            }
            for one in all { one.write(to: &out, version: version) }
        }
    }

    private static func line(_ mark: StaticString, _ text: String, _ out: inout ByteBuffer) {
        out.writeStaticString(mark)
        out.writeString(text)
        out.writeStaticString("\r\n")
    }
}
