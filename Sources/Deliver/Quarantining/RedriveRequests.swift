public import EventModel

/// What is asked of one worker for records that wait, each request handed out once.
public struct RedriveRequests: Sendable {
    private let worker: String
    /// Those that were handed out, for what is known of the topic may be older.
    private var done: Set<String> = []

    public init(of worker: String) { self.worker = worker }

    /// The worker has just read what the topic says.
    public mutating func begin() { done = [] }

    /// The next that is asked for of these partitions; from now on it is in this worker's hands.
    ///
    /// A request that a worker took and never finished is ended and not handed out again: that worker may have crashed
    /// on it.
    ///
    /// - Parameter quarantine: nil asks for nothing.
    public mutating func next(
        of owned: Set<TopicPartition>, from quarantine: QuarantineLog?
    ) async throws -> RedriveRequest? {
        guard let quarantine else { return nil }
        let said = try await quarantine.read(notOlderThan: QuarantineLog.heed)
        for request in said.open where request.worker == worker && owned.contains(request.source) {
            if !done.insert(request.id).inserted { continue }
            if !said.begun.contains(request.id) {
                try await quarantine.append([.begun(id: request.id)])
                return request
            }
            try await quarantine.append([.ended(.unfinished(request.id))])
        }
        return nil
    }
}
