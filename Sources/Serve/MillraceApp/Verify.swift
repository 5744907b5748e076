internal import ArgumentParser
internal import EventLog
internal import EventModel
internal import Handling
internal import MillraceBus
internal import Projecting

/// `millrace verify`.
struct Verify: AppCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "verify",
            abstract: "Prove that the log is whole, and that views and decisions are what follows from it.",
            paragraphs: """
                Topics: every record is read. Offsets must be in order, and without a gap
                where the log promises that; keys must be in their partition; values must be
                messages of the topic's schema; but commands are whatever anyone sends. Count and
                hash of each partition are shown.

                Views: the events up to the offsets that a view shows are folded afresh, and
                every row is compared. It works while projectors run: the view is held as one
                moment shows it.

                Invariants: what the domains declare to hold, whatever happens, is held against
                the log and the views. Some hold only when workers have nothing left to do:
                --at-rest checks these too, and exits with 75 where something is left.

                --decisions: every command that is kept is decided again, and must give the
                outcome and the events that are on the log.

                Topics, views and invariants, or those that are named or chosen. The first
                record or row that is not as it should be is named, and the exit code is 65.
                What cannot be checked, because the log has not all of its events any more, is
                said on standard error and is no error.

                Examples:
                  \(Program.name) verify
                  \(Program.name) verify tickets.seatmap --table
                  \(Program.name) verify --topic tickets.events --topic tickets.outcomes
                  \(Program.name) verify --decisions
                  \(Program.name) lag --sum --wait 30s && \(Program.name) verify --invariants --at-rest
                """)
    }
    @Argument(help: "Projections (default: all).", completion: .names)
    var projections: [String] = []
    @Option(
        name: .customLong("topic"), help: ArgumentHelp("Only this topic; may be repeated.", valueName: "topic"),
        completion: .names)
    var topics: [String] = []
    @Flag(help: "Decide all commands again.")
    var decisions = false
    @Flag(help: "What the domains declare to hold.")
    var invariants = false
    @Flag(help: "Also what holds only when nothing is left to do.")
    var atRest = false
    @OptionGroup var shape: OutputOptions
    @OptionGroup var places: LogAndViewOptions

    /// One thing that was examined.
    struct Finding {
        /// `topic`, `view`, `invariant` or `decisions`.
        var check: String
        /// The partition, the table, or the invariant.
        var what: String
        /// Records, rows, or commands.
        var count: Int
        /// Two of the same content have the same.
        var hash: UInt64?
        /// What the check says besides.
        var more: [(name: String, value: String)] = []
        /// What is not as it should be.
        var problem: String?
        /// Why it could not be checked.
        var unchecked: String?
    }

    func run(in app: Application) async throws {
        let catalogue = app.catalogue
        let named = try projections.map { try catalogue.projection($0) }
        let everything = projections.isEmpty && topics.isEmpty && !decisions && !invariants
        var findings: [Finding] = []
        try await places.withLog(app) { log in
            let there = try await log.topics()
            for name in topics where !there.contains(where: { $0.name == name }) { throw LogError.unknown(name) }
            if everything || !topics.isEmpty {
                let chosen = Set(everything ? app.domains.builtInTopics.map(\.name) : topics)
                for topic in there.sorted(by: { $0.name < $1.name }) where chosen.contains(topic.name) {
                    findings += try await show(audit(topic, log, app))
                }
            }
            if everything || !named.isEmpty {
                try await places.withViews { views in
                    for projection in everything ? app.domains.flatMap(\.projections) : named {
                        findings += try await show(compare(projection, log, views))
                    }
                }
            }
            if everything || invariants || atRest {
                try await places.withViews { views in
                    try await InvariantCheck(app: app, log: log, views: views, atRest: atRest).run {
                        findings += try show([$0])
                    }
                }
            }
            if decisions {
                for domain in app.domains {
                    if let decider = domain.decider { findings += try await show(decide(domain, decider, log)) }
                }
            }
        }
        try showAll(findings)
        for finding in findings {
            if let why = finding.unchecked { Output.complain("\(Program.name): not checked: \(finding.what): \(why)") }
        }
        let problems = findings.compactMap(\.problem)
        if let first = problems.first {
            throw Failure(.data, problems.count == 1 ? first : "\(first) (and \(problems.count - 1) more)")
        }
    }

    // MARK: Topics

    private func audit(_ topic: Topic, _ log: any EventLog, _ app: Application) async throws -> [Finding] {
        let schema = app.domains.schema(of: topic.name)
        // Anyone may send commands, and nonsense among them is no fault of the log: it was refused.
        let isOwn = !app.domains.contains { $0.commandsTopic == topic.name }
        let isContiguous = log.promises.contains(.contiguous) && topic.cleanup != .compact
        let partitions = (0..<topic.partitions).map { TopicPartition(topic.name, Partition($0)) }
        var findings: [Finding] = []
        for (partition, range) in try await log.bounds(of: partitions).sorted(by: { $0.key < $1.key }) {
            var progress = Progress("\(partition)", total: Int(range.upperBound - range.lowerBound))
            let audit = try await log.audit(
                partition, range, isContiguous: isContiguous,
                check: { isOwn ? Self.problem($0, partition, topic, schema) : nil },
                progress: { progress.show($0, unit: "records") })
            progress.end()
            findings.append(
                Finding(
                    check: "topic", what: partition.description, count: audit.records, hash: audit.hash,
                    more: [
                        ("first", "\(audit.range.lowerBound)"), ("next", "\(audit.range.upperBound)"),
                        ("gaps", "\(audit.gaps)"),
                    ], problem: audit.problem))
        }
        return findings
    }

    private static func problem(
        _ record: Record, _ partition: TopicPartition, _ topic: Topic, _ schema: Schema?
    ) -> String? {
        let right = topic.partition(of: record.key)
        // A record for many keys has none, and stands where they belong.
        if !record.key.isEmpty, right != partition.partition {
            return "its key \(record.key.text) belongs to partition \(right)"
        }
        do {
            try schema?.check(record.value)
            return nil
        } catch {
            return error.description
        }
    }

    // MARK: Views

    private func compare(
        _ projection: AnyProjection, _ log: any EventLog, _ views: any ViewStore
    ) async throws -> [Finding] {
        let bounds = try await log.bounds(of: log.partitions(of: projection.topics))
        var progress = Progress(
            projection.name, total: bounds.reduce(0) { $0 + Int($1.value.upperBound - $1.value.lowerBound) })
        defer { progress.end() }
        let live = try await views.live(projection)
        do {
            try await log.checkReach(of: live, asOf: views.read(live) { _, asOf in asOf })
            if let why = try await log.gone(of: projection.topics).unchecked {
                return [Self.finding(unchecked: why, projection.name)]
            }
            return try await withScratchViews { fresh in
                var refold = try await ViewReplay(
                    projection, from: log, starts: bounds.mapValues(\.lowerBound), into: fresh, owner: "verify")
                let comparison = try await refold.comparison(with: live, in: views, leavingOutAlike: true) {
                    progress.show($0, unit: "events")
                }
                // Retention may have taken meanwhile what the view has and the fold could not find.
                if !comparison.isEqual, let why = try await log.gone(of: projection.topics).unchecked {
                    return [Self.finding(unchecked: why, projection.name)]
                }
                return comparison.tables.map { counted in
                    let first = comparison.first.first { $0.table.name == counted.table }
                    return Self.finding(
                        "\(projection.name) \(counted.table)", rows: counted.rows, hash: counted.hash,
                        events: refold.folded, differences: counted.differences,
                        problem: first.map { "\(projection.name) \($0.words)" })
                }
            }
        } catch let error as AheadOfLog {
            return [
                Self.finding(
                    projection.name, rows: 0, hash: nil, events: 0, differences: 0, problem: error.description)
            ]
        }
    }

    private static func finding(unchecked why: String, _ what: String) -> Finding {
        var finding = finding(what, rows: 0, hash: nil, events: 0, differences: 0, problem: nil)
        finding.unchecked = why
        return finding
    }

    private static func finding(
        _ what: String, rows: Int, hash: UInt64?, events: Int, differences: Int, problem: String?
    ) -> Finding {
        Finding(
            check: "view", what: what, count: rows, hash: hash,
            more: [("events", "\(events)"), ("differences", "\(differences)")], problem: problem)
    }

    // MARK: Decisions

    private func decide(_ domain: Domain, _ decider: AnyDecider, _ log: any EventLog) async throws -> [Finding] {
        let count = try await log.partitionCounts()[domain.commandsTopic] ?? 0
        var findings: [Finding] = []
        for partition in 0..<count {
            let again = try await DecisionAudit(Partition(partition), of: domain, decider, on: log)
            findings.append(
                Finding(
                    check: "decisions", what: again.partition.description, count: again.commands, hash: nil,
                    more: [("events", "\(again.events)"), ("assumed", "\(again.assumed)")], problem: again.problem,
                    unchecked: again.unchecked))
        }
        return findings
    }
}
