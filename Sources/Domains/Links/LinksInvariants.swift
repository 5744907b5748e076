internal import EventModel
internal import SwiftProtobuf

/// What holds of links, whatever happens.
enum LinksInvariants {
    /// A code is given away once, by the place that it belongs to.
    static let codesAreGivenOnce = Invariant(
        "a code is given away once", over: "links.events", LinksEvent.self, from: Set<String>(),
        fold: { codes, event, place in
            guard case .linkCreated(let e) = event else {
                let code = Links.code(of: event)
                if !codes.contains(code) { throw Violation("\(code) is told of at \(place.words) and was never given") }
                return
            }
            if !codes.insert(e.code).inserted { throw Violation("\(e.code) is given away again at \(place.words)") }
            guard let bucket = CodeSpace.bucket(of: e.code) else { return }
            if bucket != CodeSpace.bucket(owner: e.owner, url: e.url) {
                throw Violation("\(e.code) at \(place.words) is of another bucket than its URL")
            }
        })

    private struct Slot: Hashable, Sendable {
        var code: String
        var unit: Int64
        var second: Int64
    }

    /// As many clicks are on the log as its rows say, by each unit of time.
    static let clicksCountTheLog = Invariant(
        "a link has as many clicks as the log", over: ClickCounts.topics, of: "links.clicks", from: [Slot: Int64](),
        fold: { counts, record, _ in
            guard case .linkClicked(let e)? = try LinksClicks.kind(in: record.value) else { return }
            let second = record.timestamp.second
            for unit in ClickCounts.units {
                let begin = unit == 0 ? 0 : second - ((second % unit) + unit) % unit
                counts[Slot(code: e.code, unit: unit, second: begin), default: 0] += 1
            }
        },
        rows: { counts, reader in
            var counts = counts
            try reader.everyRow(Scan(ClickCounts.clicks)) { row in
                typealias Click = ClickCounts.Click
                let slot = Slot(code: row[Click.code] ?? "", unit: row[Click.unit] ?? 0, second: row[Click.second] ?? 0)
                counts[slot, default: 0] &-= (row[Click.people] ?? 0) &+ (row[Click.bots] ?? 0)
            }
            let wrong = counts.filter { $0.value != 0 }.min { ($0.key.code, $0.key.unit) < ($1.key.code, $1.key.unit) }
            if let (slot, missing) = wrong {
                throw Violation("\(slot.code) has \(missing.magnitude) clicks too \(missing > 0 ? "few" : "many")")
            }
        })
}
