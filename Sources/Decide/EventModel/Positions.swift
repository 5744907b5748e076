/// The place of a record in its partition, from 0.
public struct Offset: RawRepresentable, Hashable, Comparable, Codable, Sendable, ExpressibleByIntegerLiteral,
    CustomStringConvertible
{
    public var rawValue: Int64
    @inlinable public init(rawValue: Int64) { self.rawValue = rawValue }
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
    public var rawValue: Int32
    @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }
    @inlinable public init(_ value: Int) { rawValue = Int32(value) }
    @inlinable public init(integerLiteral value: Int32) { rawValue = value }
    @inlinable public static func < (a: Partition, b: Partition) -> Bool { a.rawValue < b.rawValue }
    public var description: String { String(rawValue) }
}

/// One partition of one topic, written `topic/partition`.
public struct TopicPartition: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var topic: String
    public var partition: Partition
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
    public var rawValue: Int64
    @inlinable public init(rawValue: Int64) { self.rawValue = rawValue }
    @inlinable public init(_ milliseconds: Int64) { rawValue = milliseconds }
    @inlinable public init(integerLiteral value: Int64) { rawValue = value }
    @inlinable public static func < (a: Timestamp, b: Timestamp) -> Bool { a.rawValue < b.rawValue }
    /// The years 1 to 9998: what every writer of dates can write, with room for what a domain adds to it.
    public static let calendar = Timestamp(-62_135_596_800_000)...Timestamp(253_370_764_799_999)
    @inlinable public static func + (a: Timestamp, b: Duration) -> Timestamp {
        Timestamp(a.rawValue + b.milliseconds)
    }
    @inlinable public static func - (a: Timestamp, b: Duration) -> Timestamp {
        Timestamp(a.rawValue - b.milliseconds)
    }
    /// Whole seconds since 1970, rounded down.
    @inlinable public var second: Int64 {
        rawValue >= 0 ? rawValue / 1000 : (rawValue + 1) / 1000 - 1
    }
}

extension Duration {
    /// Whole milliseconds, rounded towards zero.
    @inlinable public var milliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
