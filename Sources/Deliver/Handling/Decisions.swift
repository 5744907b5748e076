internal import EventLog
internal import EventModel
internal import Metering

/// What a handler's decisions come to: for each partition the events, and the outcomes that tell where they went.
struct Decisions: StepOutput {
    struct OfPartition: Sendable {
        let events: TopicPartition
        let outcomes: TopicPartition
        var made: [NewRecord] = []
        var commands: [DecidedCommand] = []
        /// Which of the commands was decided first under an id.
        private var first: [KeyedID: Int] = [:]

        init(events: TopicPartition, outcomes: TopicPartition) { (self.events, self.outcomes) = (events, outcomes) }

        /// The command that was decided under an id and is not committed yet.
        func decided(_ id: KeyedID) -> DecidedCommand? { first[id].map { commands[$0] } }

        mutating func add(_ command: DecidedCommand, under id: KeyedID) {
            first[id] = commands.count
            commands.append(command)
        }

        func replies(_ offsets: [Offset]) -> Append {
            Append(outcomes, commands.map { $0.record(events: events, offsets) })
        }
    }
    var all: [OfPartition] = []
    /// What came of the commands, where that is counted.
    var tally = CommandTally()

    /// Where the decisions of a partition are; the place is made where there are none yet.
    mutating func index(of events: TopicPartition, _ outcomes: TopicPartition) -> Int {
        if all.last?.events.partition != events.partition {
            all.append(OfPartition(events: events, outcomes: outcomes))
        }
        return all.count - 1
    }

    var isLarge: Bool { false }
    var refusal: String? {
        guard let outcome = all.last?.commands.last?.outcome, !outcome.accepted else { return nil }
        return outcome.reason
    }
    var appends: [Append] { all.map { Append($0.events, $0.made) } }
    var replies: @Sendable (_ offsets: [[Offset]]) -> [Append] {
        { [all] offsets in zip(all, offsets).map { $0.replies($1) } }
    }
}
