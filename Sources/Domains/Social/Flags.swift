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

    enum Flag {
        static let user = flags.text("user")
    }
    enum Judged {
        static let user = verdicts.text("user")
        static let verdict = verdicts.text("verdict")
    }

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
        if arguments.cursor != nil { throw Malformed("cursor", "is not taken: ask for more with --limit") }
        return try ReadFlagged.page(limit: arguments.limit, in: reader)
    }
}

/// The list of those who count as fake: a human's word outranks the model's.
enum ReadFlagged {
    static let columns =
        Flags.flags.columns + [Column("verdict", .text, "fake, or none yet"), Column("reviewer", .text)]

    static func page(limit: Int, in reader: any ViewReader) throws -> Page {
        let confirmed = try reader.rows(Scan(Flags.verdicts, by: "verdict", equal: ["fake"], limit: limit))
        let known = Dictionary(
            try keyed(reader.rows(Flags.flags, keys: confirmed.map { [$0.value(Flags.Judged.user)] })),
            uniquingKeysWith: { one, _ in one })
        var rows = confirmed.map { row -> Row in
            let user = row.value(Flags.Judged.user)
            return (known[user] ?? [user, .null, .null, .null, .null]) + [row[1], row[2]]
        }
        var scan = Scan(Flags.flags, by: "score", descending: true, limit: max(limit, 1))
        while rows.count < limit {
            let found = try reader.rows(scan)
            let verdicts = Set(
                try reader.rows(Flags.verdicts, keys: found.map { [$0.value(Flags.Flag.user)] }).map {
                    $0.value(Flags.Judged.user)
                })
            rows += found.filter { !verdicts.contains($0.value(Flags.Flag.user)) }.map { $0 + [.null, .null] }
            guard found.count == scan.limit, let last = found.last else { break }
            scan.after = scan.order.map { last[$0] }
        }
        return Page(columns: columns, rows: Array(rows.prefix(limit)))
    }

    private static func keyed(_ rows: [Row]) throws -> [(Value, Row)] { rows.map { ($0[0], $0) } }
}
