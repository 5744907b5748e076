internal import EventLog
internal import EventModel
internal import Handling
internal import Projecting

/// What was found to be broken.
public struct Finding: Error, Sendable, Hashable, CustomStringConvertible {
    /// The invariant's sentence.
    public var invariant: String
    /// What was found, and where, with the records or rows concerned.
    public var message: String
    public var description: String { "\(invariant): \(message)" }

    // What holds of every domain, besides what a handler keeps.
    /// The invariant that every view has: folded again, it is the same.
    public static let refolded = "a view's rows are those of a fresh fold of the log up to its offsets"
    /// The invariant at rest: nothing is left undone.
    public static let finished = "everything is handled, reacted to and folded in the end"
    /// The invariant of workers: none fails by itself.
    public static let working = "a worker fails only where something has failed it"
}

/// Holds a log and the views folded from it against what is to hold of some domains.
struct Checks {
    private let domains: [Domain]
    private let invariants: [(domain: Domain, invariant: Invariant)]

    init(_ domains: [Domain]) {
        self.domains = domains
        invariants = domains.flatMap { domain in
            (Invariant.ofHandler(of: domain) + domain.invariants).map { (domain, $0) }
        }
    }

    /// - Parameter atRest: Everything has been handled, reacted to and folded.
    func finding(_ log: any EventLog, _ views: any ViewStore, atRest: Bool) async throws -> Finding? {
        for domain in domains {
            for projection in domain.projections {
                if let found = try await refolded(projection, log, views, atRest: atRest) { return found }
            }
            if atRest {
                for reaction in domain.reactions {
                    let ends = try await ends(of: reaction.topics, log)
                    let committed = try await log.committed(reaction.name, ends.keys.sorted())
                    if let late = ends.keys.sorted().first(where: { committed[$0] ?? 0 < ends[$0] ?? 0 }) {
                        return Finding(
                            invariant: Finding.finished,
                            message: "\(reaction.name) has not read \(late) on from \(committed[late] ?? 0)")
                    }
                }
            }
        }
        for (domain, invariant) in invariants where atRest || invariant.holds == .always {
            let violation = try await invariant.violation(on: log, views, projections: domain.projections)
            if let violation { return Finding(invariant: invariant.name, message: violation.message) }
        }
        return nil
    }

    private func ends(of topics: [String], _ log: any EventLog) async throws -> [TopicPartition: Offset] {
        try await log.bounds(of: log.partitions(of: topics)).mapValues(\.upperBound)
    }

    private func refolded(
        _ projection: AnyProjection, _ log: any EventLog, _ views: any ViewStore, atRest: Bool
    ) async throws -> Finding? {
        let found = try await views.snapshot(projection)
        let fresh = MemoryViews()
        if atRest {
            let ends = try await ends(of: projection.topics, log)
            if let late = ends.keys.sorted().first(where: { found.asOf[$0] ?? 0 < ends[$0] ?? 0 }) {
                return Finding(
                    invariant: Finding.finished,
                    message: "\(projection.name) has not folded \(late) on from \(found.asOf[late] ?? 0)")
            }
        }
        var refold = try await ViewReplay(
            projection, from: log, starts: found.asOf.mapValues { _ in 0 }, into: fresh, owner: "check")
        try await refold.fold(to: found.asOf)
        let comparison = try await Comparison(
            of: projection, found: found, expected: fresh.snapshot(projection), keeping: 1)
        guard let first = comparison.first.first else { return nil }
        return Finding(
            invariant: Finding.refolded,
            message: """
                \(first.table.name) \(first.key.map(\.plain)): \(first.found?.map(\.plain).description ?? "no row"), \
                it should be \(first.expected?.map(\.plain).description ?? "no row")
                """)
    }
}

extension Value {
    fileprivate var plain: String {
        switch self {
        case .null: "null"
        case .integer(let value): String(value)
        case .real(let value): String(value)
        case .text(let value): value
        }
    }
}
