internal import EventModel

/// What the key-value store allows at most. Each limit has its name here and nowhere else.
package enum KVLimits {
    /// Bytes of a value, 1 MiB: its event fits into one record of the log (``Limits/valueBytes``), with its key.
    package static let value = 1_048_576
    /// Bytes of all keys and values of one `PutMany`, which is one event, with ``pair`` more for each of them. The longest key
    /// fits with the largest value.
    package static let many = 1_050_000
    /// Bytes that each pair counts beside its own.
    package static let pair = 16
    /// Keys of one `PutMany`.
    package static let pairs = 10_000
    /// Bytes of a key.
    package static let key = Limits.keyBytes
    /// Keys that share a tag: one writer holds all of them.
    package static let keysOfTag = 10_000
    /// Bytes of all values that share a tag.
    package static let bytesOfTag = 16_777_216
    /// Milliseconds that a key may be there before it expires, some 100 years.
    package static let ttl: ClosedRange<Int64> = 1...3_155_760_000_000
    /// Revisions of a key that the view keeps.
    package static let history = 16
}
