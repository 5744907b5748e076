internal import CoreMetrics
internal import Synchronization

/// What came of a batch's commands, by command. It is added to the metrics once that is committed.
package struct CommandTally: Sendable {
    package struct Count: Sendable {
        package var accepted = 0
        package var repeated = 0
        package var refused: [String: Int] = [:]
        package init() {}
    }
    /// By the command's number; one that is none counts under the last.
    package private(set) var counts: [Count?] = []

    package init() {}

    package mutating func accepted(_ command: Int) { change(command) { $0.accepted += 1 } }
    package mutating func repeated(_ command: Int) { change(command) { $0.repeated += 1 } }
    package mutating func refused(_ command: Int, _ reason: String) {
        change(command) { $0.refused[reason, default: 0] += 1 }
    }

    private mutating func change(_ command: Int, _ body: (inout Count) -> Void) {
        while counts.count <= command { counts.append(nil) }
        body(&counts[command, default: Count()])
    }
}

extension [CommandTally.Count?] {
    fileprivate subscript(command: Int, default count: CommandTally.Count) -> CommandTally.Count {
        get { self[command] ?? count }
        _modify {
            var changed = self[command] ?? count
            yield &changed
            self[command] = changed
        }
    }
}

/// Counts a handler's commands, by name, outcome and reason.
package final class CommandMetrics: Sendable {
    private struct Series: Hashable {
        var command: String
        var outcome: String
        var reason: String?
    }
    private let worker: String
    private let factory: any MetricsFactory
    private let counters = Mutex<[Series: Counter]>([:])

    init(_ worker: String, in factory: any MetricsFactory) { (self.worker, self.factory) = (worker, factory) }

    /// - Parameter names: The commands' names by their numbers; what has none is `other`.
    package func add(_ tally: CommandTally, names: [String]) {
        for case (let number, let count?) in tally.counts.enumerated() {
            let name = names.indices.contains(number) ? names[number] : "other"
            add(count.accepted, Series(command: name, outcome: "accepted"))
            add(count.repeated, Series(command: name, outcome: "repeated"))
            add(count.refused.values.reduce(0, +), Series(command: name, outcome: "refused"))
            for (reason, count) in count.refused {
                add(count, Series(command: name, outcome: "refused", reason: reason))
            }
        }
    }

    private func add(_ count: Int, _ series: Series) {
        if count == 0 { return }
        let counter = counters.withLock { counters in
            if let counter = counters[series] { return counter }
            let made =
                series.reason.map { Measures.refusals.counter(worker, series.command, $0, in: factory) }
                ?? Measures.commands.counter(worker, series.command, series.outcome, in: factory)
            // The registry has a limit of its own; so many are kept here.
            if counters.count < Self.kept { counters[series] = made }
            return made
        }
        counter.increment(by: count)
    }

    /// Series of one worker whose handles are kept.
    static let kept = 1000
}
