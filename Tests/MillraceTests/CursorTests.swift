import EventModel
import Foundation
import TestSupport
import Testing

@testable import MillraceApp
@testable import MillraceBus

@Suite("A cursor", .timeLimit(.minutes(10)))
struct CursorTests {
    private static let owner = Cursor.Owner(
        query: "tickets.seats", view: "tickets.seatmap@1", parameters: ["event": "e1"], past: nil)
    private static let rows: [Row] = [
        [], [.null], ["a", 1, .real(1.5)], ["a\0b", "", "\u{10FFFF}"],
        [.integer(.min), .integer(.max), .real(-0.0), .real(.infinity)],
    ]

    @Test func `gives back the place that it was made of, whatever is in a text`() throws {
        for row in Self.rows {
            let text = Cursor.encode(row, for: Self.owner)
            #expect(try Cursor.decode(text, for: Self.owner) == row)
            #expect(
                text.utf8.allSatisfy { UnicodeScalar($0).properties.isAlphabetic || $0 < 58 || [45, 95].contains($0) })
        }
    }

    @Test func `is of its query, its parameters, its moment and its view alone`() {
        let text = Cursor.encode(["a", 1], for: Self.owner)
        var others = Array(repeating: Self.owner, count: 6)
        others[0].query = "tickets.holds"
        others[1].view = "tickets.seatmap@2"
        others[2].parameters["event"] = "e2"
        others[3].parameters["section"] = "s"
        others[4].past = "@-1h"
        others[5].parameters = ["event": 1]
        for other in others {
            let no = #expect(throws: BusError.self) { try Cursor.decode(text, for: other) }
            #expect(no?.kind == .usage && no?.message.contains("is of another query") == true)
        }
        #expect(Set(others.map(\.hash)).count == 6)
    }

    @Test func `that was changed anywhere, cut or made up is refused`() {
        let text = Cursor.encode(["a", 1], for: Self.owner)
        let alphabet = Array("AZaz09-_".utf8)
        for at in 0..<text.utf8.count {
            for other in alphabet where Array(text.utf8)[at] != other {
                var bytes = Array(text.utf8)
                bytes[at] = other
                let changed = String(decoding: bytes, as: UTF8.self)
                // The last character has bits that no byte has.
                if (try? Cursor.decode(changed, for: Self.owner)) == ["a", 1], at == text.utf8.count - 1 { continue }
                #expect(throws: BusError.self) { try Cursor.decode(changed, for: Self.owner) }
            }
            let cut = String(text.prefix(at))
            #expect(throws: BusError.self) { try Cursor.decode(cut, for: Self.owner) }
        }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0...80)).map { _ in UInt8.random(in: 0...255, using: &random) }
            let made = Data([1] + bytes).base64EncodedString()
            #expect(throws: BusError.self) { try Cursor.decode(made, for: Self.owner) }
        }
        // As earlier versions wrote them.
        let old = Data("te1\0i5".utf8).base64EncodedString()
        let no = #expect(throws: BusError.self) { try Cursor.decode(old, for: Self.owner) }
        #expect(no?.message.contains("another version") == true && no?.message.contains("Begin again") == true)
        #expect(throws: BusError.self) { try Cursor.decode(String(repeating: "A", count: 1 << 20), for: Self.owner) }
    }

    @Test func `of one query is refused by another, and by the same with other parameters`() async throws {
        try await onBus { bus in
            _ = try await bus.work()
            for event in ["e1", "e2"] { try await bus.list(event, rows: 2, seats: 5) }
            try await bus.settle()
            let seats = ["query", "tickets.seats", "--event", "e1"]
            let first = try JSON(try await bus.start(seats + ["--limit", "4"]).end().out)
            let cursor = ["--cursor", first["next"].string]
            let second = try JSON(try await bus.start(seats + ["--limit", "6"] + cursor).end().out)
            #expect(
                second["rows"].array.count == 6 && second["next"] == nil, "a page may be longer than the one before")
            for wrong in [
                ["query", "tickets.seats", "--event", "e2"], ["query", "tickets.sections", "--event", "e1"],
                ["query", "tickets.calendar"], ["query", "tickets.hold", "--id", "h1"], ["query", "hits.window"],
                ["query", "social.timeline", "--user", "ann"], seats + ["--status", "free"],
                seats + ["--as-of", "@-1s"],
            ] {
                let ended = try await bus.start(wrong + cursor).end()
                #expect(ended.exit == 64 && ended.out.isEmpty, "\(wrong): \(ended)")
                #expect(ended.err.contains("was not given by an earlier page of \(wrong[1])"), "\(ended)")
            }
            for made in ["x", "", "....", "dGUxAGk1", first["next"].string + "A"] {
                let ended = try await bus.start(seats + ["--cursor", made]).end()
                #expect(ended.exit == 64 && ended.err.contains("was not given by an earlier page"), "\(made): \(ended)")
            }
        }
    }
}
