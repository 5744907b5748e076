/// The mark that a text of UTF-8 may begin with (RFC 3629, section 6).
package enum ByteOrderMark {
    package static let bytes: [UInt8] = [0xef, 0xbb, 0xbf]
}

extension ArraySlice<UInt8> {
    /// What is behind the mark, where there is one.
    package var withoutByteOrderMark: ArraySlice<UInt8> {
        starts(with: ByteOrderMark.bytes) ? dropFirst(ByteOrderMark.bytes.count) : self
    }
}
