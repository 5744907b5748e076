public import EventModel

/// Records that a partition had and has no more.
public struct Gone: Sendable, Hashable, CustomStringConvertible {
    public var partition: TopicPartition
    /// Before this offset not all is there that was.
    public var before: Offset
    /// Only the newest record of each key is kept: any older one may be gone.
    public var isCompacted: Bool

    public init(_ partition: TopicPartition, before: Offset, isCompacted: Bool = false) {
        (self.partition, self.before, self.isCompacted) = (partition, before, isCompacted)
    }

    public var description: String {
        isCompacted
            ? "\(partition) is compacted: older records of its keys are gone before \(before)"
            : "\(partition) begins at \(before): what was before is past its retention"
    }
}

/// Something needs events that the log has no more.
public struct EventsGone: Error, Sendable, Hashable, CustomStringConvertible {
    /// What would lack what they did.
    public var what: String
    /// Not empty.
    public var gone: [Gone]

    public init(_ what: String, _ gone: [Gone]) { (self.what, self.gone) = (what, gone) }

    public var description: String { "\(what) would lack what events did that are gone: \(gone.words)" }
}

extension [Gone] {
    /// The first, and how many more there are.
    public var words: String {
        guard let first else { return "nothing" }
        return count == 1 ? "\(first)" : "\(first) (and \(count - 1) more partitions)"
    }

    /// Why what is folded from these cannot be checked; nil where nothing is gone.
    public var unchecked: String? { first.map { "cannot be checked before offset \($0.before): \(words)" } }
}

extension EventLog {
    /// What the partitions of some topics had and have no more, in their order.
    public func gone(of topics: [String]) async throws -> [Gone] {
        let compacted = Set(try await self.topics().filter { $0.cleanup == .compact }.map(\.name))
        let bounds = try await bounds(of: partitions(of: topics))
        return bounds.sorted { $0.key < $1.key }.compactMap { partition, range in
            if compacted.contains(partition.topic), range.upperBound > 0 {
                return Gone(partition, before: range.upperBound, isCompacted: true)
            }
            return range.lowerBound > 0 ? Gone(partition, before: range.lowerBound) : nil
        }
    }
}
