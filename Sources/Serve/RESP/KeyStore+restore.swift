internal import EventLog
internal import EventModel
internal import KVDomain
internal import Quarantining
internal import Synchronization

extension KeyStore {
    /// Takes over what `kv.state` has, where the log has that topic.
    ///
    /// What its writer has consumed of `kv.events` is asked for before the ends of `kv.state`. Both are committed together, so all
    /// that was consumed is there. What is newer is folded again afterwards, which ends in the same: of each key, what
    /// comes last counts.
    ///
    /// A partition of which a record waits for the writer, was given up or was gone before it came, is folded from its beginning: of the keys
    /// of such a record, `kv.state` has what was before.
    ///
    /// - Parameter ranges: Of `kv.events`.
    /// - Returns: where the copies go on in `kv.events`.
    func restore(_ ranges: [TopicPartition: Range<Offset>]) async throws -> [TopicPartition: Offset] {
        let firsts = ranges.mapValues(\.lowerBound)
        if states.isEmpty { return firsts }
        let consumed = try await log.committed(KeyStates.group, events)
        if consumed.isEmpty { return firsts }
        let stale = try await partitionsLeftOut()
        let ends = try await log.bounds(of: states)
        try await each(states, from: ends.mapValues(\.lowerBound), to: ends.mapValues(\.upperBound)) { batch in
            try state.withLock { state in
                for record in batch.records {
                    try state.copies.restore(record.key, record.value)
                }
                state.restored += batch.records.count
            }
        }
        let told = consumed.filter { !stale.contains($0.key) }
        let starts = firsts.merging(told) { first, consumed in max(first, consumed) }
        state.withLock { state in
            for (number, partition) in events.enumerated() {
                state.copies.advance(number, to: starts[partition] ?? 0)
            }
        }
        return starts
    }

    /// The partitions of `kv.events` of which the writer of `kv.state` has left something out.
    private func partitionsLeftOut() async throws -> Set<TopicPartition> {
        let said = try await QuarantineLog.state(of: log)
        let waiting = (said.workers[KeyStates.group] ?? [:]).filter { !$0.value.isEmpty }
        let missed = (said.missed[KeyStates.group] ?? [:]).filter { !$0.value.isEmpty }
        return Set(waiting.keys).union(missed.keys)
    }

    /// Folds a partition's history up to where its copy is, and puts right what the copy has otherwise.
    ///
    /// It is called by whoever follows, so that the copy stays where it is.
    ///
    /// - Parameter isWhole: Whether nothing of the copy is to be trusted; else only the ranges that differ are replaced.
    func repair(_ number: Int, isWhole: Bool) async throws -> Repair {
        let partition = events[number]
        let end = state.withLock { $0.copies.ends[number] }
        var fresh = try storage.copy(number)
        let range = try await log.bounds(of: [partition])[partition] ?? 0..<0
        try await each([partition], from: [partition: range.lowerBound], to: [partition: min(end, range.upperBound)]) {
            for record in $0.records(before: end) { try fresh.apply(record.value, telling: false) }
        }
        let copy = fresh
        let sums = try copy.checksums()
        return state.withLock { state in
            if !isWhole, let own = try? state.copies.parts[number].checksums() {
                let leaves = own.differences(from: sums)
                if leaves.isEmpty { return Repair() }
                if let keys = try? state.copies.replace(leaves, of: number, from: copy) {
                    return Repair(ranges: leaves.count, keys: keys)
                }
            }
            state.copies.replace(number, by: copy)
            return Repair(ranges: ChecksumTree.width * ChecksumTree.width, keys: copy.count)
        }
    }

    private static let pause = Duration.milliseconds(50)

    /// Reads partitions from some offsets to others.
    private func each(
        _ partitions: [TopicPartition], from starts: [TopicPartition: Offset], to ends: [TopicPartition: Offset],
        _ body: (Batch) throws -> Void
    ) async throws {
        var left = ends.filter { $0.value > starts[$0.key] ?? 0 }
        if left.isEmpty { return }
        let reader = try await log.reader(from: starts.filter { left[$0.key] != nil })
        do {
            var batches = try await reader.next(max: 20_000, wait: Self.pause)
            while !left.isEmpty {
                try Task.checkCancellation()
                // The next are read while these are taken over.
                async let coming = reader.next(max: 20_000, wait: Self.pause)
                for batch in batches {
                    guard let end = left[batch.source] else { continue }
                    try body(batch)
                    if batch.next >= end { left[batch.source] = nil }
                }
                batches = try await coming
            }
        } catch {
            await reader.close()
            throw error
        }
        await reader.close()
    }
}

/// What was put right.
package struct Repair: Sendable, Hashable {
    /// Of the checksum tree's 256.
    package var ranges = 0
    package var keys = 0
    package init(ranges: Int = 0, keys: Int = 0) { (self.ranges, self.keys) = (ranges, keys) }
}

/// Where copies keep what memory has no room for.
package struct CopyStorage: Sendable {
    /// Bytes of all copies together; nil where there is no bound.
    package var memory: Int?
    package var folder: String
    /// Of how many partitions.
    var partitions = 1

    package init(memory: Int? = nil, folder: String) { (self.memory, self.folder) = (memory, folder) }

    func copy(_ number: Int) throws -> KeyCopy {
        guard let memory else { return KeyCopy() }
        return KeyCopy(
            store: try SegmentFile(in: folder, partition: number), memory: memory / max(1, partitions))
    }
}
