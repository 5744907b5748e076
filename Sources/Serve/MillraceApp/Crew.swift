internal import MillraceBus

/// The workers of a process, in few words.
enum Crew {
    /// So many are named; more are counted.
    static let named = 4

    /// `tickets.handler, tickets.seatmap`, or `3 handlers, 5 reactors, 8 projectors of 5 domains; --verbose names them`.
    static func words(_ workers: [Worker], isVerbose: Bool) -> String {
        if workers.count <= named || isVerbose { return workers.map(\.name).joined(separator: ", ") }
        return "\(counts(workers)); --verbose names them"
    }

    /// `3 handlers, 5 reactors, 8 projectors of 5 domains`.
    static func counts(_ workers: [Worker]) -> String {
        let kinds = ["handler", "reactor", "projector"].compactMap { kind -> String? in
            let count = workers.count { $0.kind == kind }
            return count == 0 ? nil : some(count, kind)
        }
        return "\(kinds.joined(separator: ", ")) of \(some(Set(workers.map(\.domain)).count, "domain"))"
    }

    private static func some(_ count: Int, _ what: String) -> String { "\(count) \(what)\(count == 1 ? "" : "s")" }
}
