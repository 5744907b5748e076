internal import EventModel

/// The path of a request in its pieces, and its query's parameters.
package struct RequestTarget: Sendable, Hashable {
    package struct Parameter: Sendable, Hashable {
        package var name: String
        package var value: String
    }
    package var path: [String]
    package var parameters: [Parameter]

    /// - Throws: ``Problem`` where it is over a limit, or has escapes that are none.
    package init(_ text: String) throws(Problem) {
        if text.utf8.count > GatewayLimits.targetBytes {
            throw Problem(.uriTooLong, "the path and query have over \(GatewayLimits.targetBytes) bytes")
        }
        // By bytes, for neither mark is part of a longer character in a URL.
        let parts = text.utf8.split(
            separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false
        ).map { Substring($0) }
        guard text.hasPrefix("/") else { throw Problem(.badRequest, "the path does not begin with /") }
        var path: [String] = []
        for piece in (parts.first ?? "").utf8.dropFirst().split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        {
            guard let piece = Self.decoded(Substring(piece), plus: false) else {
                throw Problem(.badRequest, "the path has an escape that is none, or is not UTF-8")
            }
            path.append(piece)
        }
        // One slash at the end makes no other path.
        if path.last == "" { path.removeLast() }
        self.path = path
        parameters = parts.count == 1 ? [] : try Self.parameters(of: parts[1], "the query")
    }

    /// Names and values as queries and forms have them (url.spec.whatwg.org, section 5).
    ///
    /// - Parameter what: How messages call it.
    /// - Throws: ``Problem`` where it has escapes that are none, or too many of them.
    package static func parameters(of text: Substring, _ what: String) throws(Problem) -> [Parameter] {
        var parameters: [Parameter] = []
        for pair in text.utf8.split(separator: UInt8(ascii: "&")) {
            let sides = pair.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false
            ).map { Substring($0) }
            guard let name = Self.decoded(sides[0], plus: true),
                let value = sides.count == 1 ? "" : Self.decoded(sides[1], plus: true)
            else { throw Problem(.badRequest, "\(what) has an escape that is none, or is not UTF-8") }
            parameters.append(Parameter(name: name, value: value))
            if parameters.count > GatewayLimits.parameters {
                throw Problem(.badRequest, "\(what) has over \(GatewayLimits.parameters) parameters")
            }
        }
        return parameters
    }

    /// Percent-decoded (RFC 3986), and in a query with a plus for a space, as forms write it; nil where that is no text.
    private static func decoded(_ text: Substring, plus: Bool) -> String? {
        if !text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "+"), plus {
                bytes.append(UInt8(ascii: " "))
            } else if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// A request's parameters, each taken once by its name. What is left at the end was not known.
package struct ParameterReader: Sendable {
    private var left: [RequestTarget.Parameter]
    private var taken: [String] = []

    package init(_ parameters: [RequestTarget.Parameter]) { left = parameters }

    /// All values of a name, in their order.
    package mutating func all(_ name: String) -> [String] {
        taken.append(name)
        defer { left.removeAll { Spelling.same($0.name, name) } }
        return left.filter { Spelling.same($0.name, name) }.map(\.value)
    }

    /// - Throws: ``Problem`` where it is given twice.
    package mutating func one(_ name: String) throws(Problem) -> String? {
        let values = all(name)
        if values.count > 1 { throw Problem(.badRequest, "\(name) is given twice", field: name) }
        return values.first
    }

    package mutating func number(_ name: String) throws(Problem) -> Int? {
        guard let text = try one(name) else { return nil }
        guard let value = Int(text) else { throw Problem(.badRequest, "\(name) \(text) is no integer", field: name) }
        return value
    }

    /// Said without a value, or with `true` or `false`.
    package mutating func flag(_ name: String) throws(Problem) -> Bool {
        switch try one(name) {
        case nil, "false": return false
        case "", "true": return true
        case let text?: throw Problem(.badRequest, "\(name) \(text) is neither true nor false", field: name)
        }
    }

    /// The same without what was left empty, as forms leave it.
    package var filled: ParameterReader { ParameterReader(left.filter { !$0.value.isEmpty }) }

    /// What was not taken: the parameters of a query itself.
    package mutating func rest() -> [(name: String, value: String)] {
        defer { left = [] }
        return left.map { ($0.name, $0.value) }
    }

    /// - Throws: ``Problem`` where a parameter is left.
    package func end(_ owner: String) throws(Problem) {
        guard let name = left.first?.name else { return }
        if taken.isEmpty {
            throw Problem(.badRequest, "\(owner) has no parameters, and \(name) was given", field: name)
        }
        throw Problem(.badRequest, "\(name) \(Nearest.notA("parameter", of: owner, name, among: taken))", field: name)
    }
}
