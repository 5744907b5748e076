import DomainTesting
import EventModel
import Foundation
import SwiftProtobuf
import Testing

@testable import TicketsDomain

@Suite("The seat map and the calendar")
struct SeatMapTests {
    private let story: [Fact] = [
        .listed, .opened, .opened(.balcony), .held("h1", by: "ann", "A-1", "A-2"), .held("h2", by: "bob", "A-3"),
        .sold("h1", to: "ann", "A-1", "A-2"), .expired("h2", "A-3"), .held("h3", by: "cy", "A-3", "B-4", at: 400),
        .held("h4", by: "dee", "B-1"), .released("h4", "B-1"),
    ]
    private func seatmap(_ facts: [Fact]) throws -> Fold {
        try .everyWay(Domain.tickets.projection("tickets.seatmap"), records(facts))
    }

    @Test func `a section that is opened has all its seats free, with their price`() throws {
        let fold = try seatmap([.opened(.balcony)])
        #expect(
            try fold.rows(SeatMap.seats) == [
                ["e1", "balcony", "A", 1, "A-1", "free", .null, .null, .null, 2500, "EUR"],
                ["e1", "balcony", "A", 2, "A-2", "free", .null, .null, .null, 2500, "EUR"],
            ])
        #expect(try fold.rows(SeatMap.sections) == [["e1", "balcony", 2, 2, 0, 0, 2500, "EUR"]])
        #expect(try fold.rows(SeatMap.holds) == [])
    }

    @Test func `it shows who has each seat and until when`() throws {
        let fold = try seatmap(story)
        let taken = try fold.rows(SeatMap.seats).filter { $0[5] != "free" }
        #expect(
            taken == [
                ["e1", "stalls", "A", 1, "A-1", "sold", "h1", "ann", .null, 4500, "EUR"],
                ["e1", "stalls", "A", 2, "A-2", "sold", "h1", "ann", .null, 4500, "EUR"],
                ["e1", "stalls", "A", 3, "A-3", "held", "h3", "cy", Value(after(700)), 4500, "EUR"],
                ["e1", "stalls", "B", 4, "B-4", "held", "h3", "cy", Value(after(700)), 4500, "EUR"],
            ])
    }
    @Test func `it counts what is left`() throws {
        #expect(
            try seatmap(story).rows(SeatMap.sections) == [
                ["e1", "balcony", 2, 2, 0, 0, 2500, "EUR"], ["e1", "stalls", 8, 4, 2, 2, 4500, "EUR"],
            ])
    }
    @Test func `it tells what became of each hold, and when`() throws {
        let holds = try seatmap(story).rows(SeatMap.holds)
        #expect(
            holds == [
                ["h1", "e1", "stalls", "ann", "sold", "A-1,A-2", Value(after(300)), 9000, "EUR", Value(after(5))],
                ["h2", "e1", "stalls", "bob", "expired", "A-3", Value(after(300)), 4500, "EUR", Value(after(6))],
                ["h3", "e1", "stalls", "cy", "held", "A-3,B-4", Value(after(700)), 9000, "EUR", Value(after(7))],
                ["h4", "e1", "stalls", "dee", "released", "B-1", Value(after(300)), 4500, "EUR", Value(after(9))],
            ])
    }
    @Test func `a row's label may have a dash in it`() throws {
        let section = TicketsSection.named("stalls", rows: [("A-1", 3)])
        let fold = try seatmap([.opened(section), .held("h1", by: "ann", "A-1-2")])
        #expect(try fold.rows(SeatMap.seats).map { $0[5] } == ["free", "held", "free"])
    }
    @Test func `one name in two sections is two holds`() throws {
        guard case .seatHeld(var other) = Fact.held("h1", by: "bob", "A-1") else { return }
        other.section = "balcony"
        let fold = try seatmap([
            .opened, .opened(.balcony), .held("h1", by: "ann", "A-1"), .seatHeld(other), .released("h1", "A-1"),
        ])
        #expect(
            try fold.rows(SeatMap.holds).map { [$0[2], $0[4]] } == [["balcony", "held"], ["stalls", "released"]])
        #expect(try fold.ask(.tickets, "tickets.hold", ["id": "h1"]).rows.count == 2)
    }
    @Test func `facts of a kind it does not know are passed over`() throws {
        var story = records(story)
        let rows = try seatmap(self.story).rows()
        story.append(
            (story[0].source, Record(offset: 99, timestamp: after(99), key: "e1", value: Bytes([0x9a, 0x06, 0x00]))))
        let fold = Fold(projection: Domain.tickets.projection("tickets.seatmap"))
        try fold.take(story)
        #expect(try fold.rows() == rows)
    }
    @Test func `what is no event at all stops it, and says where`() throws {
        let fold = Fold(projection: Domain.tickets.projection("tickets.seatmap"))
        let bad = Record(offset: 7, timestamp: noon, key: "e1", value: "garbage")
        let error = #expect(throws: Unfoldable.self) { try fold.take([(TopicPartition("tickets.events", 3), bad)]) }
        #expect(error?.description.hasPrefix("tickets.events/3@7: the value is not a millrace.tickets.Event") == true)
        #expect(try fold.rows(SeatMap.seats) == [])
    }

    @Test(arguments: [1, 3, 7, 10, 100])
    func `pages of seats neither skip nor repeat`(limit: Int) throws {
        let fold = try seatmap(story)
        for values in [["event": "e1"], ["event": "e1", "section": "stalls"], ["event": "e1", "status": "free"]]
            as [[String: Value]]
        {
            let whole = try fold.ask(.tickets, "tickets.seats", values)
            #expect(whole.next == nil)
            var (rows, cursor, pages): ([Row], Row?, Int) = ([], nil, 0)
            repeat {
                let page = try fold.ask(.tickets, "tickets.seats", values, limit: limit, from: cursor)
                #expect(page.rows.count <= limit)
                rows += page.rows
                cursor = page.next
                pages += 1
            } while cursor != nil && pages < 100
            #expect(rows == whole.rows, "\(values) by \(limit)")
            #expect(pages == max(1, (rows.count + limit - 1) / limit))
        }
    }
    @Test func `seats are asked for by event, section and status`() throws {
        let fold = try seatmap(story + [.opened(.balcony, of: "e2")])
        func seats(_ values: [String: Value]) throws -> [String] {
            try fold.ask(.tickets, "tickets.seats", values).rows.map { "\($0[1].text ?? "")/\($0[4].text ?? "")" }
        }
        #expect(try seats(["event": "e1"]).count == 10)
        #expect(try seats(["event": "e1", "section": "balcony"]) == ["balcony/A-1", "balcony/A-2"])
        #expect(try seats(["event": "e1", "status": "sold"]) == ["stalls/A-1", "stalls/A-2"])
        #expect(
            try seats(["event": "e1", "status": "held", "section": "stalls"]) == ["stalls/A-3", "stalls/B-4"])
        #expect(try seats(["event": "e1", "status": "held", "section": "balcony"]) == [])
        #expect(try seats(["event": "e1", "status": "broken"]) == [])
        #expect(try seats(["event": "e9"]) == [])
        #expect(try fold.ask(.tickets, "tickets.sections", ["event": "e1"]).rows.count == 2)
        #expect(try fold.ask(.tickets, "tickets.hold", ["id": "h9"]).rows == [])
        #expect(try fold.ask(.tickets, "tickets.hold", ["id": "h2"]).rows.map { $0[4] } == ["expired"])
    }

    @Test func `the calendar compares no amounts of several currencies, which old events have`() throws {
        var yen = TicketsSection.balcony
        yen.price = .with { ($0.amount, $0.currency) = (4500, "JPY") }
        let facts = [Fact.listed(sections: [.stalls, yen]), .listed("e2", sections: [yen])]
        let rows = try Fold.everyWay(Domain.tickets.projection("tickets.calendar"), records(facts))
            .rows(Calendar.events)
        #expect(rows.map { Array($0[6...]) } == [[.null, "EUR,JPY"], [4500, "JPY"]])
    }
    @Test func `the calendar shows what begins in a range, soonest first, both ends included`() throws {
        let starts: [(String, Int64)] = [
            ("e3", 3000), ("e1", 1000), ("e5", 5000), ("e2", 2000), ("e4", 2000), ("far", 90 * 86_400 + 1000),
        ]
        let facts = starts.map { Fact.listed($0.0, at: after($0.1), sections: [.stalls, .balcony]) }
        let fold = try Fold.everyWay(Domain.tickets.projection("tickets.calendar"), records(facts + [.opened]))
        func events(_ values: [String: Value], now: Int64 = 0) throws -> [String] {
            try fold.ask(.tickets, "tickets.calendar", values, now: after(now)).rows.compactMap { $0[0].text }
        }
        #expect(try events([:]) == ["e1", "e2", "e4", "e3", "e5"])
        #expect(try events([:], now: 2001) == ["e3", "e5", "far"])
        #expect(try events(["from": Value(after(2000)), "to": Value(after(3000))]) == ["e2", "e4", "e3"])
        #expect(try events(["from": Value(after(2001)), "to": Value(after(2999))]) == [])
        #expect(try events(["from": Value(after(2000)), "to": Value(after(2000))]) == ["e2", "e4"])
        let (late, early) = (after(3000), after(2999))
        #expect(throws: Malformed("from", "is \(late.rfc3339), which is after to, \(early.rfc3339)")) {
            try events(["from": Value(late), "to": Value(early)])
        }
        #expect(try events(["to": Value(after(-1))]) == [])
        let first = try fold.ask(.tickets, "tickets.calendar", limit: 2)
        #expect(first.rows.map { $0[0] } == ["e1", "e2"])
        let second = try fold.ask(.tickets, "tickets.calendar", limit: 2, from: first.next)
        #expect(second.rows.map { $0[0] } == ["e4", "e3"])
        #expect(
            first.rows[0] == [
                "e1", "Nutcracker", "Opera", Value(after(1000)), 10, "stalls,balcony", 2500, "EUR",
            ])
    }

    @Test func `the page has no heading that jumps over a level below its title`() throws {
        let page = try #require(Domain.tickets.page)
        let levels = try ["page.html", "page.js"].flatMap { name -> [String] in
            let file = try #require(page.file(name))
            let text = String(decoding: try #require(Data(base64Encoded: file.base64)), as: UTF8.self)
            return text.matches(of: /["<]h([1-6])\b/).map { String($0.1) }
        }
        #expect(levels == ["2", "2"])
    }
}
