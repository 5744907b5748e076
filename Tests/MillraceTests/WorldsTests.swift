import Domains
import EventModel
import Foundation
import TestSupport
import Testing

/// The five worlds, two workers of each kind: what comes of them on a broker must be what comes of them on the embedded log.
/// The tests of a broker are one suite, one after another: their workers would share groups, and each other's partitions.
extension BrokerTests {
    @Test func `views that two workers of each kind made are those of the embedded log`() async throws {
        let worlds = Worlds(name: Broker.handle())
        var expected: [String: Tables] = [:]
        try await onBus { expected = try await worlds.lived(on: $0) }
        for (view, count) in [("social.timelines", 500), ("tickets.seatmap", 60), ("orders.outbox", 150)] {
            let rows = expected[view]?.rows.values.reduce(0) { $0 + $1.count } ?? 0
            #expect(rows >= count, "\(view)")
        }
        #expect(expected.count == Worlds.views.count && expected.values.allSatisfy { !$0.rows.isEmpty })
        var came: [String: Tables] = [:]
        try await onBroker { came = try await worlds.lived(on: $0) }
        for view in Worlds.views {
            let (here, there) = (expected[view] ?? .none, came[view] ?? .none)
            if here.hash == there.hash { continue }
            for (table, rows) in here.rows {
                let others = there.rows[table] ?? []
                let differences = Set(rows).symmetricDifference(others).sorted().prefix(6).joined(separator: "\n")
                #expect(rows == others, "\(table) of \(view):\n\(differences)")
            }
            #expect(here.hash == there.hash, "\(view)")
        }
    }
}

/// Some hours of five worlds, the same on every log: all of their times are given.
private struct Worlds {
    static let views = [
        "tickets.seatmap", "tickets.calendar", "hits.windows", "social.timelines", "social.trends", "orders.tracking",
        "orders.outbox", "rides.drivers",
    ]
    /// Columns that tell where on its log an event stands.
    private static let places: Set = ["event_offset", "event_partition", "place"]

    /// Part of every name, so that what others wrote to the broker is told apart.
    let name: String
    private let start = Int(Date.now.timeIntervalSince1970) - 3600

    /// When seats are held that are sold: of a moment that has come, or nearly, when the first log is told of it, so that no
    /// hold has run out when the last one is told of its sale.
    private static let sales = Int(Date.now.timeIntervalSince1970) + 50

    init(name: String) { self.name = name }

