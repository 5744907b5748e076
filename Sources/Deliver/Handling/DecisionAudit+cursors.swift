internal import EventLog
internal import EventModel
internal import Quarantining

/// What an audit reads side by side: commands, the outcomes that answer them, the events that these tell of.
extension DecisionAudit {
    struct Cursors {
        var commands: RecordCursor
        var events: RecordCursor
        var outcomes: RecordCursor
        func close() async {
            for cursor in [commands, events, outcomes] { await cursor.close() }
        }
    }

    /// What the quarantine says of the partition.
    struct Waiting {
        let worker: String
        let said: QuarantineState
        let events: TopicPartition
        let commands: TopicPartition
        let leftOut: Quarantine

        /// Whether a command waits, or did.
        func knows(_ command: Record) -> Bool { said.knows(command.offset, in: commands, of: worker) }
        /// Whether an event had waited and was folded late. The commands of its key waited as long.
        func wasLate(_ event: Record) -> Bool { said.knows(event.offset, in: events, of: worker) }
    }

    /// The commands in the order in which they were answered.
    struct Commands {
        let waiting: Waiting
        /// Commands without an outcome as yet.
        private var late: [KeyedID: [Record]] = [:]
        private var ahead: Record?

        init(waiting: Waiting) { self.waiting = waiting }

        mutating func skip(to start: Offset, _ cursors: inout Cursors) async throws {
            ahead = try await cursors.commands.next()
            while let early = ahead, early.offset < start {
                if waiting.knows(early) { setAside(early) }
                ahead = try await cursors.commands.next()
            }
        }

        /// The command that the next outcome answers: one that waited, or else the next one.
        mutating func next(answeredBy id: KeyedID, _ cursors: inout Cursors) async throws -> Record? {
            if let waited = late[id]?.first {
                late[id]?.removeFirst()
                return waited
            }
            while let parked = ahead, waiting.knows(parked) {
                setAside(parked)
                ahead = try await cursors.commands.next()
                if self.id(of: parked) == id { return try await next(answeredBy: id, &cursors) }
            }
            let command = ahead
            ahead = try await cursors.commands.next()
            return command
        }

        private mutating func setAside(_ command: Record) { late[id(of: command), default: []].append(command) }

        private func id(of command: Record) -> KeyedID {
            KeyedID(command.key, command.commandID(in: waiting.commands))
        }
    }
}
