import Foundation
import Testing

/// A Markdown document of the project, with the commands in it.
struct Document: Sendable, CustomTestStringConvertible {
    /// Commands that can be run, and what the document shows as their output.
    struct Block: Sendable {
        var line: Int
        var commands: String
        /// Why it is not run, from `<!-- not run: why -->` before it.
        var notRun: String?
        /// The text right after the commands.
        var shown: [String]?
    }

    /// In the repository: `docs/operations/run.md`.
    let path: String
    let text: String
    let blocks: [Block]

    var testDescription: String { path }

    /// The repository.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The pages beside the code, and everything under docs, in order.
    static let all: [Document] = {
        let found = FileManager.default.enumerator(atPath: root + "/docs")?.compactMap { $0 as? String } ?? []
        let pages = found.filter { $0.hasSuffix(".md") }.sorted().map { "docs/" + $0 }
        return (["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] + pages).map(Document.init)
    }()

    static let withCommands = all.filter { $0.blocks.contains { $0.notRun == nil } }

    init(_ path: String) {
        self.path = path
        text = (try? String(contentsOfFile: Self.root + "/" + path, encoding: .utf8)) ?? ""
        blocks = Self.blocks(text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    }

    /// What stands under a heading, up to the next one that is not below it; empty where there is none.
    func section(_ heading: String) -> String {
        guard let begin = text.range(of: "\(heading)\n") else { return "" }
        let level = heading.prefix { $0 == "#" }.count
        let rest = text[begin.upperBound...]
        let ends = (1...max(level, 1)).compactMap { rest.firstRange(of: "\n\(String(repeating: "#", count: $0)) ") }
        return String(rest[..<(ends.map(\.lowerBound).min() ?? rest.endIndex)])
    }

    /// What stands in backticks in the first column of the tables of a text: of those whose first column is called so, or of
    /// all.
    static func firstCells(_ text: String, of column: String? = nil) -> [String] {
        var cells: [String] = []
        var title: Substring?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            guard line.hasPrefix("| ") else {
                if !line.hasPrefix("|") { title = nil }
                continue
            }
            let cell = line.dropFirst(2).prefix { $0 != "|" }
            if title == nil { title = cell }
            if let column, title?.hasPrefix(column + " ") != true { continue }
            cells += cell.matches(of: #/`([^`]+)`/#).map { String($0.1) }
        }
        return cells
    }

    private static func blocks(_ lines: [String]) -> [Block] {
        var blocks: [Block] = []
        var before = ""
        /// Whether nothing has come since the last commands.
        var adjacent = false
        var at = 0
        while at < lines.count {
            let line = lines[at]
            guard line.hasPrefix("```") else {
                if !line.allSatisfy(\.isWhitespace) { (before, adjacent) = (line, false) }
                at += 1
                continue
            }
            let end = lines[(at + 1)...].firstIndex(of: "```") ?? lines.count
            let body = Array(lines[(at + 1)..<end])
            switch line {
            case "```sh":
                let why = before.wholeMatch(of: #/<!-- not run: (.+) -->/#).map { String($0.1) }
                blocks.append(Block(line: at + 1, commands: body.joined(separator: "\n"), notRun: why))
            case "```text" where adjacent: blocks[blocks.count - 1].shown = body
            default: break
            }
            (before, adjacent, at) = ("", line == "```sh", end + 1)
        }
        return blocks
    }
}

/// How a shown output differs from a real one; nil where it does not.
///
/// What is another each time (ids, moments, offsets, durations, folders, the width of columns), and what each new domain changes
/// (counts of domains, workers and topics), is not compared. A line of three dots stands for any lines.
func difference(shown: [String], real: [String]) -> String? {
    let (shown, real) = (plain(shown), plain(real))
    var at = 0
    var skipping = false
    for line in shown {
        if line == "..." {
            skipping = true
            continue
        }
        if skipping, let next = real[at...].firstIndex(of: line) { at = next }
        skipping = false
        guard at < real.count else { return "shown, but not there: \(line)" }
        if real[at] != line { return "shown: \(line)\nreal:  \(real[at])" }
        at += 1
    }
    return at < real.count && !skipping ? "there, but not shown: \(real[at])" : nil
}

private func plain(_ lines: [String]) -> [String] {
    lines.map { line in
        var line = line
        line.replace(#/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/#, with: "ID")
        line.replace(#/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/#, with: "TIME")
        line.replace(#/\b\d{13}\b/#, with: "TIME")
        line.replace(#/\b\d+(\.\d+)? (ms|s|a second)\b/#, with: "DURATION")
        line.replace(#/\b\d+ (handler|reactor|projector|domain|topic)s?\b/#, with: "COUNT")
        line.replace(#/"seconds":[0-9.]+/#, with: "DURATION")
        line.replace(#/"offset":\d+/#, with: "OFFSET")
        line.replace(#/"[a-z.]+/\d+":\d+/#, with: "OFFSET")
        line.replace(#/@\d+/#, with: "@OFFSET")
        line.replace(#/(local|sqlite):[^\s,"]+/#, with: "FOLDER")
        line.replace(#/127\.0\.0\.1:\d+/#, with: "ADDRESS")
        line.replace(#/\s+/#, with: " ")
        return line.trimmingCharacters(in: .whitespaces)
    }.reversed().drop { $0.isEmpty }.reversed()
}
