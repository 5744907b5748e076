/// The place of a record in its partition, from 0.
public struct Offset: RawRepresentable, Hashable, Comparable, Codable, Sendable, ExpressibleByIntegerLiteral,
    CustomStringConvertible
{
    /// As many records, or gaps in their place, come before it in the partition.
    public var rawValue: Int64
    @inlinable public init(rawValue: Int64) { self.rawValue = rawValue }
    /// The place with that number.
    @inlinable public init(_ value: Int64) { rawValue = value }
    @inlinable public init(integerLiteral value: Int64) { rawValue = value }
    @inlinable public static func < (a: Offset, b: Offset) -> Bool { a.rawValue < b.rawValue }
    /// The place `count` records on.
    @inlinable public static func + (a: Offset, count: Int) -> Offset { Offset(a.rawValue + Int64(count)) }
    /// How many places lie between two offsets.
    @inlinable public static func - (a: Offset, b: Offset) -> Int64 { a.rawValue - b.rawValue }
    public var description: String { String(rawValue) }
}

/// A partition's number in its topic, from 0.
public struct Partition: RawRepresentable, Hashable, Comparable, Sendable, ExpressibleByIntegerLiteral,
    CustomStringConvertible
{
    /// The number, from 0.
    public var rawValue: Int32
    @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }
    /// The partition of that number, which fits 32 bits.
    @inlinable public init(_ value: Int) { rawValue = Int32(value) }
    @inlinable public init(integerLiteral value: Int32) { rawValue = value }
    @inlinable public static func < (a: Partition, b: Partition) -> Bool { a.rawValue < b.rawValue }
    public var description: String { String(rawValue) }
}

/// One partition of one topic, written `topic/partition`.
public struct TopicPartition: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The topic's name.
    public var topic: String
    /// The partition's number.
    public var partition: Partition
    /// A partition of a topic.
    public init(_ topic: String, _ partition: Partition) {
        self.topic = topic
        self.partition = partition
    }
    public static func < (a: TopicPartition, b: TopicPartition) -> Bool {
        (a.topic, a.partition) < (b.topic, b.partition)
    }
    public var description: String { "\(topic)/\(partition)" }
}

/// Milliseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: RawRepresentable, Hashable, Comparable, Codable, Sendable, ExpressibleByIntegerLiteral {
    /// Milliseconds since 1970-01-01T00:00:00Z; negative before.
    public var rawValue: Int64
    @inlinable public init(rawValue: Int64) { self.rawValue = rawValue }
    /// The moment so many milliseconds after the beginning of 1970.
    @inlinable public init(_ milliseconds: Int64) { rawValue = milliseconds }
    @inlinable public init(integerLiteral value: Int64) { rawValue = value }
    @inlinable public static func < (a: Timestamp, b: Timestamp) -> Bool { a.rawValue < b.rawValue }
    /// The years 1 to 9998: what every writer of dates can write, with room for what a domain adds to it.
    public static let calendar = Timestamp(-62_135_596_800_000)...Timestamp(253_370_764_799_999)
    // A record may have any time. What would lie beyond the first or last that there is, is that one.
    /// A later moment, to the millisecond; the last there is where it would lie beyond.
    @inlinable public static func + (a: Timestamp, b: Duration) -> Timestamp {
        Timestamp(a.rawValue.clampedSum(b.milliseconds))
    }
    /// An earlier moment, to the millisecond; the first there is where it would lie before.
    @inlinable public static func - (a: Timestamp, b: Duration) -> Timestamp {
        Timestamp(a.rawValue.clampedDifference(b.milliseconds))
    }
    /// How many milliseconds lie between another time and this one; at most as many as an Int64 holds.
    @inlinable public func milliseconds(since other: Timestamp) -> Int64 {
        rawValue.clampedDifference(other.rawValue)
    }
    /// Whole seconds since 1970, rounded down.
    @inlinable public var second: Int64 {
        rawValue >= 0 ? rawValue / 1000 : (rawValue + 1) / 1000 - 1
    }
    /// Milliseconds after that second, 0 to 999.
    @inlinable public var millisecond: Int64 { rawValue &- second &* 1000 }
}

extension Int64 {
    /// The sum, or where an Int64 does not hold it, the nearest that it holds.
    @inlinable public func clampedSum(_ other: Int64) -> Int64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? (other < 0 ? .min : .max) : sum
    }
    /// The difference, or the nearest that an Int64 holds.
    @inlinable public func clampedDifference(_ other: Int64) -> Int64 {
        let (difference, overflows) = subtractingReportingOverflow(other)
        return overflows ? (other < 0 ? .max : .min) : difference
    }
    /// The product, or the nearest that an Int64 holds.
    @inlinable public func clampedProduct(_ other: Int64) -> Int64 {
        let (product, overflows) = multipliedReportingOverflow(by: other)
        return overflows ? ((self < 0) == (other < 0) ? .max : .min) : product
    }
}

extension Duration {
    /// Whole milliseconds, rounded towards zero; at most as many as an Int64 holds.
    @inlinable public var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds.clampedProduct(1000).clampedSum(attoseconds / 1_000_000_000_000_000)
    }
}
