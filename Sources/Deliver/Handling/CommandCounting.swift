internal import EventModel
internal import Metering

/// Which of a decider's commands and events a record is, so that what came of it is counted under its name.
///
/// A name that is none of them is not counted by itself: whoever writes to the topic may say any.
struct CommandCounting: Sendable {
    private let names: [String]
    private let numbers: [Bytes: Int]
    private let commands: Schema
    private let metrics: CommandMetrics

    init(of decider: AnyDecider, _ metrics: CommandMetrics) {
        names = (decider.commands.kinds + decider.events.kinds).map(\.name)
        numbers = Dictionary(names.enumerated().map { (Bytes($1), $0) }) { first, _ in first }
        (commands, self.metrics) = (decider.commands, metrics)
    }

    func number(of record: Record) -> Int {
        if let type = record.headers.first(where: { $0.name == HeaderName.type }) {
            return numbers[type.value] ?? names.count
        }
        // Another program's command need not say its name.
        return numbers[Bytes(commands.kindName(in: record.value))] ?? names.count
    }

    func note(_ decision: Decision, of record: Record, in tally: inout CommandTally) {
        switch decision {
        case .accepted: tally.accepted(number(of: record))
        case .refused(let no): tally.refused(number(of: record), no.reason)
        }
    }

    func add(_ tally: CommandTally) { metrics.add(tally, names: names) }
}
