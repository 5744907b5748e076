internal import EventLog
internal import EventModel
internal import TestSupport

/// What came of a campaign in one place.
struct Report: Sendable {
    let place: Place
    let seed: UInt64
    /// How long there was a load, and how long it took until everything was worked off and stopped.
    var loaded = Duration.zero
    var took = Duration.zero
    /// Commands that were answered, facts that were acknowledged, and events on the log.
    var commands = 0
    var facts = 0
    var events = 0
    var injected: [Injector.Injected] = []
    var impossible: [(Fault.Kind, String)] = []
    var shots: [Probe.Shot] = []
    /// How often workers ended by themselves, by exit code.
    var ended: [String: Int] = [:]
    var discrepancies: [Discrepancy] = []
    /// What was held against the log, from these offsets on.
    var accounting: Accounting?
    var starts: [TopicPartition: Offset] = [:]

    init(place: Place, seed: UInt64) {
        self.place = place
        self.seed = seed
    }

    /// From a fault until all partitions had answered, or shown, what was asked after it.
    func recovery(
        from fault: Injector.Injected, _ end: (Probe.Shot) -> ContinuousClock.Instant?
    ) -> Duration? {
        shots.filter { $0.sent >= fault.at }.compactMap(end).min().map { $0 - fault.at }
    }

    /// Those of all faults, the shortest first.
    func recoveries(_ end: (Probe.Shot) -> ContinuousClock.Instant?) -> [Duration] {
        injected.compactMap { recovery(from: $0, end) }.sorted()
    }

    /// Everything that was found, and each fault with its time and how long it took until all was well again.
    var details: String {
        let start = injected.first?.at ?? .now
        let faults = injected.map { fault in
            let times = [recovery(from: fault) { $0.answered }, recovery(from: fault) { $0.shown }]
            let words = times.map { $0?.text ?? "never" }
            return """
                \((fault.at - start).text): \(fault.kind.rawValue): \(fault.words): answering after \(words[0]), shown after \
                \(words[1])
                """
        }
        let ends = ended.sorted { $0.key < $1.key }.map { "workers ended by themselves with \($0.key): \($0.value)" }
        return (discrepancies.map(\.description) + faults + ends).joined(separator: "\n") + "\n"
    }

    static let header = "fault campaign"

    /// Lines of a table: a name, and the value of each report.
    static func rows(_ reports: [Report]) -> [[String]] {
        func row(_ name: String, _ value: (Report) -> String) -> [String] { [name] + reports.map(value) }
        func rate(_ count: Int, _ report: Report) -> String {
            "\(Int(Double(count) / max(0.001, report.loaded / .seconds(1))))"
        }
        func count(_ kind: Discrepancy.Kind) -> [String] {
            let names = [Discrepancy.Kind.lost: "losses", .twice: "duplicates", .broken: "violations"]
            return row(names[kind] ?? "") { report in "\(report.discrepancies.count { $0.kind == kind })" }
        }
        var rows = [
            row(header) { $0.place.rawValue }, row("seed") { "\($0.seed)" },
            row("load, then worked off") { "\($0.loaded.text), \(($0.took - $0.loaded).text)" },
            row("commands answered") { "\($0.commands)" }, row("  a second") { rate($0.commands, $0) },
            row("telemetry acknowledged") { "\($0.facts)" },
            row("events on the log") { "\($0.events)" }, row("  a second") { rate($0.events, $0) },
            row("faults") { "\($0.injected.count)" },
        ]
        for kind in Fault.Kind.allCases {
            rows.append(
                row("  \(kind.rawValue)") { report in
                    if report.impossible.contains(where: { $0.0 == kind }) { return "-" }
                    return "\(report.injected.count { $0.kind == kind })"
                })
        }
        rows.append(row("workers that ended by themselves") { "\($0.ended.values.reduce(0, +))" })
        for (name, end) in [
            ("answering again, p50 and max", { $0.answered }), ("shown again, p50 and max", { $0.shown }),
        ] as [(String, (Probe.Shot) -> ContinuousClock.Instant?)] {
            rows.append(
                row(name) { report in
                    let times = report.recoveries(end)
                    guard let most = times.last else { return "-" }
                    return "\(times[times.count / 2].text), \(most.text)"
                })
        }
        return rows + [count(.lost), count(.twice), count(.broken)]
    }

    static func table(_ reports: [Report]) -> String {
        columns(rows(reports), right: Set(reports.indices.map { $0 + 1 }))
    }
}

extension Duration {
    /// In seconds, with a tenth: `1.2 s`.
    var text: String {
        let tenths = Int((self / .milliseconds(100)).rounded())
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
