import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import LinksDomain

@Suite("Clicks, counted")
struct ClickCountsTests {
    private let counts = Domain.links.projection("links.clicks")

    private func click(
        _ code: String, _ seconds: Int64, _ visitor: String = "v", _ device: LinksDevice = .desktop,
        referrer: String = "",
        in partition: Partition = 0
    ) -> Placed {
        let event = LinksLinkClicked.with {
            ($0.code, $0.visitor, $0.device, $0.referrer, $0.country) = (code, visitor, device, referrer, "DE")
        }
        return (
            TopicPartition("links.clicks", partition),
            Record(
                offset: 0, timestamp: noon + .seconds(seconds), key: Bytes(code),
                value: LinksClicks.bytes(.linkClicked(event)))
        )
    }

    @Test func `are in their minute, hour and day of UTC, and programs apart`() throws {
        let fold = try Fold.everyWay(
            counts,
            [
                click("a", 0), click("a", 59), click("a", 60, in: 1), click("a", 3600), click("a", 3600, "b", .bot),
                click("b", 0), click("a", -1),
            ])
        func ask(_ by: String, _ more: [String: Value] = [:]) throws -> [Row] {
            let values: [String: Value] = [
                "code": "a", "by": .text(by), "from": Value(noon - .seconds(86_400)),
                "to": Value(noon + .seconds(86_400)),
            ]
            return try fold.ask(.links, "links.clicks", values.merging(more) { $1 }).rows
        }
        #expect(
            try ask("minute") == [
                [Value(noon - .seconds(60)), 1, 0], [Value(noon), 2, 0], [Value(noon + .seconds(60)), 1, 0],
                [Value(noon + .seconds(3600)), 1, 1],
            ])
        #expect(
            try ask("hour") == [
                [Value(noon - .seconds(3600)), 1, 0], [Value(noon), 3, 0], [Value(noon + .seconds(3600)), 1, 1],
            ])
        #expect(try ask("day").count == 1)
        #expect(try ask("day")[0][1...] == [5, 1])
        // A day that is twelve hours ahead begins at noon: what was a second before it was yesterday.
        #expect(try ask("day", ["offset": -720]) == [[Value(noon - .seconds(86_400)), 1, 0], [Value(noon), 4, 1]])
        // One that is a minute more: days that are not of whole hours.
        let later = noon + .seconds(60)
        #expect(
            try ask("day", ["offset": -721]) == [[Value(later - .seconds(86_400)), 3, 0], [Value(later), 2, 1]])
        // The last day is whole, wherever it begins: what is asked through its first half hour has all of it.
        let soon = Value(noon + .seconds(1800))
        #expect(try ask("day", ["to": soon])[0][1...] == [5, 1])
        #expect(try ask("day", ["to": soon, "offset": -720]).last == [Value(noon), 4, 1])
        #expect(try fold.ask(.links, "links.total", ["code": "a"]).rows == [["a", 5, 1]])
        #expect(try fold.ask(.links, "links.total", ["code": "none"]).rows == [["none", 0, 0]])
    }

    @Test func `tell where they come from, without programs`() throws {
        let fold = try Fold.everyWay(
            counts,
            [
                click("a", 0, referrer: "x"), click("a", 1, referrer: "x", in: 1), click("a", 2),
                click("a", 3, "w", .bot, referrer: "y"),
            ])
        #expect(
            try fold.ask(.links, "links.sources", ["code": "a", "kind": "referrer"]).rows == [["x", 2], ["", 1]])
        #expect(try fold.ask(.links, "links.sources", ["code": "a", "kind": "country"]).rows == [["DE", 3]])
        #expect(try fold.ask(.links, "links.sources", ["code": "a", "kind": "device"]).rows == [["desktop", 3]])
    }

    @Test func `tell so many referrers of a link apart, and count the others together`() throws {
        let most = Int(LinksLimits.referrers)
        let first = (0..<most).map { click("a", 0, referrer: "host\($0)") }
        let more = [
            click("a", 1, referrer: "more"), click("a", 1, referrer: "yet-more"), click("a", 2, referrer: "host0"),
            click("b", 2, referrer: "more"), click("a", 2),
        ]
        let fold = try Fold.everyWay(counts, first + more)
        let rows = try fold.ask(.links, "links.sources", ["code": "a", "kind": "referrer"]).rows
        #expect(rows.prefix(3) == [["(others)", 2], ["host0", 2], ["", 1]])
        #expect(
            try fold.ask(.links, "links.sources", ["code": "b", "kind": "referrer"]).rows == [["more", 1]])
    }

    @Test func `have sources and days on as many pages as it takes`() throws {
        var clicks: [Placed] = []
        for number in 0..<25 {
            for _ in 0...(number % 5) {
                clicks.append(click("a", Int64(number) * 86_400, "v", referrer: "host\(number)"))
            }
        }
        let fold = try Fold.everyWay(counts, clicks)
        let until: [String: Value] = ["from": Value(noon), "to": Value(noon + .seconds(25 * 86_400))]
        for (name, more) in [("links.sources", ["kind": "referrer"]), ("links.visitors", until)] {
            let values = more.merging(["code": "a"]) { $1 }
            let all = try fold.ask(.links, name, values)
            #expect(all.rows.count == 25 && all.next == nil, "\(name)")
            var (rows, cursor): ([Row], Row?) = ([], nil)
            repeat {
                let page = try fold.ask(.links, name, values, limit: 7, from: cursor)
                #expect(page.rows.count == 7 || page.next == nil)
                rows += page.rows
                cursor = page.next
            } while cursor != nil
            #expect(rows == all.rows, "\(name)")
        }
        for name in ["links.clicks", "links.visitors"] {
            #expect(throws: Malformed.self) {
                try fold.ask(.links, name, ["code": "a", "from": Value(noon + .seconds(1)), "to": Value(noon)])
            }
        }
    }

    @Test func `have visitors, who are counted once a day`() throws {
        let visits = (0..<300).map { click("a", Int64($0), "v\($0 % 100)", in: Partition(rawValue: Int32($0 % 3))) }
        let fold = try Fold.everyWay(counts, visits + [click("a", 86_400, "v1")])
        let rows = try fold.ask(.links, "links.visitors", ["code": "a", "to": Value(noon + .seconds(86_400))]).rows
        #expect(rows.count == 2 && (95...105).contains(rows[0][1].integer ?? 0) && rows[1][1] == 1, "\(rows)")
    }

    @Test(arguments: [10, 500, 5000, 50_000, 400_000])
    func `sketch many visitors within five in a hundred, in every order and in parts`(_ count: Int) throws {
        var (whole, parts) = (VisitorSketch(), [VisitorSketch(), VisitorSketch(), VisitorSketch()])
        for number in 0..<count {
            whole.add("visitor-\(number)")
            parts[number % 3].add("visitor-\(number)")
            if number % 5 == 0 { parts[(number + 1) % 3].add("visitor-\(number)") }
        }
        var merged = VisitorSketch(parts[2].text)
        merged.merge(VisitorSketch(parts[0].text))
        merged.merge(parts[1])
        #expect(merged == whole && VisitorSketch(whole.text) == whole && whole.text.count <= 4096)
        #expect(abs(Double(whole.estimate) / Double(count) - 1) < 0.05, "\(whole.estimate) of \(count)")
    }
}
