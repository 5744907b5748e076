internal import EventModel
internal import NIOCore

/// What a client has sent is not RESP. The texts are Redis' own.
struct ProtocolError: Error, Hashable {
    let why: String
    init(_ why: String) { self.why = why }
    var reply: Reply { .error("ERR Protocol error: \(why)") }
}

/// Takes commands out of what a client has sent, in pieces of any size: arrays of bulk strings, or lines of words
/// (redis.io/docs, RESP, "inline commands").
struct RequestParser {
    /// Arguments that are still to come of the command in hand; nil between commands.
    private var left: Int?
    /// The length of the argument that is to come; nil before it is known.
    private var length: Int?
    private var arguments: [Bytes] = []
    private var size = 0
    /// Whether somebody has said who he is, where that is asked for.
    var isNamed = true

    /// The next command, never one without words; nil where more has to come first.
    mutating func next(_ buffer: inout ByteBuffer) throws(ProtocolError) -> [Bytes]? {
        while true {
            if left == nil {
                guard let first = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { return nil }
                if first != UInt8(ascii: "*") {
                    guard let line = try line(&buffer, orElse: "too big inline request") else { return nil }
                    let words = try Self.words(line)
                    if words.isEmpty { continue }
                    return words
                }
                guard let line = try line(&buffer, orElse: "too big mbulk count string") else { return nil }
                guard let count = Self.number(line.dropFirst()), count <= RESPLimits.arguments else {
                    throw ProtocolError("invalid multibulk length")
                }
                if !isNamed, count > RESPLimits.unnamedArguments {
                    throw ProtocolError("unauthenticated multibulk length")
                }
                if count <= 0 { continue }
                (left, arguments, size) = (count, [], 0)
                arguments.reserveCapacity(min(count, 64))
            }
            while let count = left {
                if length == nil { try readLength(&buffer) }
                guard let length, buffer.readableBytes >= length + 2 else { return nil }
                arguments.append(Bytes(buffer.readBytes(length: length) ?? []))
                buffer.moveReaderIndex(forwardBy: 2)
                self.length = nil
                left = count == 1 ? nil : count - 1
            }
            defer { arguments = [] }
            return arguments
        }
    }

    /// Reads how long the next argument is, where that has come.
    private mutating func readLength(_ buffer: inout ByteBuffer) throws(ProtocolError) {
        guard let line = try line(&buffer, orElse: "too big bulk count string") else { return }
        guard line.first == UInt8(ascii: "$") else {
            let got = line.first.map { String(UnicodeScalar($0)) } ?? "\r"
            throw ProtocolError("expected '$', got '\(got)'")
        }
        guard let length = Self.number(line.dropFirst()), (0...RESPLimits.argument).contains(length) else {
            throw ProtocolError("invalid bulk length")
        }
        if !isNamed, length > RESPLimits.unnamedArgument { throw ProtocolError("unauthenticated bulk length") }
        size += length
        if size > RESPLimits.command { throw ProtocolError("too big request") }
        self.length = length
    }

    /// A line without its end; nil where it has not come wholly.
    private func line(
        _ buffer: inout ByteBuffer, orElse refusal: String
    ) throws(ProtocolError) -> ArraySlice<UInt8>? {
        let view = buffer.readableBytesView
        guard let end = view.firstIndex(of: UInt8(ascii: "\n")) else {
            if view.count > RESPLimits.line { throw ProtocolError(refusal) }
            return nil
        }
        let count = end - view.startIndex
        if count > RESPLimits.line { throw ProtocolError(refusal) }
        let line = buffer.readBytes(length: count) ?? []
        buffer.moveReaderIndex(forwardBy: 1)
        return line.last == UInt8(ascii: "\r") ? line.dropLast() : line[...]
    }

    /// A number as counts are written: digits, and a minus before them.
    static func number(_ text: ArraySlice<UInt8>) -> Int? {
        guard let number = Int(String(decoding: text, as: UTF8.self)), text.first != UInt8(ascii: "+") else {
            return nil
        }
        return number
    }

    /// The words of a line, in quotes or without (`sdssplitargs` of Redis).
    static func words(_ line: ArraySlice<UInt8>) throws(ProtocolError) -> [Bytes] {
        var words: [Bytes] = []
        var rest = line
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) || byte == 0 }
        while true {
            rest = rest.drop(while: isSpace)
            guard let first = rest.first else { return words }
            guard first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") else {
                let word = rest.prefix { !isSpace($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "'") }
                rest = rest[word.endIndex...]
                if let next = rest.first, !isSpace(next) { throw ProtocolError("unbalanced quotes in request") }
                words.append(Bytes(word))
                continue
            }
            words.append(Bytes(try quoted(&rest, first)))
            if let next = rest.first, !isSpace(next) { throw ProtocolError("unbalanced quotes in request") }
        }
    }

    private static func quoted(_ rest: inout ArraySlice<UInt8>, _ quote: UInt8) throws(ProtocolError) -> [UInt8] {
        var word: [UInt8] = []
        rest = rest.dropFirst()
        while let byte = rest.popFirst() {
            if byte == quote { return word }
            guard byte == UInt8(ascii: "\\") else {
                word.append(byte)
                continue
            }
            guard let next = rest.popFirst() else { break }
            if quote == UInt8(ascii: "'") {
                word += next == quote ? [next] : [byte, next]
                continue
            }
            switch next {
            case UInt8(ascii: "n"): word.append(10)
            case UInt8(ascii: "r"): word.append(13)
            case UInt8(ascii: "t"): word.append(9)
            case UInt8(ascii: "b"): word.append(8)
            case UInt8(ascii: "a"): word.append(7)
            case UInt8(ascii: "x"):
                let digits = rest.prefix(2)
                if digits.count == 2, let hex = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) {
                    word.append(hex)
                    rest = rest.dropFirst(2)
                } else {
                    word.append(next)
                }
            default: word.append(next)
            }
        }
        throw ProtocolError("unbalanced quotes in request")
    }
}
