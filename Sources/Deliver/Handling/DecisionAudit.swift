public import EventLog
public import EventModel
internal import Quarantining

/// The commands of one partition decided once more, and held against the outcomes and events that are on the log: the same
/// log must give the same decisions.
///
/// Commands are kept for a time only. Where the first are gone, the state before the first one that is left is taken from the
/// events as they are, and so are the answers of a program with other rules (``AnyDecider/rules``). Commands that wait in the
/// quarantine have no outcome yet; those that waited once have theirs out of order.
public struct DecisionAudit: Sendable, Hashable {
    public var partition: TopicPartition
    /// Commands decided again.
    public var commands = 0
    /// Their events, found as they should be.
    public var events = 0
    /// Events of commands that are not kept any more, or were decided by other rules, taken as they are.
    public var assumed = 0
    /// Why nothing was examined: the state before the first command is not known any more.
    public var unchecked: String?
    /// The first command or event that is not as it should be; nothing was examined beyond.
    public var problem: String?

    public init(_ partition: Partition, of domain: Domain, _ decider: AnyDecider, on log: any EventLog) async throws {
        self.partition = TopicPartition(domain.commandsTopic, partition)
        let events = TopicPartition(domain.eventsTopic, partition)
        let outcomes = TopicPartition(domain.outcomesTopic, partition)
        let gone = try await log.gone(of: [domain.commandsTopic, domain.eventsTopic, domain.outcomesTopic])
        unchecked =
            gone.filter { $0.partition == events || $0.isCompacted && $0.partition.partition == partition }
            .unchecked
        if unchecked != nil { return }
        // Events and outcomes are written together: those of the events seen here have outcomes before the end seen next.
        let eventBounds = try await log.bounds(of: [events])[events] ?? 0..<0
        let bounds = try await log.bounds(of: [outcomes, self.partition])
        let (kept, answered) = (bounds[self.partition] ?? 0..<0, bounds[outcomes] ?? 0..<0)
        let first = try await Self.first(outcomes, answered, ofCommandsFrom: kept.lowerBound, log)
        let eventsNow = try await log.bounds(of: [events])[events] ?? 0..<0
        var cursors = Cursors(
            commands: try await RecordCursor(self.partition, kept, of: log),
            events: try await RecordCursor(events, eventsNow, of: log),
            outcomes: try await RecordCursor(outcomes, answered, of: log))
        let said = try await QuarantineLog.state(of: log)
        let worker = Handler.group(of: domain)
        let home = KeyedPartition(self.partition, among: try await log.spread(of: domain))
        let waiting = Waiting(
            worker: worker, said: said, events: events, commands: self.partition,
            leftOut: said.workers[worker]?[events] ?? Quarantine())
        do {
            try await decide(
                &cursors, waiting, decider, in: home, from: first.command ?? kept.upperBound,
                first.event ?? eventBounds.upperBound, known: eventBounds.upperBound, events)
        } catch {
            await cursors.close()
            throw error
        }
        await cursors.close()
    }

    /// The next event, past those that are left out.
    private func next(
        _ cursors: inout Cursors, _ waiting: Waiting, _ aggregates: any Aggregates
    ) async throws -> Record? {
        while let event = try await cursors.events.next() {
            if waiting.leftOut.leavesOut(event.offset) { continue }
            if !waiting.wasLate(event) { return event }
            try aggregates.evolve(key: event.key, event: event.value, at: event.timestamp)
        }
        return nil
    }

    /// The first command that is kept and has an outcome, and where the first event of these commands stands.
    private static func first(
        _ outcomes: TopicPartition, _ range: Range<Offset>, ofCommandsFrom start: Offset, _ log: any EventLog
    ) async throws -> (command: Offset?, event: Offset?) {
        var cursor = try await RecordCursor(outcomes, range, of: log)
        var found: (command: Offset?, event: Offset?)
        while found.event == nil, let record = try await cursor.next() {
            let outcome = try Outcome(record.value)
            guard outcome.commandOffset >= start else { continue }
            found = (found.command ?? outcome.commandOffset, outcome.events.first?.offset)
        }
        await cursor.close()
        return found
    }

