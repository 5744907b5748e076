/// HTML that is made by the program. Whatever is text in it is escaped, and an address in it is a ``Link``: there is no way to
/// put markup, or a script's address, in by mistake.
package struct HTML: Sendable, Hashable {
    /// As it goes out.
    package private(set) var markup: String

    /// Text, which no browser takes for markup.
    package init(_ text: String) { markup = Self.escaped(text) }

    /// Markup of a file that is built into the executable.
    package init(trusted markup: String) { self.markup = markup }

    /// Nothing.
    package init() { markup = "" }

    package static func + (one: HTML, other: HTML) -> HTML { HTML(trusted: one.markup + other.markup) }

    /// Without the characters that mean something in markup or in a quoted attribute. It goes by bytes: a mark behind a `<`
    /// makes another character of both in Swift, and none in HTML.
    package static func escaped(_ text: String) -> String {
        if !text.utf8.contains(where: { replacement($0) != nil }) { return text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 32)
        for byte in text.utf8 {
            if let replacement = replacement(byte) {
                bytes += replacement.utf8
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func replacement(_ byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "\""): "&quot;"
        case UInt8(ascii: "'"): "&#39;"
        // Nothing may be shown of it, and it ends texts in some programs.
        case 0: "\u{fffd}"
        default: nil
        }
    }

    // MARK: Elements

    /// What an element says of itself.
    package struct Attribute: Sendable {
        fileprivate let name: String
        /// Nil is an attribute that is there or not.
        fileprivate let value: String?
        fileprivate var isThere = true

        /// - Parameter name: One that no script hides behind: not `on…`, and none that is an address.
        package static func set(_ name: StaticString, _ value: String) -> Attribute {
            Attribute(name: "\(name)", value: value)
        }
        package static func flag(_ name: StaticString, _ isThere: Bool = true) -> Attribute {
            Attribute(name: "\(name)", value: nil, isThere: isThere)
        }
        package static func id(_ value: String) -> Attribute { set("id", value) }
        package static func `class`(_ value: String) -> Attribute { set("class", value) }
        package static func name(_ value: String) -> Attribute { set("name", value) }
        package static func type(_ value: StaticString) -> Attribute { set("type", "\(value)") }
        package static func value(_ value: String) -> Attribute { set("value", value) }
        package static func `for`(_ value: String) -> Attribute { set("for", value) }
        package static func label(_ value: String) -> Attribute { set("aria-label", value) }
        package static func href(_ link: Link) -> Attribute { set("href", link.text) }
        package static func src(_ link: Link) -> Attribute { set("src", link.text) }
        package static func action(_ link: Link) -> Attribute { set("action", link.text) }
    }

    /// Elements without a content (html.spec.whatwg.org, 13.1.2).
    private static let void: Set<String> = ["meta", "link", "input", "br", "hr"]

    /// An element.
    package static func tag(
        _ name: StaticString, _ attributes: Attribute..., @HTMLBuilder content: () -> HTML = { HTML() }
    ) -> HTML {
        tag(name, attributes, content: content)
    }

    package static func tag(
        _ name: StaticString, _ attributes: [Attribute], @HTMLBuilder content: () -> HTML = { HTML() }
    ) -> HTML {
        var text = "<\(name)"
        for attribute in attributes where attribute.isThere {
            text += " " + attribute.name
            if let value = attribute.value { text += "=\"\(escaped(value))\"" }
        }
        text += ">"
        if void.contains("\(name)") { return HTML(trusted: text) }
        return HTML(trusted: text + content().markup + "</\(name)>")
    }
}

/// Puts HTML together of texts, elements, loops and choices.
@resultBuilder
package enum HTMLBuilder {
    package static func buildExpression(_ text: String) -> HTML { HTML(text) }
    package static func buildExpression(_ html: HTML) -> HTML { html }
    package static func buildExpression(_ html: HTML?) -> HTML { html ?? HTML() }
    package static func buildBlock(_ parts: HTML...) -> HTML {
        HTML(trusted: parts.map(\.markup).joined())
    }
    package static func buildOptional(_ part: HTML?) -> HTML { part ?? HTML() }
    package static func buildEither(first part: HTML) -> HTML { part }
    package static func buildEither(second part: HTML) -> HTML { part }
    package static func buildArray(_ parts: [HTML]) -> HTML { HTML(trusted: parts.map(\.markup).joined()) }
}

/// An address on this gateway: a path of its own, and parameters.
package struct Link: Sendable, Hashable {
    package let text: String

    package init(_ path: [String], _ parameters: [(name: String, value: String)] = []) {
        let query = parameters.map { "\(Self.encoded($0.name))=\(Self.encoded($0.value))" }.joined(separator: "&")
        text = "/" + path.map(Self.encoded).joined(separator: "/") + (query.isEmpty ? "" : "?" + query)
    }

    /// Percent-encoded but for what is reserved for nothing (RFC 3986, section 2.3).
    private static func encoded(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                out.unicodeScalars.append(UnicodeScalar(byte))
            default: out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return out
    }
}
