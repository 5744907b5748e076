/// The 64-bit FNV-1a hash (isthe.com/chongo/tech/comp/fnv): the same in every process, for telling apart what differs by
/// accident, not by malice.
public struct FNV1a: Hashable, Sendable {
    /// The hash of what was added so far.
    public private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    /// The hash of nothing: FNV's offset basis.
    public init() {}

    /// The hash of a text's UTF-8.
    public init(_ text: String) {
        self.init()
        for byte in text.utf8 { add(byte) }
    }

    /// Adds one byte.
    public mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }

    /// Adds its eight bytes, the lowest first.
    public mutating func add(number: Int64) { withUnsafeBytes(of: number.littleEndian) { add($0) } }

    /// Adds bytes in their order.
    public mutating func add(_ bytes: UnsafeRawBufferPointer) { for byte in bytes { add(byte) } }
}
