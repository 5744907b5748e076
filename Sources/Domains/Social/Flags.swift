internal import EventModel
internal import SwiftProtobuf

/// What the model says of accounts, and what humans say.
struct Flags: Projection {
    /// What the two topics carry.
    enum Event: Readable {
        enum Content: Sendable {
            case told(SocialEvent.Kind)
            case looked(SocialFlagEvent.Kind)
        }
        static func content(of bytes: Bytes, in topic: String) throws(Undecodable) -> Content? {
            if topic == "social.flags" { return try SocialFlagEvent.kind(in: bytes).map(Content.looked) }
            return try SocialEvent.kind(in: bytes).map(Content.told)
        }
    }

    static let name = "flags"
    static let version = 1
    static let about = "Accounts that look like fakes, and what humans say of them."
    static let topics = ["social.events", "social.flags"]
    static let tables = [flags, verdicts]

    static let flags = Table(
        "social_flags", "One row an account that looks like a fake.", key: [Column("user", .text)],
        columns: [
            Column("score", .integer, "how likely it is, in thousandths"), Column("reasons", .text),
            Column("tweets", .integer, "that it had then"), Column("flagged_at", .timestamp),
        ], indexes: [Index("score", ["score"])])
    static let verdicts = Table(
        "social_verdicts", "One row an account that a human has judged.", key: [Column("user", .text)],
        columns: [
            Column("verdict", .text, "cleared or fake"), Column("reviewer", .text), Column("judged_at", .timestamp),
        ], indexes: [Index("verdict", ["verdict"])])

    init() {}

    func apply(_ event: Event.Content, at place: EventPosition, to view: ViewBatch) {
        switch event {
        case .looked(.accountFlagged(let e)):
            view.put(
                Self.flags,
                [
                    .text(e.account), .integer(Int64(e.score)), .text(e.reasons.joined(separator: "; ")),
                    .integer(e.tweets), Value(place.timestamp),
                ])
        case .looked(.accountPassed(let e)): view.delete(Self.flags, [.text(e.account)])
        case .told(.accountCleared(let e)): judge(e.account, .cleared, e.reviewer, place, view)
        case .told(.fakeConfirmed(let e)): judge(e.account, .fake, e.reviewer, place, view)
        case .told: break
        }
    }

    private func judge(
        _ account: String, _ verdict: Social.Verdict, _ reviewer: String, _ place: EventPosition, _ view: ViewBatch
    ) {
        view.put(
            Self.verdicts, [.text(account), .text(verdict.rawValue), .text(reviewer), Value(place.timestamp)])
    }
}

extension Query {
    static let flagged = Query(
        "social.flagged", "Accounts that are fake by a human's word, and those that look so and nobody has cleared.",
        of: "social.flags", []
    ) { arguments, reader in
        let page = try RankedPage(arguments)
        return page.page(ReadFlagged.columns, of: [try ReadFlagged.rows(atMost: page.wanted, in: reader)])
    }
}

/// The list of those who count as fake: a human's word outranks the model's.
enum ReadFlagged {
    static let columns =
        Flags.flags.columns + [Column("verdict", .text, "fake, or none yet"), Column("reviewer", .text)]

    static func rows(atMost limit: Int, in reader: any ViewReader) throws -> [Row] {
        let fakes = try CountedFakes(
            atMost: limit, verdicts: Flags.verdicts, flags: Flags.flags, by: "score", in: reader)
        let known = Dictionary(
            try reader.rows(Flags.flags, keys: fakes.confirmed.map { [$0[0]] }).map { ($0[0], $0) },
            uniquingKeysWith: { one, _ in one })
        let confirmed = fakes.confirmed.map { row -> Row in
            (known[row[0]] ?? [row[0], .null, .null, .null, .null]) + [row[1], row[2]]
        }
        return Array((confirmed + fakes.flagged.map { $0 + [.null, .null] }).prefix(limit))
    }
}

/// Accounts that count as fake, of a view that keeps verdicts and flags, each in a table whose key is the account: those that a human
/// has confirmed, by name, and those that the model flags and nobody has judged, the highest first.
struct CountedFakes {
    /// Rows of verdicts, and of flags.
    private(set) var confirmed, flagged: [Row]

    /// - Parameters:
    ///   - limit: Of both together; what was read beyond it stands behind.
    ///   - rank: The index of flags that says who comes first.
    init(atMost limit: Int, verdicts: Table, flags: Table, by rank: String, in reader: any ViewReader) throws {
        let fake = Value.text(Social.Verdict.fake.rawValue)
        (confirmed, flagged) = (try reader.rows(Scan(verdicts, by: "verdict", equal: [fake], limit: limit)), [])
        var scan = Scan(flags, by: rank, descending: true, limit: max(limit, 1))
        while confirmed.count + flagged.count < limit {
            let found = try reader.rows(scan)
            let judged = Set(try reader.rows(verdicts, keys: found.map { [$0[0]] }).map { $0[0] })
            flagged += found.filter { !judged.contains($0[0]) }
            guard found.count == scan.limit, let last = found.last else { break }
            scan.after = scan.order.map { last[$0] }
        }
    }
}
