internal import EventLog
internal import EventModel
internal import MillraceBus

extension FileImport {
    /// What came of an import.
    struct Summary {
        var file: String
        var lines = 0
        var imported = 0
        /// Events, or commands, made of the lines imported.
        var records = 0
        /// The records by their type, where they have one.
        var kinds: [String: Int] = [:]
        var known = 0
        var bad = 0
        /// The bad lines by the reason.
        var reasons: [String: Int] = [:]
        var first: Timestamp?
        var last: Timestamp?
        var took = Duration.zero
        /// The last offset written in each partition.
        var ends: [TopicPartition: Offset] = [:]
        /// What came of the commands, where a handler decides them.
        var outcomes: ImportOutcomes.Counts?
        /// What else there is to say of the file.
        var notes: [String] = []
        /// What is wrong with the input as a whole.
        var damage: String?
        /// Why it was not read to its end.
        var stopped: String?
        /// What to say where no line could be read.
        var hint = ""

        var json: String { JSON.object(members.map { ($0.name, $0.value) }) }

        var members: Members {
            let notes = notes.isEmpty ? [] : [("notes", JSON.array(notes.map(JSON.string)))]
            let members: Members = [
                ("file", JSON.string(file)), ("lines", String(lines)), ("imported", String(imported)),
                ("records", String(records)), ("kinds", Self.json(kinds)),
                ("alreadyImported", String(known)), ("bad", String(bad)), ("reasons", Self.json(reasons)),
                ("from", first.map { JSON.string($0.rfc3339) } ?? "null"),
                ("to", last.map { JSON.string($0.rfc3339) } ?? "null"), ("seconds", String(seconds)),
                ("last", JSON.offsets(ends)),
            ]
            return members + (outcomes.map { [("outcomes", Self.json($0))] } ?? []) + notes
        }
        var text: String {
            let span = first.map { "  from \($0.rfc3339) to \(last?.rfc3339 ?? "")" } ?? ""
            return """
                \(file): \(lines) lines, \(imported) imported as \(records) records, \(known) already there, \(bad) bad\(span)
                \(Self.text("records", kinds))\(Self.text("bad lines", reasons))\(records == 0 ? "" : outcomes.map(Self.text) ?? "")\
                \(notes.map { "\($0)\n" }.joined())\(seconds) s, \
                \(Int(Double(imported) / max(0.001, seconds))) a second

                """
        }
        /// The most frequent first.
        private static func sorted(_ counts: [String: Int]) -> [(key: String, value: Int)] {
            counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        }
        private static func json(_ counts: [String: Int]) -> String {
            JSON.object(sorted(counts).map { ($0.key, String($0.value)) })
        }
        private static func text(_ what: String, _ counts: [String: Int]) -> String {
            if counts.isEmpty { return "" }
            return "\(what): \(sorted(counts).map { "\($0.value) \($0.key)" }.joined(separator: ", "))\n"
        }
        private static func json(_ outcomes: ImportOutcomes.Counts) -> String {
            JSON.object([
                ("accepted", String(outcomes.accepted)), ("unchanged", String(outcomes.unchanged)),
                ("refused", String(outcomes.refused)), ("reasons", json(outcomes.reasons)),
                ("undecided", String(outcomes.undecided)),
            ])
        }
        private static func text(_ outcomes: ImportOutcomes.Counts) -> String {
            var words = ["\(outcomes.accepted) accepted"]
            if outcomes.unchanged > 0 { words.append("\(outcomes.unchanged) unchanged") }
            if outcomes.refused > 0 {
                let reasons = sorted(outcomes.reasons).map { "\($0.value) \($0.key)" }.joined(separator: ", ")
                words.append("\(outcomes.refused) refused (\(reasons))")
            }
            if outcomes.undecided > 0 {
                words.append("\(outcomes.undecided) not decided yet; they are on the log, and a handler will")
            }
            return "outcomes: \(words.joined(separator: ", "))\n"
        }
        private var seconds: Double { Double(took.milliseconds) / 1000 }

        /// Shows it, and fails where the input was damaged or nothing in it could be read.
        func show(_ shape: OutputOptions) throws {
            if shape.asTable {
                try Output.standard.write(Shown.text(text, breaking: true))
            } else {
                try shape.showLines([members])
            }
            if let stopped {
                throw Failure(
                    .tryAgain, "\(stopped): what was read is imported; the same command goes on where it stopped")
            }
            if let damage {
                throw Failure(
                    .data,
                    "\(damage). What was read of it is imported; with the whole file the same command goes on where it stopped"
                )
            }
            if bad > 0 && imported == 0 && known == 0 {
                throw Failure(.data, "no line of \(file) could be read\(hint.isEmpty ? "" : "; \(hint)")")
            }
        }
    }
}
