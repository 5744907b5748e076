internal import EventLog
internal import EventModel

extension EventLog {
    /// Among how many partitions the keys of a deciding domain are spread: of its commands, events and outcomes alike.
    ///
    /// - Throws: ``LogError/Kind/mismatch`` where the three have not the same count, or not that which was noted of them.
    func spread(of domain: Domain, _ worker: String, _ book: TopicBook?) async throws -> Int {
        let topics = [domain.commandsTopic, domain.eventsTopic, domain.outcomesTopic]
        let counts = try await partitionCounts()
        try counts.checkCopartitioned(topics, worker)
        try await book?.check(topics, among: counts, for: worker)
        return counts[domain.commandsTopic] ?? 1
    }

    /// Among how many partitions the keys of a deciding domain's commands were spread when they were decided.
    func spread(of domain: Domain) async throws -> Int {
        let noted = try await TopicBook(self, clock: { 0 }).counts()[domain.commandsTopic]
        if let noted { return noted }
        guard let count = try await partitionCounts()[domain.commandsTopic] else {
            throw LogError.unknown(domain.commandsTopic)
        }
        return count
    }
}
