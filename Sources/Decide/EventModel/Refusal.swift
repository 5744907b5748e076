/// Why a domain says no: a stable word for programs and a sentence for people.
public protocol Refusal: Error, Sendable, Equatable {
    /// In kebab case, never changed once published: `seat-not-free`.
    var reason: String { get }
    /// What was wrong, where, and what to do.
    var message: String { get }
}

/// A refusal whose type has been left behind.
public struct Refused: Refusal, Hashable {
    /// A word for programs: `seat-taken`.
    public var reason: String
    /// A sentence for people.
    public var message: String
    /// A refusal whose words are known.
    public init(reason: String, message: String) {
        self.reason = reason
        self.message = message
    }
    /// A refusal's words without its type.
    public init(_ refusal: some Refusal) { self.init(reason: refusal.reason, message: refusal.message) }
}

/// A message that no state could make acceptable: a field is empty, too long or malformed.
public struct Malformed: Refusal, Hashable, CustomStringConvertible {
    /// Which field is wrong, as JSON has it: `seats[2]`.
    public var field: String
    /// What is wrong with it, so that `field: why` reads as a sentence.
    public var why: String
    /// A field that no state could make acceptable.
    public init(_ field: String, _ why: String) {
        self.field = field
        self.why = why
    }
    /// Always `malformed`.
    public var reason: String { "malformed" }
    /// The field, and what is wrong with it.
    public var message: String { "\(field): \(why)" }
    public var description: String { message }
}

/// Checks that many domains share; each throws a ``Malformed`` that names the field.
public enum Check {
    /// Refuses a text that is empty, has over `limit` bytes of UTF-8, or has a control character.
    public static func text(_ value: String, _ field: String, atMost limit: Int) throws(Malformed) {
        if value.isEmpty { throw Malformed(field, "is missing") }
        try optionalText(value, field, atMost: limit)
    }

    /// Refuses a text that has over `limit` bytes of UTF-8 or a control character. It may be empty.
    public static func optionalText(_ value: String, _ field: String, atMost limit: Int) throws(Malformed) {
        let count = value.utf8.count
        if count > limit { throw Malformed(field, "has \(count) bytes, at most \(limit) are allowed") }
        if value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
            throw Malformed(field, "has a control character")
        }
    }

    /// An identifier that may become part of a key: no separator in it, and one spelling: see ``spelling(_:_:)``.
    public static func identifier(_ value: String, _ field: String, atMost limit: Int = 100) throws(Malformed) {
        try text(value, field, atMost: limit)
        // Bytes, since an accent after a ':' would make another character of both. Properties are looked up in tables, which
        // the usual ASCII needs none of.
        let marks = value.utf8.contains { $0 == 0x3a || $0 == 0x23 || $0 == 0x20 }
        let isASCII = value.utf8.allSatisfy { $0 < 0x80 }
        if marks || (!isASCII && value.unicodeScalars.contains(where: \.properties.isWhitespace)) {
            throw Malformed(field, "has a space, ':' or '#', which an identifier may not have")
        }
        if !isASCII { try spelling(value, field) }
    }

    /// Refuses a value outside of a range.
    public static func range<T: Comparable & Sendable>(
        _ value: T, _ field: String, _ range: ClosedRange<T>
    ) throws(Malformed) {
        if !range.contains(value) {
            throw Malformed(field, "is \(value), it must be \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
