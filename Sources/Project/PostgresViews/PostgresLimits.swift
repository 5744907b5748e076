/// How much and how long, in one place.
enum PostgresLimits {
    /// Connections of one store. PostgreSQL allows 100 in all unless told otherwise.
    static let connections = 8
    /// Rows of one statement that writes, and about how many bytes of text.
    static let rows = 10_000
    static let bytes = 32 << 20
    /// Statements that one connection keeps prepared.
    static let prepared = 256
    /// What PostgreSQL keeps of a name: NAMEDATALEN - 1.
    static let nameBytes = 63

    /// Making a connection, over all addresses of the URL.
    static let connect = Duration.seconds(10)
    /// How long a server that was there before may be away, before it counts as unreachable.
    static let patience = Duration.seconds(10)
    static let pause = Duration.milliseconds(100)
    /// How often a transaction is done again that the server gave up in favour of another.
    static let retries = 5

    /// Silence of a transaction's owner, after which the server ends it: a frozen process holds its rows no longer. It is
    /// shorter than the wait for a row's lock, so that who takes over has them in time.
    static let idleInTransaction = Duration.seconds(15)
    /// The same for a snapshot, which is held while other work is done.
    static let idleInSnapshot = Duration.seconds(24 * 3600)
    static let lock = Duration.seconds(30)
    static let statement = Duration.seconds(45)
    /// When the client itself stops waiting for the server, which should have given up before.
    static let answer = Duration.seconds(60)

    /// A peer whose machine is gone is noticed after `idle + count * interval`; unacknowledged data after `unacknowledged`.
    static let keepalives = [
        "keepalives": "1", "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3",
        "tcp_user_timeout": "30000",
    ]
}
