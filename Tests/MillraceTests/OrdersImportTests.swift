import Foundation
import GRDB
import TestSupport
import Testing

/// Orders of a shop that nobody here wrote, and what became of them by the table's own word.
enum OlistTable {
    static let file = URL(fileURLWithPath: Bus.package).deletingLastPathComponent()
        .appendingPathComponent("shared/data/retail/olist_orders.csv.gz").path
    static let isHere = FileManager.default.fileExists(atPath: file)
    static let absent: Comment = "the sample orders, ../shared/data/retail/olist_orders.csv.gz, are not on this machine"

    /// How each order ended, and how many events its life has; nil where it cannot be true. Without any of our own code.
    static func ends(_ csv: String) throws -> [String: (status: String, stages: Int)?] {
        let rows = try String(contentsOfFile: csv, encoding: .utf8).split(separator: "\n").dropFirst()
        return try Dictionary(
            uniqueKeysWithValues: rows.map { row in
                let fields = row.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
                let known = fields[3...6].filter { !$0.isEmpty }
                let isInOrder = known == known.sorted()
                let end: (String, Int)
                switch fields[2] {
                case "created": end = ("received", 1)
                case "approved", "invoiced", "processing": end = ("assigned", 2)
                case "shipped": end = ("picked_up", 3)
                case "delivered": end = ("delivered", 4)
                case "canceled", "unavailable": end = ("cancelled", fields[6].isEmpty ? known.count + 1 : -1)
                default: throw Overdue(description: "another status: \(row)")
                }
                let isWhole = end.0 == "cancelled" ? end.1 > 0 : known.count == end.1
                return (fields[0], isInOrder && isWhole ? end : nil)
            })
    }
}

@Suite("Importing orders", .serialized, .timeLimit(.minutes(10)))
struct OrdersImportTests {
    private func rows(_ bus: Bus, _ view: String, _ sql: String) throws -> [[String]] {
        let path = "\(bus.log)/views/\(view)@2.sqlite"
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try DatabaseQueue(path: path).read { db in
            try Row.fetchAll(db, sql: sql).map { row in
                row.databaseValues.map { String.fromDatabaseValue($0) ?? "\($0)" }
            }
        }
    }
    @Test(.enabled(if: OlistTable.isHere, OlistTable.absent))
    func `a reactor that is killed leaves each order as its row says, and one notification a stage`()
        async throws
    {
        try await onBus { bus in
            let csv = bus.folder + "/orders.csv"
            try #require(try await bus.sh("gzip -dc \(OlistTable.file) | sed 4001q > \(csv)").exit == 0)
            let ends = try OlistTable.ends(csv)
            let legal = ends.compactMapValues { $0 }
            let stages = legal.values.reduce(0) { $0 + $1.stages }
            #expect(ends.count == 4000 && legal.count < 4000 && stages > 10_000)

            _ = try await bus.work("orders.handler")
            _ = try await bus.work("orders.tracking", "orders.outbox")
            // The table grows, and each reactor is killed as soon as something came of it: no speed of a machine lets one
            // of them do all.
            let growing = bus.folder + "/growing.csv"
            var (imported, told) = (0, 0)
            for lines in [800, 2000, 4001] {
                let reactor = try await bus.work("orders.notify")
                try #require(try await bus.sh("head -n \(lines) \(csv) > \(growing)").exit == 0)
                imported += try JSON(try await bus.run("import", "orders", growing).out)["records"].int
                told = try await eventually("more than \(told) notifications: \(reactor.err)") {
                    let now = try rows(bus, "orders.outbox", "SELECT count(*) FROM orders_notifications").first?.first
                    return now.flatMap { Int($0) }.flatMap { $0 > told ? $0 : nil }
                }
                try await reactor.crash()
            }
            #expect(imported == stages)
            _ = try await bus.work("orders.notify")
            try await bus.settle()

            let seen = try rows(bus, "orders.tracking", "SELECT order_id, status FROM orders_orders")
            #expect(Dictionary(uniqueKeysWithValues: seen.map { ($0[0], $0[1]) }) == legal.mapValues(\.status))
            let lives = try rows(bus, "orders.tracking", "SELECT order_id, count(*) FROM orders_history GROUP BY 1")
            #expect(Dictionary(uniqueKeysWithValues: lives.map { ($0[0], Int($0[1])) }) == legal.mapValues(\.stages))
            #expect(try await bus.count("orders.events") == stages)
            #expect(try await bus.count("orders.notifications") == stages)
            let ids = try rows(bus, "orders.outbox", "SELECT count(*), count(DISTINCT id) FROM orders_notifications")
            #expect(ids == [["\(stages)", "\(stages)"]])
            let rushed = try rows(
                bus, "orders.tracking",
                "SELECT count(*) FROM orders_history h JOIN orders_history g USING (order_id) WHERE h.event_offset < g.event_offset AND h.at > g.at"
            )
            #expect(rushed == [["0"]], "no stage is before the one before it")

            let again = try JSON(try await bus.run("import", "orders", growing).out)
            let bad = 4000 - legal.count
            #expect(again["imported"] == 0 && again["alreadyImported"].int == 4001 - bad && again["bad"].int == bad)
            #expect(try await bus.count("orders.commands") == stages)
        }
    }

