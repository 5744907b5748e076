/// Which of the names that there are a mistyped one may have meant.
package enum Nearest {
    /// Names longer than this are compared with none.
    static let longest = 200

    /// The names nearest to another, the best first: a few slips away, or one that it is a part of.
    ///
    /// A slip is a character too many, one too few, another one, or two exchanged; case makes no difference. That is the
    /// optimal string alignment distance (Boytsov, Indexing methods for approximate dictionary searching, 2011).
    package static func names(to name: String, among known: [String], atMost count: Int = 3) -> [String] {
        let wanted = Array(name.lowercased())
        if wanted.isEmpty || wanted.count > longest { return [] }
        let allowed = wanted.count <= 2 ? 0 : wanted.count <= 4 ? 1 : wanted.count <= 8 ? 2 : 3
        let ranked = known.compactMap { other -> (distance: Int, name: String)? in
            let candidate = Array(other.lowercased())
            if abs(candidate.count - wanted.count) <= allowed {
                let distance = distance(wanted, candidate)
                if distance <= allowed { return (distance, other) }
            }
            return isPart(wanted, of: candidate) || isPart(candidate, of: wanted) ? (allowed + 1, other) : nil
        }
        let best = ranked.map(\.distance).min() ?? 0
        // What is much farther away than the best was hardly meant.
        return ranked.filter { $0.distance <= best + 1 }.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
            .prefix(count).map(\.name)
    }

    /// `did you mean a, b or c?`; nil where nothing is near.
    package static func question(to name: String, among known: [String]) -> String? {
        let near = names(to: name, among: known)
        guard let last = near.last else { return nil }
        let others = near.dropLast().joined(separator: ", ")
        return "did you mean \(others.isEmpty ? last : "\(others) or \(last)")?"
    }

    /// `is not a field of Hit, which has site and path`, with the one that was meant where that can be told.
    ///
    /// - Parameters:
    ///   - role: `field`.
    ///   - whole: What has such members: `Hit`.
    ///   - others: Names that would do there too, and are not told.
    package static func notA(
        _ role: String, of whole: String, _ name: String, among known: [String], and others: [String] = []
    ) -> String {
        let all = known.joined(separator: ", ")
        guard let question = question(to: name, among: known + others.filter { !known.contains($0) }) else {
            return "is not a \(role) of \(whole), which has \(all)"
        }
        return "is not a \(role) of \(whole); \(question) It has \(all)"
    }

    /// `fre is not one of free, held, sold; did you mean free?`
    package static func notOne(_ value: String, of known: [String]) -> String {
        let question = question(to: value, among: known).map { "; \($0)" } ?? ""
        return "\(value) is not one of \(known.joined(separator: ", "))\(question)"
    }

    /// Whether a name begins another, or is what stands there behind a dot.
    private static func isPart(_ name: [Character], of other: [Character]) -> Bool {
        name.count >= 3 && (other.starts(with: name) || other.reversed().starts(with: name.reversed() + ["."]))
    }

    private static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var before: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var least = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, before[j - 1] + 1) }
                row.append(least)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }
}
