public import EventModel

/// A partition read through: its records counted and hashed, and the first one that is not as it should be.
public struct PartitionAudit: Sendable, Hashable {
    public var partition: TopicPartition
    /// From the first record that is kept to the end as it was at the start.
    public var range: Range<Offset>
    public var records = 0
    /// Offsets in the range that no record has.
    public var gaps: Int64 { range.upperBound - range.lowerBound - Int64(records) }
    /// A hash of all records in order: offset, time, key, value and headers.
    public var hash: UInt64 = FNV1a().value
    /// What is wrong with the first record that is not as it should be; it was not read beyond.
    public var problem: String?
}

extension EventLog {
    /// Reads a partition from its first record to an offset.
    ///
    /// - Parameters:
    ///   - isContiguous: Whether each offset must have a record.
    ///   - check: What is wrong with a record, nil where nothing is.
    public func audit(
        _ partition: TopicPartition, _ range: Range<Offset>, isContiguous: Bool,
        check: (Record) -> String?, progress: (_ records: Int) -> Void = { _ in }
    ) async throws -> PartitionAudit {
        var audit = PartitionAudit(partition: partition, range: range)
        var hash = FNV1a()
        var next = range.lowerBound
        var newest: Timestamp?
        do {
            try await scan(partition, from: range.lowerBound, to: range.upperBound) { batch in
                for record in batch.records {
                    if record.offset < next {
                        audit.problem = "\(partition)@\(record.offset) comes after \(partition)@\(next + -1)"
                    } else if isContiguous, record.offset > next, try await !isPast(next, record.offset, partition) {
                        audit.problem = "\(partition)@\(next) is missing; the next record is at \(record.offset)"
                    } else if let why = check(record) {
                        audit.problem = "\(partition)@\(record.offset): \(why)"
                    }
                    if audit.problem != nil { throw Stop() }
                    hash.add(record)
                    audit.records += 1
                    next = record.offset + 1
                    newest = max(newest ?? record.timestamp, record.timestamp)
                }
                progress(audit.records)
            }
            if isContiguous, next < range.upperBound, try await !isPast(next, range.upperBound, partition) {
                audit.problem = "\(partition)@\(next) is missing, before the end"
            }
            let reached = try await reached(before: [partition: range.upperBound])[partition]
            if audit.problem == nil, let newest, let reached, reached < newest {
                audit.problem =
                    "\(partition) has a record of \(newest.rfc3339), but its index says \(reached.rfc3339) at most"
            }
        } catch is Stop {
        } catch let error as LogError where error.kind == .damaged {
            audit.problem = error.message
        }
        audit.hash = hash.value
        return audit
    }
}

extension EventLog {
    /// Whether what is missing from one offset to another has been taken by retention since reading began.
    fileprivate func isPast(_ from: Offset, _ to: Offset, _ partition: TopicPartition) async throws -> Bool {
        try await bounds(of: [partition])[partition].map { $0.lowerBound >= to } ?? false
    }
}

/// Nothing is read beyond a problem.
private struct Stop: Error {}

extension FNV1a {
    fileprivate mutating func add(_ record: Record) {
        add(number: record.offset.rawValue)
        add(number: record.timestamp.rawValue)
        add(record.key)
        add(record.value)
        for header in record.headers {
            add(Bytes(header.name))
            add(header.value)
        }
    }

    /// With its length, so that what belongs to one field cannot pass for part of another.
    private mutating func add(_ bytes: Bytes) {
        add(number: Int64(bytes.count))
        bytes.withUnsafeBytes { add($0) }
    }
}
