internal import EventModel
internal import Synchronization

/// Reads partitions of a log in memory without a group.
final class MemoryReader: LogReader {
    private let log: MemoryLog
    private let cursors: Mutex<Cursors>

    init(log: MemoryLog, positions: [TopicPartition: Offset]) {
        self.log = log
        cursors = Mutex(Cursors(positions))
    }

    func next(max: Int, wait: Duration) async throws -> [Batch] {
        try await log.changed.first(within: wait) {
            let from = cursors.withLock { $0.inTurn() }
            let batches = try log.state.withLock { state in
                if state.closed { throw LogError.wasClosed }
                return state.read(from, max: max)
            }
            if batches.isEmpty { return nil }
            cursors.withLock { $0.advance(past: batches) }
            return batches
        } ?? []
    }

    func close() {}
}