    @Test(.enabled(if: OlistTable.isHere, OlistTable.absent))
    func `an import killed in the middle goes on where it stopped`() async throws {
        try await onBus { bus in
            // The table three times, each time with other identifiers.
            let csv = bus.folder + "/orders.csv"
            let made = try await bus.sh(
                """
                gzip -dc \(OlistTable.file) > \(csv)
                for i in x y; do gzip -dc \(OlistTable.file) | sed "1d; s/^/$i/" >> \(csv); done
                """)
            try #require(made.exit == 0)
            let killed = try bus.start("import", "orders", csv)
            try await eventually("the first commit of the import") {
                try await bus.count("orders.commands") > 0 ? true : nil
            }
            try await killed.crash()
            let before = try await bus.count("orders.commands")
            #expect(before > 0 && before < 3 * 28_517)
            let rest = try JSON(try await bus.run("import", "orders", csv).out)
            #expect(rest["records"].int == 3 * 28_517 - before && rest["alreadyImported"].int > 0)
            #expect(rest["lines"].int == 3 * 8135 + 1)
            #expect(try await bus.count("orders.commands") == 3 * 28_517)
        }
    }

    @Test(.enabled(if: OlistTable.isHere, OlistTable.absent))
    func `rows that cannot be true are told apart by reason`() async throws {
        try await onBus { bus in
            let ended = try await bus.run("import", "orders", OlistTable.file)
            #expect(ended.exit == 0)
            let summary = try JSON(ended.out)
            #expect(["lines", "imported", "records", "bad"].map { summary[$0].int } == [8136, 8041, 28_517, 94])
            #expect(
                summary["reasons"].members == [
                    "carrier-before-approval": 77, "no-delivery": 7, "cancelled-after-delivery": 6,
                    "delivery-before-carrier": 3, "no-carrier-scan": 1,
                ])
            #expect(
                summary["kinds"].members == [
                    "PlaceOrder": 8041, "AssignCourier": 7895, "MarkPickedUp": 6260, "MarkDelivered": 5093,
                    "CancelOrder": 1228,
                ])
            // Five of each reason are told, and how many more there are.
            #expect(ended.err.split(separator: "\n").count == 22, "\(ended)")
            #expect(ended.err.contains("\nand 72 more lines: carrier-before-approval\nand 2 more lines: no-delivery\n"))
            #expect(
                ended.err.contains(
                    "line 223: cancelled-after-delivery: order 1950d777989f6a877539f53795b4c3c3: is canceled, but has a time of delivery"
                ))
        }
    }

    private static let header = """
        order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,\
        order_delivered_customer_date,order_estimated_delivery_date
        """
    @Test func `a bad line stops an import or is skipped, and nothing of it is imported`() async throws {
        try await onBus { bus in
            let file = try bus.file(
                "orders.csv",
                """
                \(Self.header)
                a,ann,shipped,2020-01-01 10:00:00,2020-01-01 11:00:00,2020-01-01 12:00:00,,2020-01-09 00:00:00
                b,ann,shipped,2020-01-01 10:00:00,2020-01-01 13:00:00,2020-01-01 12:00:00,,2020-01-09 00:00:00
                c,ann,created,2099-01-01 10:00:00,,,,2099-01-09 00:00:00
                d,ann,created,2020-01-01,,,,2020-01-09 00:00:00
                e,ann,created,2020-01-01 10:00:00,,,,2020-01-09 00:00:00

                """)
            let stopped = try await bus.run("import", "orders", file, "--on-error", "stop")
            #expect(stopped.exit == 65 && stopped.err.contains("stopped at line 3"), "\(stopped)")
            #expect(stopped.err.contains("line 3: carrier-before-approval: order b: its carrier scan"))
            #expect(try await bus.count("orders.commands") == 3)
            let rest = try await bus.run("import", "orders", file, "--table")
            #expect(
                rest.exit == 0 && rest.out.contains("bad lines: 2 malformed, 1 carrier-before-approval\n"), "\(rest)")
            #expect(rest.out.contains("records: 1 PlaceOrder\n"))
            #expect(rest.out.contains("outcomes: 0 accepted, 1 not decided yet"))
            #expect(rest.err.contains("line 4: time: 2099-01-01T10:00:00Z is over 1m ahead"))
            #expect(
                rest.err.contains("line 5: malformed: order d: order_purchase_timestamp: is 2020-01-01, not a time"))
            #expect(try await bus.count("orders.commands") == 4)
            let other = try await bus.run("import", "orders", try bus.file("other.csv", "a,b\n1,2\n"))
            #expect(other.exit == 65 && other.err.contains("names no column order_id; it has a, b"), "\(other)")
        }
    }

    private func outcomes(_ ended: Ended, at place: SourceLocation = #_sourceLocation) throws -> [Int] {
        try #require(ended.exit == 0, "\(ended)", sourceLocation: place)
        let outcomes = try JSON(ended.out)["outcomes"]
        return ["accepted", "unchanged", "refused", "undecided"].map { outcomes[$0].int }
    }

    @Test func `what the handler makes of the commands is counted, also of an order with a new estimate`() async throws
    {
        try await onBus { bus in
            func table(_ name: String, estimate: String, _ more: String = "") throws -> String {
                try bus.file(
                    name,
                    """
                    \(Self.header)
                    a,ann,shipped,2020-01-01 10:00:00,2020-01-01 11:00:00,2020-01-01 12:00:00,,\(estimate)
                    b,bea,created,2020-01-01 10:00:00,,,,2020-01-09 00:00:00
                    \(more)
                    """)
            }
            let first = try table("orders.csv", estimate: "2020-01-09 00:00:00")
            #expect(try outcomes(try await bus.run("import", "orders", first, "--wait", "200ms")) == [0, 0, 0, 4])
            _ = try await bus.work("orders.handler")
            try await eventually("the commands to be decided") {
                try await bus.count("orders.outcomes") == 4 ? true : nil
            }
            let again = try table(
                "again.csv", estimate: "2020-01-08 00:00:00",
                "c,cy,created,2020-01-02 10:00:00,,,,2020-01-09 00:00:00\n")
            let ended = try await bus.run("import", "orders", again, "--wait", "40s", "--json")
            #expect(try outcomes(ended) == [1, 3, 1, 0])
            // The id of a's PlaceOrder stands for the first one.
            #expect(try JSON(ended.out)["outcomes"]["reasons"].members == ["id-reused": 1], "\(ended)")
            let shown = try await bus.run(
                "import", "orders", try table("new.csv", estimate: "2020-01-07 00:00:00"), "--wait", "40s", "--table")
            #expect(shown.out.contains("outcomes: 0 accepted, 3 unchanged, 1 refused (1 id-reused)\n"), "\(shown)")
            #expect(try await bus.count("orders.events") == 5)
        }
    }

    @Test func `tweets and follows are counted by what the handler makes of them`() async throws {
        try await onBus { bus in
            _ = try await bus.work("social.handler")
            let edges = try bus.file("edges.txt", "ann bob\nbob ann\nann bob\n")
            #expect(try outcomes(try await bus.run("import", "follows", edges, "--wait", "40s")) == [2, 1, 0, 0])
            let tweets = try bus.file(
                "tweets.ndjson",
                """
                {"id":1,"t":1388538563,"s":"ann","text":"a"}
                {"id":1,"t":1388538563,"s":"ann","text":"another"}
                {"id":2,"t":1388538563,"s":"bob","text":"b"}

                """)
            let ended = try await bus.run("import", "tweets", tweets, "--wait", "40s")
            #expect(try outcomes(ended) == [2, 0, 1, 0], "\(ended)")
            #expect(try await bus.run("import", "tweets", tweets, "--wait", "soon").exit == 64)
        }
    }

    @Test(.enabled(if: OlistTable.isHere, OlistTable.absent))
    func `the commands of all orders are on the log in the order of their moments`() async throws {
        try await onBus { bus in
            let ended = try await bus.run("import", "orders", OlistTable.file, "--wait", "0s")
            #expect(try JSON(ended.out)["records"] == 28_517, "\(ended)")
            let printed = try await bus.run("replay", "orders.commands", "--format", "%p %o %h\n")
            var newest: [Substring: Int] = [:]
            var seen = 0
            for line in printed.lines {
                let parts = line.split(separator: " ", maxSplits: 2)
                let time = try #require(line.firstMatch(of: /time=(\d+)/).flatMap { Int($0.1) })
                #expect(time >= newest[parts[0], default: 0], "\(line)")
                newest[parts[0]] = time
                seen += 1
            }
            #expect(seen == 28_517 && newest.count > 1)
        }
    }
}
