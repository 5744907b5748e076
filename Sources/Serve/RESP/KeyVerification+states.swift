internal import EventLog
internal import EventModel
internal import KVDomain

extension KeyVerification {
    /// Compares what a copy would begin with, `kv.state` and the events since, with all events.
    ///
    /// - Parameter repairing: Whether states that differ are written anew, in the place of `kv.newest`: where that works elsewhere, what it
    ///   has in hand is left.
    package func states(repairing: Bool) async throws -> [KeyFinding] {
        let count = try await log.partitionCounts()[KeyStates.topic] ?? 0
        if count == 0 { return [] }
        let states = (0..<count).map { TopicPartition(KeyStates.topic, Partition($0)) }
        // In this order: what was consumed has been written.
        let consumed = try await log.committed(KeyStates.group, events)
        let ends = try await log.bounds(of: events).mapValues(\.upperBound)
        var copies = Copies(events.map { _ in KeyCopy() })
        for (partition, range) in try await log.bounds(of: states) {
            try await log.scan(partition, from: range.lowerBound, to: range.upperBound) { batch in
                for record in batch.records { try copies.restore(record.key, record.value) }
            }
        }
        var findings: [KeyFinding] = []
        for (number, partition) in events.enumerated() {
            let end = ends[partition] ?? 0
            var unchecked = try await obstacle(partition, of: KeyStates.group)
            if consumed[partition] == nil, end > 0 {
                unchecked =
                    unchecked ?? "\(KeyStates.group) has consumed nothing of \(partition): no copy begins with it"
            }
            if let unchecked {
                var finding = KeyFinding(.state, partition, to: end)
                finding.unchecked = unchecked
                findings.append(finding)
                continue
            }
            try await log.scan(partition, from: consumed[partition] ?? 0, to: end) { batch in
                for record in batch.records { _ = try copies.apply(record.value, to: number, telling: false) }
            }
            findings.append(try await compare(copies.parts[number], .state, partition, at: end))
        }
        if repairing, findings.contains(where: { !$0.differences.isEmpty }) {
            try await repairStates(&findings, among: count)
        }
        return findings
    }

    /// How long it is waited for that the group gives its partitions.
    private static let joining = Duration.seconds(10)

    /// As a member of the group of `kv.newest`: who has a partition of `kv.events` is the only one who says its keys' states.
    private func repairStates(_ findings: inout [KeyFinding], among count: Int) async throws {
        let member = try await log.join(KeyStates.group, topics: [domain.eventsTopic], sharing: .together)
        do {
            let deadline = ContinuousClock.now + Self.joining
            while findings.contains(where: { !$0.differences.isEmpty && $0.repaired == 0 }), .now < deadline {
                switch try await member.next(max: 1, wait: .milliseconds(200)) {
                case .assigned(let partitions):
                    try await member.start(Dictionary(uniqueKeysWithValues: partitions.map { ($0, nil) }))
                    for at in findings.indices where partitions.contains(findings[at].partition) {
                        try await repair(&findings[at], among: count, as: member)
                    }
                case .revoked(let partitions): try await member.release(partitions)
                case .lost, .records, .idle: break
                }
            }
        } catch {
            await member.leave()
            throw error
        }
        await member.leave()
        for at in findings.indices where !findings[at].differences.isEmpty && findings[at].repaired == 0 {
            findings[at].unrepaired = "\(KeyStates.group) works on \(findings[at].partition); stop it and try again"
        }
    }

    private func repair(_ finding: inout KeyFinding, among count: Int, as member: any GroupMember) async throws {
        let partition = finding.partition
        guard finding.unchecked == nil, !finding.differences.isEmpty,
            let next = try await log.committed(KeyStates.group, [partition])[partition]
        else { return }
        // As they are where the group stands: what comes after that, kv.newest will say.
        let fresh = try await fold(partition, to: next)
        var fold = KeyStatesFold(finding.differences.map(\.key))
        try await eachRecord(of: partition, to: next) { try fold.apply($0) }
        let records = try finding.differences.map { difference in
            var now = difference
            now.expected = try fresh.entry(difference.key)
            return fold.record(of: now)
        }
        _ = try await member.transact(
            Transaction(appends: Append.byKey(records, to: KeyStates.topic, among: count), consumed: [partition: next]))
        finding.repaired = records.count
    }
}
