public import EventModel

extension Invariant {
    /// What a handler keeps, whatever its domain: one outcome for each command, and the events that it tells of.
    public static func ofHandler(of domain: Domain) -> [Invariant] {
        if domain.decider == nil { return [] }
        return [answers(domain), tells(domain), answersAll(domain), timers(domain)]
    }

    private struct Answers: Sendable {
        struct ID: Hashable, Sendable {
            var key: Bytes
            var id: String
            var digest: UInt64
        }
        /// How many commands, and how many outcomes, there are of an id.
        var commands: [ID: Int] = [:]
        var outcomes: [ID: Int] = [:]
        var answer: [ID: Outcome] = [:]
        var events: [TopicPartition: [Offset: (cause: String, type: String)]] = [:]
        /// Which events outcomes have told of.
        var told: Set<Outcome.Written> = []

        mutating func fold(_ record: Record, _ source: TopicPartition, _ domain: Domain) throws {
            switch source.topic {
            case domain.commandsTopic:
                let id = ID(
                    key: record.key, id: record.commandID(in: source),
                    digest: digest(of: record.value, isFact: record.isFact))
                commands[id, default: 0] += 1
            case domain.outcomesTopic: try fold(Outcome(record.value), of: record.key, in: source)
            default:
                events[source, default: [:]][record.offset] = (
                    record[header: HeaderName.cause] ?? "", record[header: HeaderName.type] ?? ""
                )
            }
        }

        private mutating func fold(_ outcome: Outcome, of key: Bytes, in source: TopicPartition) throws {
            let id = ID(key: key, id: outcome.id, digest: outcome.digest)
            outcomes[id, default: 0] += 1
            // It says that the id is another command's, and decides nothing: once that one is forgotten, this may be decided.
            // Nor does a wrong partition decide anything: in the right one the same command may be accepted.
            if [Refused.idReused, Refused.wrongPartition].contains(outcome.reason) { return }
            guard let before = answer[id] else {
                answer[id] = outcome
                for event in outcome.events where !told.insert(event).inserted {
                    throw Violation("two outcomes tell of the event \(event.place)@\(event.offset)")
                }
                return
            }
            if before != outcome {
                throw Violation("\(source) answers \(outcome.id) once by \(before.brief), once by \(outcome.brief)")
            }
        }

        /// Each event is one that an outcome tells of, and the other way round.
        ///
        /// - Parameter all: Both topics are known to their ends. Otherwise one may be known further than the other, and its
        ///   last records say nothing.
        func checkEvents(all: Bool) throws {
            var lastTold: [TopicPartition: Offset] = [:]
            for event in told { lastTold[event.place] = max(lastTold[event.place] ?? 0, event.offset) }
            let lastKnown = events.mapValues { $0.keys.max() ?? 0 }
            for (id, outcome) in answer.sorted(by: { $0.key.id < $1.key.id }) {
                for event in outcome.events where all || event.offset <= lastKnown[event.place] ?? -1 {
                    guard let found = events[event.place]?[event.offset] else {
                        throw Violation(
                            "the outcome of \(id.id) tells of \(event.place)@\(event.offset), which is not there")
                    }
                    if found.cause != id.id || found.type != event.type {
                        throw Violation(
                            """
                            the outcome of \(id.id) tells of \(event.type) at \(event.place)@\(event.offset), which is \
                            \(found.type) of \(found.cause)
                            """)
                    }
                }
            }
            for (place, records) in events.sorted(by: { $0.key < $1.key }) {
                for (offset, record) in records.sorted(by: { $0.key < $1.key })
                where all || offset <= lastTold[place] ?? -1 {
                    let written = Outcome.Written(place: place, offset: offset, type: record.type)
                    if !told.contains(written) {
                        throw Violation(
                            "\(record.type) at \(place)@\(offset) of \(record.cause) is told of by no outcome")
                    }
                }
            }
        }

        func checkCounts() throws {
            for (id, count) in commands.sorted(by: { ($0.key.id, $0.key.digest) < ($1.key.id, $1.key.digest) })
            where outcomes[id] != count {
                throw Violation("\(id.id) was asked \(count) times and answered \(outcomes[id] ?? 0) times")
            }
        }
    }

    private static func answers(_ domain: Domain) -> Invariant {
        Invariant(
            "an id has one outcome, whose events are on the log once",
            over: [domain.outcomesTopic, domain.eventsTopic],
            from: Answers(), fold: { try $0.fold($1, $2, domain) }, finish: { try $0.checkEvents(all: false) })
    }

    private static func tells(_ domain: Domain) -> Invariant {
        Invariant(
            "every event is told of by an outcome, and is there", .atRest,
            over: [domain.outcomesTopic, domain.eventsTopic],
            from: Answers(), fold: { try $0.fold($1, $2, domain) }, finish: { try $0.checkEvents(all: true) })
    }

    private static func answersAll(_ domain: Domain) -> Invariant {
        Invariant(
            "every command is answered as often as it was asked", .atRest,
            over: [domain.commandsTopic, domain.outcomesTopic], from: Answers(),
            fold: { try $0.fold($1, $2, domain) }, finish: { try $0.checkCounts() })
    }

    /// Ids with a colon are workers' own: they follow from what the command is about.
    private static func timers(_ domain: Domain) -> Invariant {
        struct About: Hashable, Sendable {
            var key: Bytes
            var value: Bytes
            var time: String
        }
        return Invariant(
            "what workers ask has one id, however often they ask", over: [domain.commandsTopic],
            from: [About: String](),
            fold: { ids, record, source in
                guard let time = record[header: HeaderName.time], let id = record[header: HeaderName.id],
                    id.contains(":")
                else { return }
                let known = ids.updateValue(id, forKey: About(key: record.key, value: record.value, time: time))
                if let known, known != id {
                    throw Violation("\(source)@\(record.offset) asks under \(id) what was asked under \(known)")
                }
            })
    }
}

extension Outcome {
    /// In a few words.
    fileprivate var brief: String {
        let places = events.map { "\($0.type) at \($0.place)@\($0.offset)" }.joined(separator: ", ")
        return accepted ? "[\(places)]" : reason
    }
}