    /// Everything is put in, one projector is killed in the middle, and everybody comes to rest.
    func lived(on bus: Bus) async throws -> [String: Tables] {
        let limit = ["MILLRACE_SOCIAL_FAN_OUT_LIMIT": "12"]
        var projectors: [Running] = []
        for _ in 0..<2 {
            for kind in ["handler", "reactor", "projector"] {
                let worker = try bus.start("work", kind, environment: limit)
                try await eventually("\(worker.name) to work: \(worker.err)") {
                    worker.err.contains("working:") ? true : nil
                }
                if kind == "projector" { projectors.append(worker) }
            }
        }
        try await put(bus, "Hit", (0..<1500).map(hit))
        try await put(bus, "EventListed", (0..<2).map(listed))
        let graph = try bus.file("\(name)follows.txt", follows.joined(separator: "\n") + "\n")
        try await take(bus, "follows", graph)
        try await put(bus, "OrderStatusChanged", (0..<60).flatMap(order))
        try await projectors[0].crash()
        let gps = ["lat,lng,datetime,uid"] + (0..<1200).map(place)
        try await take(bus, "gps", try bus.file("\(name)gps.csv", gps.joined(separator: "\n") + "\n"))
        // Who fetches and who is handed an author's tweets is known before there are any.
        try await bus.settle(within: .seconds(300))
        _ = try await bus.work("projector")
        let tweets = try bus.file("\(name)tweets.ndjson", (0..<400).map(tweet).joined(separator: "\n") + "\n")
        try await take(bus, "tweets", tweets)
        try await put(bus, "SeatHeld", (0..<24).map { seats($0, sold: false) })
        try await put(bus, "SeatSold", (0..<16).map { seats($0, sold: true) })
        let left = follows.enumerated().filter { $0.offset % 20 == 7 }.map { $0.element.split(separator: " ") }
        try await put(bus, "UserUnfollowed", left.map { #"{"user":"\#($0[0])","followee":"\#($0[1])"}"# })
        try await bus.settle(within: .seconds(300))
        return try Self.views.reduce(into: [:]) { tables, view in
            let projection = try #require(Domains.all.flatMap(\.projections).first { $0.name == view })
            let path = "\(bus.views)/\(view)@\(projection.version).sqlite"
            tables[view] = try Tables(path, without: Self.places).naming(name)
        }
    }

    private func put(_ bus: Bus, _ event: String, _ lines: [String]) async throws {
        let ended = try await bus.run(
            "produce", event, "--timeout", "60s", stdin: lines.joined(separator: "\n"), within: .seconds(300))
        #expect(try JSON(ended.out)["produced"].int == lines.count, "\(ended)")
    }

    private func take(_ bus: Bus, _ kind: String, _ file: String) async throws {
        let ended = try await bus.run("import", kind, file, within: .seconds(300))
        try #require(ended.exit == 0, "\(ended)")
        #expect(try JSON(ended.out)["bad"] == 0, "\(ended)")
    }

    private func hit(_ i: Int) -> String {
        #"{"site":"\#(name)s\#(i % 3)","path":"/\#(i % 7)","visitor":"v\#(i % 91)","@time":\#(start + i * 37 % 1200)}"#
    }

    private func listed(_ i: Int) -> String {
        let row = #"{"label":"A","seats":30}"#
        let section = #"{"name":"stalls","rows":[\#(row)],"price":{"amount":4500,"currency":"EUR"}}"#
        return #"""
            {"event":"\#(name)e\#(i)","title":"Tosca","venue":"Opera","startsAt":"2030-01-01T19:30:00Z",\#
            "sections":[\#(section)],"@time":\#(start)}
            """#
    }

    /// A third of the holds is never paid: their time is long over, and they run out.
    private func seats(_ i: Int, sold: Bool) -> String {
        let time = i < 16 ? Self.sales : start
        let facts = #""event":"\#(name)e\#(i % 2)","section":"stalls","hold":"\#(name)h\#(i)","holder":"f\#(i)""#
        let what = #""seats":["A-\#(i + 1)"],"total":{"amount":4500,"currency":"EUR"}"#
        let more = sold ? #""paymentToken":"tok_\#(i)""# : #""expiresAt":\#(Self.stamp(time + 300))"#
        return "{\(facts),\(what),\(more),\"@time\":\(time + (sold ? 5 : 0))}"
    }

    private func user(_ i: Int) -> String { "\(name)u\(i % 40)" }

    /// Everybody follows some; the first two have more followers than are handed their tweets.
    private var follows: [String] {
        (0..<40).flatMap { i -> [String] in
            let popular: [Int] = i < 30 ? [0, 1] : []
            let others: [Int] = [i + 1, i + 3, i + 7, i * i].map { $0 % 40 }
            let followees = Set(popular + others).subtracting([i]).sorted()
            return followees.map { "\(user(i)) \(user($0))" }
        }
    }

    private func tweet(_ i: Int) -> String {
        // A retweet has its original's text.
        let said = i % 6 == 5 ? i - 3 : i
        let text = "about #\(name)tag\(said % 5) with @\(user(said * 7))"
        let retweet = i % 6 == 5 ? #","rt":"\#(name)t\#(i - 3)","owner":"\#(user(i - 3))""# : ""
        return #"{"id":"\#(name)t\#(i)","t":\#(start + i * 3),"s":"\#(user(i))","text":"\#(text)"\#(retweet)}"#
    }

    /// An order and how far it came.
    private func order(_ i: Int) -> [String] {
        (0...(i % 4)).map { stage in
            let status = ["received", "assigned", "picked_up", "delivered"][stage]
            let courier = stage > 0 ? #""courier":"c\#(i % 9)","# : ""
            return #"""
                {"order":"\#(name)o\#(i)","customer":"\#(name)c\#(i % 11)","status":"\#(status)",\#(courier)\#
                "expectedAt":\#(Self.stamp(start + 7200)),"@time":\#(start + i + stage * 600)}
                """#
        }
    }

    private func place(_ i: Int) -> String {
        let at = Self.stamp(start + i / 30 * 4).filter { $0 != "\"" }
        return "\(48.1 + Double(i * 31 % 977) / 9000),\(11.5 + Double(i * 17 % 991) / 9000),\(at),\(name)d\(i % 30)"
    }

    private static func stamp(_ seconds: Int) -> String {
        "\"" + Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601) + "\""
    }
}
