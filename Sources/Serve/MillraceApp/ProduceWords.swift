internal import EventModel
internal import MillraceBus

extension Produce {
    /// What is said of an event's fields that were given as options: which line they belong into.
    static func refusal(_ words: [String], of found: Catalogue.Found) -> Failure {
        let kind = found.kind
        guard let loose = try? LooseOptions(words) else { return Failure(.usage, "\(words[0]) needs a value") }
        if let word = loose.words.first {
            return Failure(.usage, "\(word) is not an option of produce; \(way(kind, nil))")
        }
        for (name, _) in loose.pairs where !kind.fields.contains(where: { $0.answers(to: name) }) {
            let fields = kind.fields.map { "--\(GeneratedHelp.option($0.name))" }
            let question = Nearest.question(to: "--\(name)", among: optionNames + fields).map { "; \($0)" } ?? ""
            return Failure(
                .usage, "--\(name) is not an option of produce\(question); \(way(kind, found.example))")
        }
        var example = Example(found, members: (try? kind.members(loose)) ?? [])
        example.fillIn(from: found.example)
        return Failure(.usage, "--\(loose.pairs[0].name) is a field of \(kind.name); \(way(kind, example))")
    }

    private static func way(_ kind: Schema.Kind, _ example: Example?) -> String {
        let line = example.map { ": echo '\($0.least)' | \(Program.name) produce \(kind.name)" } ?? ""
        return "produce reads JSON lines, from standard input or --file\(line)"
    }
}
