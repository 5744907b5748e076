/// Says what is wrong with lines: the first of each reason with their places, then how many more there were.
struct Complaints {
    /// Lines told of each reason.
    static let told = 5

    private var counts: [String: Int] = [:]
    var isEmpty: Bool { counts.isEmpty }

    mutating func add(_ line: Int, reason: String, _ why: String) {
        let count = counts[reason, default: 0] + 1
        counts[reason] = count
        if count <= Self.told { Output.complain("line \(line): \(why)") }
    }

    /// Says how many were not told.
    mutating func end() {
        for (reason, count) in counts.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) where count > Self.told {
            Output.complain("and \(count - Self.told) more lines: \(reason)")
        }
        counts = [:]
    }
}