    /// Each command has one outcome, in the same order but for those that waited.
    private mutating func decide(
        _ cursors: inout Cursors, _ waiting: Waiting, _ decider: AnyDecider, in home: KeyedPartition,
        from start: Offset,
        _ first: Offset, known: Offset, _ source: TopicPartition
    ) async throws {
        let aggregates = decider.aggregates()
        var event = try await next(&cursors, waiting, aggregates)
        while let before = event, before.offset < first {
            guard fold(before, into: aggregates, of: source) else { return }
            event = try await next(&cursors, waiting, aggregates)
        }
        var commands = Commands(waiting: waiting)
        try await commands.skip(to: start, &cursors)
        var begun = false
        while let record = try await cursors.outcomes.next() {
            let outcome = try Outcome(record.value)
            if !begun, outcome.commandOffset < start { continue }
            begun = true
            guard let current = try await commands.next(answeredBy: KeyedID(record.key, outcome.id), &cursors) else {
                problem = "the outcome of \(outcome.id) answers no command that is on the log"
                return
            }
            let place = "\(partition)@\(current.offset)"
            let id = current.commandID(in: partition)
            if let why = Self.mismatch(of: outcome, under: record.key, with: current, id: id) {
                problem = "\(place) (\(id)): \(why)"
                return
            }
            // It was sent again: the answer is an earlier one's.
            let isRepeated = outcome.commandOffset < current.offset
            let rules = decider.commonRules(of: outcome.rules)
            // Before partitions were looked at, what was in a wrong one was decided on the state there.
            let isKnown = rules.map { $0 != .none || home.refusal(of: current.key) == nil } ?? false
            if !isRepeated, !isKnown {
                guard try await assume(outcome, of: place, &event, &cursors, waiting, aggregates) else { return }
                continue
            }
            self.commands += 1
            if isRepeated { continue }
            let again = Check.$asBefore.withValue(rules != .spelling) {
                aggregates.decide(current, id: id, in: home)
            }
            if let why = outcome.difference(from: again) {
                problem = "\(place) (\(id)): \(why)"
                return
            }
            guard case .accepted(let made) = again else { continue }
            for (made, written) in zip(made, outcome.events) {
                guard let found = event, found.offset == written.offset else {
                    problem = Self.other(event, than: written, of: outcome, at: place)
                    return
                }
                if let why = found.difference(from: made, at: current.decisionTime, decider.events) {
                    problem = "\(source)@\(found.offset), of \(place) (\(id)): \(why)"
                    return
                }
                events += 1
                event = try await self.next(&cursors, waiting, aggregates)
            }
        }
        if let event, event.offset < known {
            problem = "\(source)@\(event.offset) is the event of no command that is on the log"
        }
    }

    /// Folds an event from before what is looked at; says whether that was possible.
    private mutating func fold(_ event: Record, into aggregates: any Aggregates, of source: TopicPartition) -> Bool {
        do throws(Undecodable) {
            try aggregates.evolve(key: event.key, event: event.value, at: event.timestamp)
        } catch {
            problem = "\(source)@\(event.offset) cannot be folded: \(error.description)"
            return false
        }
        assumed += 1
        return true
    }

    /// Why an outcome is not that of a command; nil where it is.
    private static func mismatch(of outcome: Outcome, under key: Bytes, with command: Record, id: String) -> String? {
        if id != outcome.id { return "its outcome is that of \(outcome.id)" }
        if command.key != key { return "it is of \(command.key.text), but its outcome of \(key.text)" }
        return nil
    }

    /// Takes the events of an outcome as they are; says whether they are there.
    private mutating func assume(
        _ outcome: Outcome, of place: String, _ event: inout Record?, _ cursors: inout Cursors, _ waiting: Waiting,
        _ aggregates: any Aggregates
    ) async throws -> Bool {
        for written in outcome.events {
            guard let found = event, found.offset == written.offset else {
                problem = Self.other(event, than: written, of: outcome, at: place)
                return false
            }
            do throws(Undecodable) {
                try aggregates.evolve(key: found.key, event: found.value, at: found.timestamp)
            } catch {
                problem = "\(written.place)@\(found.offset) cannot be folded: \(error.description)"
                return false
            }
            assumed += 1
            event = try await next(&cursors, waiting, aggregates)
        }
        return true
    }

    private static func other(
        _ event: Record?, than written: Outcome.Written, of outcome: Outcome, at place: String
    ) -> String {
        let next = event.map { "\(written.place)@\($0.offset)" } ?? "none"
        return
            "\(place) (\(outcome.id)): its event should be \(written.place)@\(written.offset), but the next is \(next)"
    }
}
