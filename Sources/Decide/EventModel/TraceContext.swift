/// Which trace something belongs to, and whose child it is there: the value of the header `traceparent`.
///
/// The format is W3C's Trace Context, level 1 (w3.org/TR/trace-context). What does not have it counts as not being there.
package struct TraceContext: Hashable, Sendable, CustomStringConvertible {
    /// 32 hexadecimal digits in lower case, not all 0.
    package let traceID: String
    /// The span that it comes from: 16 such digits.
    package let parentID: String
    /// The lowest bit says that the trace is recorded.
    package let flags: UInt8

    /// The bytes of the value that this version writes.
    package static let size = 55

    /// - Returns: nil for what is malformed, or of the version `ff`, which there is not.
    package init?(_ text: some Collection<UInt8>) {
        let bytes = Array(text)
        let dash = UInt8(ascii: "-")
        guard bytes.count >= Self.size, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
            let version = Self.byte(bytes[0..<2]), version != 0xff,
            let flags = Self.byte(bytes[53..<55]),
            let traceID = Self.digits(bytes[3..<35]), let parentID = Self.digits(bytes[36..<52])
        else { return nil }
        // A later version may have more behind another dash.
        if bytes.count > Self.size, version == 0 || bytes[Self.size] != dash { return nil }
        // Of flags only the one that level 1 knows is passed on.
        (self.traceID, self.parentID, self.flags) = (traceID, parentID, flags & 1)
    }

    package init?(_ text: String) { self.init(text.utf8) }

    /// - Parameters:
    ///   - traceID: 32 hexadecimal digits.
    ///   - spanID: 16 of them: the parent of what follows.
    package init?(_ traceID: String, _ spanID: String, flags: UInt8) {
        self.init("00-\(traceID)-\(spanID)-0\(flags & 1)")
    }

    /// As the header has it.
    package var description: String { "00-\(traceID)-\(parentID)-0\(flags)" }

    /// Whether a word can be the id of a trace.
    package static func isTraceID(_ text: String) -> Bool {
        text.utf8.count == 32 && digits(Array(text.utf8)[...]) != nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    private static func byte(_ bytes: ArraySlice<UInt8>) -> UInt8? {
        bytes.allSatisfy(isDigit) ? UInt8(String(decoding: bytes, as: UTF8.self), radix: 16) : nil
    }

    private static func digits(_ bytes: ArraySlice<UInt8>) -> String? {
        guard bytes.allSatisfy(isDigit), bytes.contains(where: { $0 != UInt8(ascii: "0") }) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension TraceContext {
    /// As a record carries it.
    package var header: Header { Header(HeaderName.trace, Bytes(description)) }
}

extension Record {
    /// The trace that the record says it belongs to; nil where it says none, or not as it should.
    package var trace: TraceContext? {
        headers.first { $0.name == HeaderName.trace }.flatMap { TraceContext($0.value.slice) }
    }
}
