public import SwiftProtobuf

/// A run of bytes that shares the storage of the batch it was read with, so that a record costs no copy.
public struct Bytes: Hashable, Sendable, SwiftProtobufContiguousBytes {
    @usableFromInline var storage: ArraySlice<UInt8>

    /// Takes a slice as it is, without a copy.
    @inlinable public init(_ slice: ArraySlice<UInt8>) { storage = slice }
    /// Takes an array as it is, without a copy.
    @inlinable public init(_ array: [UInt8]) { storage = array[...] }
    /// The text's UTF-8.
    @inlinable public init(_ text: String) { storage = Array(text.utf8)[...] }
    /// No bytes.
    @inlinable public init() { storage = [] }
    /// So many times the same byte.
    @inlinable public init(repeating byte: UInt8, count: Int) { storage = ArraySlice(repeating: byte, count: count) }
    /// Copies a sequence.
    @inlinable public init<S: Sequence>(_ sequence: S) where S.Element == UInt8 { storage = ArraySlice(sequence) }

    /// How many bytes there are.
    @inlinable public var count: Int { storage.count }
    /// Whether there is no byte.
    @inlinable public var isEmpty: Bool { storage.isEmpty }
    /// The bytes as the standard library has them. Its indices need not begin at 0.
    @inlinable public var slice: ArraySlice<UInt8> { storage }
    /// The bytes as text; ill-formed UTF-8 is repaired with U+FFFD.
    @inlinable public var text: String { String(decoding: storage, as: UTF8.self) }
    /// The bytes as text, or nil where they are not UTF-8.
    public var validText: String? { String(validating: storage, as: UTF8.self) }

    /// Lends the bytes to code that takes a pointer; it is not good any more once that returns.
    @inlinable public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try storage.withUnsafeBytes(body)
    }
    /// Lends the bytes to code that changes them in place, and copies them first where others have them.
    @inlinable public mutating func withUnsafeMutableBytes<R>(
        _ body: (UnsafeMutableRawBufferPointer) throws -> R
    ) rethrows -> R {
        try storage.withUnsafeMutableBytes(body)
    }

    @inlinable public static func == (a: Bytes, b: Bytes) -> Bool { a.storage == b.storage }
    @inlinable public func hash(into hasher: inout Hasher) { withUnsafeBytes { hasher.combine(bytes: $0) } }
}

extension Bytes: ExpressibleByStringLiteral {
    public init(stringLiteral value: String) { self.init(value) }
}
