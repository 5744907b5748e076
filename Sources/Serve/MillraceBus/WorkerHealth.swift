package import EventLog
package import EventModel

/// One worker, and what is wrong with it.
package struct WorkerHealth: Sendable {
    /// How old the oldest record that is not handled may be, where nothing is said.
    package static let age = Duration.seconds(60)

    package var worker: String
    package var lag: Int64 = 0
    /// How long ago the oldest record that it has not handled was written; nil where there is none.
    package var age: Duration?
    /// Why it is not healthy.
    package var problem: String?

    package init(worker: String) { self.worker = worker }

    /// The state of each worker, in the order of the lines.
    package static func states(
        _ lines: [WorkerLag], on log: any EventLog, at moment: Timestamp, maxLag: Int64?, maxAge: Duration?
    ) async throws -> [WorkerHealth] {
        var states: [WorkerHealth] = []
        for line in lines {
            if states.last?.worker != line.worker { states.append(WorkerHealth(worker: line.worker)) }
            let last = states.count - 1
            states[last].lag += line.lag
            if let topic = line.missing { states[last].problem = "reads \(topic), which is not on the log" }
            if line.ahead > 0 { states[last].problem = "is ahead of the log by \(line.ahead) records" }
            guard line.lag > 0, let partition = line.partition, let end = line.end else { continue }
            let next = max(line.committed ?? 0, Offset(end.rawValue - line.lag))
            guard let record = try await log.record(at: next, in: partition) else { continue }
            let age = Duration.milliseconds(max(0, moment.rawValue - record.timestamp.rawValue))
            states[last].age = max(age, states[last].age ?? .zero)
        }
        for i in states.indices where states[i].problem == nil {
            if let maxLag, states[i].lag > maxLag {
                states[i].problem = "is behind by \(states[i].lag) records, more than \(maxLag)"
            }
            if let maxAge, let age = states[i].age, age > maxAge {
                states[i].problem =
                    """
                    has not handled a record that is \(age.short) old, over \(maxAge.short), and \(states[i].lag) in all; does \
                    it run?
                    """
            }
        }
        return states
    }
}
