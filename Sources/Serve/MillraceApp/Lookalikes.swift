internal import EventModel
internal import MillraceBus

/// Notes names in keys that mix scripts whose letters look alike: one may be meant to pass for another. Nothing is refused.
struct Lookalikes {
    private var first: (name: String, scripts: [String])?
    private var count = 0

    /// - Parameter key: of a record: names, with : or # between.
    mutating func look(at key: Bytes) {
        if key.slice.allSatisfy({ $0 < 0x80 }) { return }
        for name in key.text.split(whereSeparator: { $0 == ":" || $0 == "#" }) {
            guard let scripts = Check.mixedScripts(String(name)) else { continue }
            first = first ?? (String(name), scripts)
            count += 1
        }
    }

    /// Says on the terminal what was noted.
    func tell() {
        guard let first else { return }
        let others = count > 1 ? "; \(count) names do so" : ""
        Output.complain(
            "\(Program.name): note: \(first.name) (\(Shown.scalars(of: first.name))) has \(first.scripts.joined(separator: " and ")) "
                + "letters, which may look alike\(others)")
    }
}
