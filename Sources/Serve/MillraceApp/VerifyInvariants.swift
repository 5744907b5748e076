internal import EventLog
internal import EventModel
internal import Handling
internal import MillraceBus
internal import Projecting
internal import Quarantining

/// What is to hold of the domains, held against a log and the views of it.
struct InvariantCheck {
    let app: Application
    let log: any EventLog
    let views: any ViewStore
    /// Whether what holds only when nothing is left to do is checked too.
    let atRest: Bool

    /// - Parameter show: Told each finding as it is made.
    /// - Throws: ``Failure`` where something is still to be done, but `atRest` was said.
    func run(_ show: (Verify.Finding) throws -> Void) async throws {
        let ends = try await ends()
        if atRest { try await requireRest() }
        let leftOut = try await leftOut()
        for domain in app.domains {
            var live: [AnyProjection] = []
            for projection in domain.projections { live.append(try await views.live(projection)) }
            for invariant in Invariant.ofHandler(of: domain) + domain.invariants
            where atRest || invariant.holds == .always {
                let finding = try await check(invariant, of: domain, live, leftOut)
                if finding.problem != nil, invariant.holds == .atRest, try await self.ends() != ends {
                    throw Failure(
                        .tryAgain,
                        "\(finding.what): not as it is at rest, but something was written meanwhile; try again")
                }
                try show(finding)
            }
        }
    }

    private func check(
        _ invariant: Invariant, of domain: Domain, _ live: [AnyProjection], _ leftOut: [String: Int]
    ) async throws -> Verify.Finding {
        var finding = Verify.Finding(
            check: "invariant", what: "\(domain.name): \(invariant.name)", count: 0, hash: nil,
            more: [("holds", invariant.holds == .always ? "always" : "at rest")])
        // An invariant is about all that ever happened. What is gone would look as if it had been lost.
        if let why = try await log.gone(of: invariant.topics).unchecked {
            finding.unchecked = why
            return finding
        }
        let bounds = try await log.bounds(of: log.partitions(of: invariant.topics))
        // What holds of all records need not hold while some are left out.
        let workers = Workers.all(of: [domain]).map(\.name).filter {
            invariant.holds == .atRest || $0 == invariant.projection
        }
        if let worker = workers.first(where: { leftOut[$0] != nil }) {
            finding.unchecked = "\(worker) leaves out \(leftOut[worker] ?? 0), see: \(Program.name) quarantine list"
            return finding
        }
        var progress = Progress(
            finding.what, total: bounds.reduce(0) { $0 + Int($1.value.upperBound - $1.value.lowerBound) })
        defer { progress.end() }
        do {
            let verdict = try await invariant.verdict(on: log, views, projections: live) {
                progress.show($0, unit: "records")
            }
            finding.count = verdict.records
            // Retention may have taken meanwhile what a check that began before could not find.
            if verdict.violation != nil, let why = try await log.gone(of: invariant.topics).unchecked {
                finding.unchecked = why
                return finding
            }
            finding.problem = verdict.violation.map { "\(finding.what): \($0.message)" }
        } catch let error as AheadOfLog {
            finding.problem = "\(finding.what): \(error.description)"
        }
        return finding
    }

    /// How many records each worker keeps waiting or has dropped.
    private func leftOut() async throws -> [String: Int] {
        let topics = try await log.topics()
        guard topics.contains(where: { $0.name == QuarantineLog.topic.name }) else { return [:] }
        return try await QuarantineLog(log, clock: { now() }).read().workers.compactMapValues { sources in
            let count = sources.values.reduce(0) { $0 + $1.count + $1.dropped.count }
            return count > 0 ? count : nil
        }
    }

    private func requireRest() async throws {
        let lines = try await WorkerLag.settled(app.workers, log: log, views: views, sum: true, within: .zero)
        if let ahead = lines.lazy.compactMap(\.aheadMessage).first { throw Failure(.data, ahead) }
        if let behind = lines.first(where: { $0.lag > 0 }) {
            throw Failure(
                .tryAgain,
                """
                --at-rest: \(behind.worker) is behind by \(behind.lag). Wait until nothing is left to do, with: \
                \(Program.name) lag --wait 30s
                """)
        }
    }

    private func ends() async throws -> [TopicPartition: Offset] {
        let partitions = try await log.partitions(of: log.topics().map(\.name))
        return try await log.bounds(of: partitions).mapValues(\.upperBound)
    }
}
