public import EventModel

/// Why the log could not do what it was asked.
public struct LogError: Error, Sendable, Hashable, CustomStringConvertible {
    public struct Kind: Sendable, Hashable {
        enum Code {
            case unreachable, refused, setting, fenced, replaced, unknownTopic, mismatch, tooLarge, damaged, full,
                denied,
                busy, closed, aborted, failed
        }
        let code: Code
        /// The broker or database does not answer.
        public static let unreachable = Kind(code: .unreachable)
        /// The broker answers and takes no connection: the password, the certificate or the protocol is wrong.
        public static let refused = Kind(code: .refused)
        /// A property of the log's client is wrong.
        public static let setting = Kind(code: .setting)
        /// Another member owns the partition now.
        public static let fenced = Kind(code: .fenced)
        /// Another process of the same instance's name has taken this member's place for good.
        public static let replaced = Kind(code: .replaced)
        public static let unknownTopic = Kind(code: .unknownTopic)
        /// A topic exists with another shape.
        public static let mismatch = Kind(code: .mismatch)
        /// A record is over a limit.
        public static let tooLarge = Kind(code: .tooLarge)
        /// What is stored is not what was written.
        public static let damaged = Kind(code: .damaged)
        /// No room is left on the device.
        public static let full = Kind(code: .full)
        /// No permission.
        public static let denied = Kind(code: .denied)
        /// Another has held the log for longer than is waited.
        public static let busy = Kind(code: .busy)
        /// The log was closed.
        public static let closed = Kind(code: .closed)
        /// The transaction was given up; nothing of it is visible, and it may be tried again.
        public static let aborted = Kind(code: .aborted)
        public static let failed = Kind(code: .failed)
    }
    public var kind: Kind
    /// What was wrong, where, and what to do.
    public var message: String
    /// The topic that is not there, where it is that.
    public private(set) var topic: String?
    /// How long it was waited for the trouble to pass, before it was told.
    public var waited: Duration = .zero
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }
    public var description: String { message }

    public static func unknown(_ topic: String) -> LogError {
        var error = LogError(.unknownTopic, "there is no topic \(topic)")
        error.topic = topic
        return error
    }
    public static func unknown(_ partition: TopicPartition) -> LogError {
        LogError(.unknownTopic, "there is no partition \(partition)")
    }
    public static func mismatch(_ topic: String, has: Int, wanted: Int) -> LogError {
        LogError(.mismatch, "topic \(topic) has \(has) partitions, \(wanted) were declared; keys would change places")
    }
    public static let wasClosed = LogError(.closed, "the log is closed")
}

extension NewRecord {
    /// Throws where a record is over a limit that every log keeps.
    public func checkLimits(_ target: TopicPartition) throws(LogError) {
        if key.count > Limits.keyBytes {
            throw LogError(
                .tooLarge, "a key for \(target) has \(key.count) bytes, at most \(Limits.keyBytes) are allowed")
        }
        if value.count > Limits.valueBytes {
            throw LogError(
                .tooLarge, "a value for \(target) has \(value.count) bytes, at most \(Limits.valueBytes) are allowed")
        }
        if headers.count > Limits.headers || headers.contains(where: { $0.value.count > Limits.headerBytes }) {
            throw LogError(
                .tooLarge,
                "a record for \(target) has over \(Limits.headers) headers, or one over \(Limits.headerBytes) bytes")
        }
    }
}
