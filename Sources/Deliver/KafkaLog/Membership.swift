/// Who a process is to the groups that its workers join, and where it stands.
public struct Membership: Sendable, Hashable {
    /// How long a member with a name of its own may be away before its partitions go to others: long enough for a process to be
    /// started anew in its place.
    public static let session = Duration.seconds(60)

    /// A name that no other process has, and that the one started in its place has again (Kafka's static membership, KIP-345).
    /// Nil makes a member like any other.
    public var instance: String?
    /// The place of this machine, as brokers know theirs by `broker.rack`: what can be is read from the nearest replica.
    public var rack: String?

    public init(instance: String? = nil, rack: String? = nil) { (self.instance, self.rack) = (instance, rack) }
}
