public import EventModel

/// The last record of a partition that was folded, to tell whether a log is still the one that it was folded from.
public struct LogFingerprint: Sendable, Hashable, Codable {
    public var last: Offset
    /// Of its key and its value.
    public var digest: UInt64

    public init(last: Offset, digest: UInt64) {
        self.last = last
        self.digest = digest
    }

    public init(last: Offset, key: Bytes, value: Bytes) {
        self.last = last
        var hash = FNV1a()
        key.withUnsafeBytes { hash.add($0) }
        value.withUnsafeBytes { hash.add($0) }
        digest = hash.value
    }

    public init(_ record: Record) { self.init(last: record.offset, key: record.key, value: record.value) }

    /// Why a log is not the one that the mark was made of: it has another record there, or none.
    public func contradiction(to log: any EventLog, in source: TopicPartition) async throws -> String? {
        let found = try await log.record(at: last, in: source).map { LogFingerprint($0) }
        return found == self ? nil : "\(source)@\(last) is another record"
    }
}
