import EventLog
import EventModel
import TestSupport
import Testing

@testable import Handling
@testable import TicketsDomain

extension AnyDecider {
    /// Today's rules of the domain with earlier ones of all domains.
    func rules(with common: CommonRules) -> Int { rules % Self.ownRulesLimit + common.rawValue * Self.ownRulesLimit }
}

extension Site {
    /// Writes commands of tickets, what a program of before the rules of spelling decided, and that its group has read them.
    func before(_ commands: [EncodedCommand], in partition: Partition, by rules: Int) async throws {
        let aggregates = Domain.tickets.decider!.aggregates()
        func place(_ topic: String) -> TopicPartition { TopicPartition(topic, partition) }
        for command in commands {
            let decision = Check.$asBefore.withValue(true) {
                aggregates.decide(key: command.key, command: command.value, id: command.id, at: noon)
            }
            guard case .accepted(let made) = decision else {
                Issue.record("\(decision)")
                return
            }
            let events = made.map { event in
                let headers = [Header(HeaderName.cause, Bytes(command.id)), Header(HeaderName.type, Bytes(event.type))]
                return NewRecord(key: event.key, value: event.value, timestamp: noon, headers: headers)
            }
            let offsets = try await log.append([
                Append(place("tickets.commands"), [command.record(now: noon)]), Append(place("tickets.events"), events),
            ])
            var outcome = Outcome(
                id: command.id, decision: decision, digest: digest(of: command.value, isFact: false),
                commandOffset: offsets[0][0], rules: rules)
            outcome.events = zip(made, offsets[1]).map { event, offset in
                .init(place: place("tickets.events"), offset: offset, type: event.type)
            }
            _ = try await log.append([
                Append(place("tickets.outcomes"), [outcome.record(key: command.key, at: noon)])
            ])
        }
        let member = try await log.join("tickets.handler", topics: ["tickets.commands"])
        try await eventually("the group's offsets") {
            if case .assigned(let partitions) = try await member.next(max: 1, wait: .milliseconds(50)) {
                try await member.start(Dictionary(uniqueKeysWithValues: partitions.map { ($0, nil) }))
                try await member.commit([place("tickets.commands"): Offset(Int64(commands.count))])
                return true
            }
            return nil
        }
        await member.leave()
    }
}
