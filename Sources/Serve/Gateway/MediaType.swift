/// What the gateway reads and writes.
package enum MediaType: String, Sendable, CaseIterable {
    case json = "application/json"
    case lines = "application/x-ndjson"
    case csv = "text/csv"
    case events = "text/event-stream"
    case metrics = "text/plain"
    case html = "text/html"
    case form = "application/x-www-form-urlencoded"
    case style = "text/css"
    case script = "text/javascript"
    case picture = "image/svg+xml"

    /// As a field says it.
    package var field: String {
        switch self {
        case .csv: "text/csv; charset=utf-8; header=present"
        case .metrics: "text/plain; version=0.0.4; charset=utf-8"
        case .html, .style, .script, .picture: rawValue + "; charset=utf-8"
        case .json, .lines, .events, .form: rawValue
        }
    }

    /// The one of some that a client likes best; of those it likes alike, the first (RFC 9110, section 12.5.1).
    ///
    /// - Parameter accept: The request's field `Accept`; nil where it has none.
    /// - Throws: ``Problem`` where it takes none of them.
    package static func chosen(of offered: [MediaType], accept: String?) throws(Problem) -> MediaType {
        guard let accept, !accept.isEmpty else { return offered[0] }
        let ranges = accept.split(separator: ",").compactMap { Range($0) }
        let best = offered.map { (type: $0, quality: quality(of: $0, ranges)) }.reduce(into: (offered[0], 0.0)) {
            if $1.quality > $0.1 { $0 = ($1.type, $1.quality) }
        }
        if best.1 > 0 { return best.0 }
        let all = offered.map(\.rawValue).joined(separator: ", ")
        throw Problem(.notAcceptable, "Accept takes none of what is offered: \(all)", field: "Accept")
    }

    /// By the range that says most of it.
    private static func quality(of type: MediaType, _ ranges: [Range]) -> Double {
        ranges.filter { $0.takes(type) }.max { $0.specificity < $1.specificity }?.quality ?? 0
    }

    private struct Range {
        var type: Substring
        var subtype: Substring
        var quality = 1.0

        init?(_ text: Substring) {
            let parts = text.split(separator: ";").map { $0.trimming { $0 == " " || $0 == "\t" } }
            guard let name = parts.first?.lowercased().split(separator: "/"), name.count == 2 else { return nil }
            (type, subtype) = (name[0], name[1])
            for part in parts.dropFirst() where part.lowercased().hasPrefix("q=") {
                quality = Double(part.dropFirst(2)) ?? 0
            }
        }

        var specificity: Int { type == "*" ? 0 : subtype == "*" ? 1 : 2 }

        func takes(_ other: MediaType) -> Bool {
            let name = other.rawValue.split(separator: "/")
            return (type == "*" || type == name[0]) && (subtype == "*" || subtype == name[1])
        }
    }

    /// Checks what a request says of its body.
    ///
    /// - Parameter contentType: The request's field `Content-Type`.
    /// - Throws: ``Problem`` where it is none of some.
    package static func check(_ contentType: String?, isOneOf expected: [MediaType]) throws(Problem) {
        let all = expected.map(\.rawValue).joined(separator: " or ")
        guard let contentType else {
            throw Problem(.unsupportedMediaType, "Content-Type is missing; it must be \(all)", field: "Content-Type")
        }
        let parts = contentType.lowercased().split(separator: ";").map { $0.trimming { $0 == " " || $0 == "\t" } }
        let isUTF8 = parts.dropFirst().allSatisfy { !$0.hasPrefix("charset=") || $0.contains("utf-8") }
        if !isUTF8 || !expected.contains(where: { $0.rawValue == parts.first.map(String.init) }) {
            throw Problem(
                .unsupportedMediaType, "Content-Type is \(contentType); it must be \(all)", field: "Content-Type")
        }
    }
}

extension Substring {
    func trimming(_ isTrimmed: (Character) -> Bool) -> Substring {
        var text = self
        while let first = text.first, isTrimmed(first) { text.removeFirst() }
        while let last = text.last, isTrimmed(last) { text.removeLast() }
        return text
    }
}
