internal import EventModel
internal import MillraceBus
internal import Projecting

/// How what was found is shown.
extension Verify {
    /// Shows findings as they are made, where they are shown line by line.
    func show(_ findings: [Finding]) throws -> [Finding] {
        if !shape.asTable && !shape.csv { try ReaderGone.passed { try shape.showLines(findings.map(Self.members)) } }
        return findings
    }

    /// Shows what has to wait for all of them.
    func showAll(_ findings: [Finding]) throws {
        if shape.csv { try ReaderGone.passed { try shape.showLines(findings.map(Self.members)) } }
        if shape.asTable { try ReaderGone.passed { try showTable(findings) } }
    }

    private static func members(_ finding: Finding) -> Members {
        [("check", JSON.string(finding.check)), ("what", JSON.string(finding.what)), ("count", String(finding.count))]
            + finding.more.map { ($0.name, Int($0.value) == nil ? JSON.string($0.value) : $0.value) }
            + (finding.hash.map { [("hash", JSON.string(hex($0)))] } ?? [])
            + [("problem", finding.problem.map(JSON.string) ?? "null")]
            + (finding.unchecked.map { [("unchecked", JSON.string($0))] } ?? [])
    }

    private func showTable(_ findings: [Finding]) throws {
        let units = [
            ("topic", "records"), ("view", "rows"), ("invariant", "records"), ("decisions", "commands"),
        ]
        for (check, unit) in units {
            let own = findings.filter { $0.check == check }
            guard let first = own.first else { continue }
            let names = first.more.map(\.name)
            let isHashed = own.contains { $0.hash != nil }
            let rows = own.map { finding in
                [finding.what, String(finding.count)] + finding.more.map(\.value)
                    + (isHashed ? [finding.hash.map(Self.hex) ?? "-"] : [])
                    + [finding.problem != nil ? "WRONG" : finding.unchecked != nil ? "not checked" : "ok"]
            }
            try Output.standard.write(
                TextTable(
                    header: [check, unit] + names + (isHashed ? ["hash"] : []) + ["is"], rows: rows,
                    right: Set(1...(1 + names.count)), coloured: [2 + names.count + (isHashed ? 1 : 0)]
                ).text)
        }
    }

    private static func hex(_ hash: UInt64) -> String {
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension Comparison.Difference {
    /// The row and what is wrong with it, for a person.
    var words: String {
        func text(_ row: Row, _ columns: some Sequence<Int>) -> String {
            columns.map { "\(table.columns[$0].name) \(JSON.value(row[$0], table.columns[$0].kind))" }
                .joined(separator: ", ")
        }
        let name = "\(table.name): the row of \(text(key, 0..<table.key))"
        guard let expected else { return "\(name) should not be there" }
        guard let found else { return "\(name) is missing" }
        return "\(name) has \(text(found, columns)), but should have \(text(expected, columns))"
    }
}
