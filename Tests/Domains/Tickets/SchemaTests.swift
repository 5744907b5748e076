import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import TicketsDomain

@Suite("A schema")
struct SchemaTests {
    private let commands: Schema
    private let events: Schema

    init() throws {
        let decider = try #require(Domain.tickets.decider)
        commands = decider.commands
        events = decider.events
    }

    private func encode(_ kind: String, _ json: Bytes) throws -> Bytes {
        try commands.encode(#require(commands.kind(named: kind)), json: json)
    }
    /// What is wrong with a command's JSON.
    private func wrong(_ kind: String, _ json: Bytes) throws -> Malformed? {
        do {
            _ = try encode(kind, json)
            return nil
        } catch let no as Malformed {
            return no
        }
    }

    @Test func `knows the kinds of a topic, in the order of their tags`() {
        #expect(events.name == "millrace.tickets.Event")
        #expect(
            events.kinds.map(\.name)
                == ["EventListed", "SectionOpened", "SeatHeld", "HoldExpired", "SeatReleased", "SeatSold"])
        #expect(
            commands.kinds.map(\.name)
                == ["ListEvent", "OpenSection", "HoldSeats", "ConfirmPurchase", "ReleaseHold", "ExpireHold"])
        #expect(commands.kind(named: "SeatHeld") == nil)
        #expect(Domain.tickets.schema(of: "tickets.commands")?.name == "millrace.tickets.Command")
        #expect(Domain.tickets.schema(of: "tickets.outcomes") == nil)
    }
    @Test func `knows fields, their types, and what the comments say of them`() throws {
        let hold = try #require(commands.kind(named: "HoldSeats"))
        #expect(hold.about == "Hold seats of one section for five minutes, all or none.")
        #expect(hold.fields.map(\.name) == ["event", "section", "holder", "seats", "hold"])
        #expect(hold.fields[3].about == "Seats as ROW-NUMBER, for example A-12.")
        #expect(hold.fields.map(\.repeated) == [false, false, false, true, false])
        #expect(hold.fields.allSatisfy { $0.type == "string" && $0.textual })
        let list = try #require(commands.kind(named: "ListEvent"))
        #expect(list.fields.map(\.name) == ["event", "title", "venue", "startsAt", "sections", "limits"])
        #expect(list.fields[3].type == "timestamp" && list.fields[3].textual)
        #expect(
            list.fields[4].type
                == "{name: string, rows: [{label: string, seats: int32}], price: {amount: int64, currency: string}}")
        #expect(!list.fields[4].textual && list.fields[4].repeated)
    }
    @Test func `has a comment for every kind`() {
        for schema in [commands, events] {
            for kind in schema.kinds { #expect(!kind.about.isEmpty, "\(kind.name)") }
        }
    }

    @Test func `goes from JSON to bytes and back`() throws {
        let json =
            #"{"event":"e1","title":"Nuß \"&\" Knacker","venue":"Opera","startsAt":"2026-12-24T19:30:00Z","#
            + #""sections":[{"name":"stalls","rows":[{"label":"A","seats":20}],"price":{"amount":4500,"currency":"EUR"}}]}"#
        let bytes = try encode("ListEvent", Bytes(json))
        guard case .listEvent(let command) = try TicketsCommand.kind(in: bytes) else {
            Issue.record("another kind")
            return
        }
        #expect(Timestamp(command.startsAt).rfc3339 == "2026-12-24T19:30:00Z")
        #expect(command.sections[0].price == .euros(4500))
        let back = try commands.decode(bytes)
        #expect(back.kind == "ListEvent")
        #expect(back.json == json)
        #expect(try encode(back.kind, Bytes(back.json)) == bytes)
    }
    @Test func `takes fields in either spelling, and in any order`() throws {
        let camel = try encode("ConfirmPurchase", #"{"paymentToken":"t","hold":"h"}"#)
        #expect(try encode("ConfirmPurchase", #" { "hold" : "h" , "payment_token" : "t" } "#) == camel)
        #expect(try commands.decode(camel).json == #"{"hold":"h","paymentToken":"t"}"#)
        #expect(try commands.decode(encode("HoldSeats", "{}")).json == "{}")
    }
    @Test func `says which field there is not, and which there are`() throws {
        #expect(
            try wrong("HoldSeats", #"{"event":"e1","seat":"A-1"}"#)
                == Malformed(
                    "seat",
                    "is not a field of HoldSeats; did you mean seats? It has event, section, holder, seats, hold"))
        #expect(try wrong("HoldSeats", #"{"@type":"x"}"#)?.field == "@type")
    }
    @Test(arguments: [
        (#"{"event":1}"#, "event", "must be string"), (#"{"event":["e"]}"#, "event", "must be string"),
        (#"{"seats":"A-1"}"#, "seats", "must be a list of string"),
        (#"{"seats":[1]}"#, "seats", "must be a list of string"),
        (#"{"section":{"name":"s"}}"#, "section", "must be string"),
        (#"{"hold":true,"event":"e"}"#, "hold", "must be string"),
    ])
    func `says which field has the wrong type`(_ json: String, _ field: String, _ why: String) throws {
        #expect(try wrong("HoldSeats", Bytes(json)) == Malformed(field, why))
    }
    @Test func `says so of a time or number that is none`() throws {
        #expect(try wrong("ListEvent", #"{"startsAt":"tomorrow"}"#) == Malformed("startsAt", "must be timestamp"))
        #expect(try wrong("ListEvent", #"{"startsAt":"2026-12-24"}"#)?.field == "startsAt")
        #expect(
            try wrong("ListEvent", #"{"sections":[{"price":{"amount":1.5}}]}"#)?.field == "sections")
        #expect(
            try wrong("ListEvent", #"{"sections":[{"price":{"amount":99999999999999999999}}]}"#)?.field == "sections")
    }
    @Test(arguments: ["[]", "null", "1", #""text""#, "true", "[{}]"])
    func `says that what is no object must be one`(_ json: String) throws {
        #expect(
            try wrong("HoldSeats", Bytes(json)) == Malformed("HoldSeats", #"must be a JSON object: {"event": ...}"#))
    }
    @Test(arguments: [
        "", "{", "{'event':'e'}", #"{"event":"e"}}"#, #"{"event":"e"} x"#, "event=e", #"{},"confirmPurchase":{}"#,
        "\u{0}",
    ])
    func `says that what is not JSON is not`(_ json: String) throws {
        let no = try #require(try wrong("HoldSeats", Bytes(json)))
        #expect(no.field == "HoldSeats")
        #expect(no.why.hasPrefix("is not JSON: "), "\(no.why)")
    }
    @Test func `says that what is not UTF-8 is not`() throws {
        let bad = Bytes(Array(#"{"event":""#.utf8) + [0xff, 0xfe] + Array(#""}"#.utf8))
        #expect(try wrong("HoldSeats", bad) == Malformed("HoldSeats", "is not UTF-8"))
    }

    /// Every scalar that a field of text may have: all but controls, which no field has, and the two signs that JSON escapes.
    private static let scalars = (0x20...0x10ffff).compactMap { Unicode.Scalar(UInt32($0)) }

    @Test func `keeps every character, written as it is or as an escape`() throws {
        for start in stride(from: 0, to: Self.scalars.count, by: 20_000) {
            let some = Self.scalars[start..<min(start + 20_000, Self.scalars.count)]
            let text = String(String.UnicodeScalarView(some))
            let escaped = text.utf16.map { "\\u" + String(0x10000 + Int($0), radix: 16).dropFirst() }.joined()
            for json in [text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""), escaped] {
                let bytes = try encode("HoldSeats", Bytes(#"{"holder":"\#(json)"}"#))
                guard case .holdSeats(let command)? = try TicketsCommand.kind(in: bytes) else { return }
                #expect(command.holder.utf8.elementsEqual(text.utf8), "from \(String(some[start].value, radix: 16))")
                #expect(try encode("HoldSeats", Bytes(try commands.decode(bytes).json)) == bytes)
            }
        }
    }
    @Test func `a pair of escapes beyond plane 1 is its own character`() throws {
        #expect(
            try commands.decode(encode("HoldSeats", #"{"holder":"a\ud840\udc21b"}"#)).json
                == #"{"holder":"a\#u{20021}b"}"#)
        #expect(
            try commands.decode(encode("HoldSeats", #"{"holder":"\uDBFF\uDFFF"}"#)).json == #"{"holder":"\#u{10ffff}"}"#
        )
        // A backslash that is escaped begins no escape.
        #expect(try commands.decode(encode("HoldSeats", #"{"holder":"\\ud840"}"#)).json == #"{"holder":"\\ud840"}"#)
        #expect(
            try commands.decode(encode("HoldSeats", #"{"holder":"\\\ud83d\ude00\\"}"#)).json
                == #"{"holder":"\\\#u{1f600}\\"}"#)
        #expect(try encode("HoldSeats", #"{"\u0068older":"x"}"#) == encode("HoldSeats", #"{"holder":"x"}"#))
        #expect(try wrong("HoldSeats", #"{"\ud840\udc21":"x"}"#)?.field == "\u{20021}")
    }
    @Test(arguments: [
        (#"{"event":"e","holder":"\ud840"}"#, "holder", #"\ud840"#),
        (#"{"holder":"\udc21x","event":"e"}"#, "holder", #"\udc21"#),
        (#"{"holder":"\ud840\ud840\udc21"}"#, "holder", #"\ud840"#),
        (#"{"seats":["A-1",{"x":"y"},"\uDFFFa"]}"#, "seats", #"\uDFFF"#),
        (#"{"event":"{\"","holder":"\ud8401234"}"#, "holder", #"\ud840"#), (#"{"\ud840":1}"#, "HoldSeats", #"\ud840"#),
        (#"["\ud840"]"#, "HoldSeats", #"\ud840"#), (#"{"holder":"\ud840\u0041"}"#, "holder", #"\ud840"#),
    ])
    func `half a pair of escapes is refused with its field`(_ json: String, _ field: String, _ escape: String) throws {
        #expect(
            try wrong("HoldSeats", Bytes(json))
                == Malformed(field, "has \(escape), half of a surrogate pair, which stands for no character"))
    }
    @Test(arguments: [
        (#"{"holder":"a","event":"e","holder":"b"}"#, "holder"), (#"{"holder":"a","holder":"a"}"#, "holder"),
        (#"{"holder":"a","\u0068older":"b"}"#, "holder"), (#"{"ttlMs":1,"ttl_ms":2}"#, "ttlMs"),
        (#"{"seats":[{},{"x":1,"y":{"z":1,"z":2}}]}"#, "seats[1].y.z"),
    ])
    func `a member that is there twice is refused by its name`(_ json: String, _ field: String) throws {
        #expect(try wrong("HoldSeats", Bytes(json)) == Malformed(field, "is there twice; give it once"))
    }
    @Test func `a byte order mark is told`() throws {
        #expect(
            try wrong("HoldSeats", Bytes("\u{feff}{}"))
                == Malformed("HoldSeats", "begins with a byte order mark; leave it out"))
    }
    @Test func `a value has so many bytes as it has once its escapes are read`() throws {
        let escaped = String(repeating: #"\ud83d\ude00"#, count: 200_000)
        #expect(try encode("HoldSeats", Bytes(#"{"holder":"\#(escaped)"}"#)).count < Limits.valueBytes)
        let long = String(repeating: "x", count: Limits.valueBytes)
        #expect(
            try wrong("HoldSeats", Bytes(#"{"holder":"\#(long)"}"#))
                == Malformed("HoldSeats", "has 1100008 bytes, at most 1100000 are allowed"))
    }

    @Test func `tells the kind by its tag alone`() {
        #expect(events.kindName(in: TicketsEvent.bytes(.opened)) == "SectionOpened")
        // The tag of field 6 with a length and no body: the name needs no body.
        #expect(events.kindName(in: Bytes([0x32, 0x00])) == "SeatSold")
        #expect(events.kindName(in: Bytes([0x9a, 0x06, 0x00])) == "unknown-99")
        #expect(events.kindName(in: "") == "empty")
        #expect(events.kindName(in: Bytes([0xff])) == "empty")
        #expect(events.kindName(in: Bytes([0x1a, 0x7f])) == "empty")
    }
    @Test func `tells the kind behind fields that it does not know`() throws {
        let varint: [UInt8] = [0xa0, 0x06, 0x05]
        let (fixed64, fixed32): ([UInt8], [UInt8]) = (
            [0xa9, 0x06] + Array(repeating: 1, count: 8), [0xb5, 0x06, 1, 2, 3, 4]
        )
        let held = TicketsEvent.bytes(.held("h1", by: "ann", "A-1"))
        let bytes = Bytes(varint + fixed64 + fixed32 + [0x9a, 0x06, 0x01, 0x00] + Array(held.slice))
        #expect(events.kindName(in: bytes) == "SeatHeld")
        #expect(try TicketsEvent.kind(in: bytes) == .held("h1", by: "ann", "A-1"))
        #expect(try events.decode(bytes).kind == "SeatHeld")
    }
    @Test func `of two kinds in one record, all go by the last`() throws {
        let two = Bytes(
            Array(TicketsEvent.bytes(.opened).slice) + Array(TicketsEvent.bytes(.expired("h1", "A-1")).slice))
        #expect(try TicketsEvent.kind(in: two) == .expired("h1", "A-1"))
        #expect(events.kindName(in: two) == "HoldExpired")
        #expect(try events.decode(two).json.contains("h1"))
    }
    @Test func `lets an event live on that has fields of a newer writer`() throws {
        guard case .holdExpired(let expired) = Fact.expired("h1", "A-1") else { return }
        // Field 15 of the event inside the envelope: text "new".
        let inner = Array(try expired.serializedBytes() as [UInt8]) + [0x7a, 0x03] + Array("new".utf8)
        let bytes = Bytes([0x22, UInt8(inner.count)] + inner)
        guard case .holdExpired(let read) = try TicketsEvent.kind(in: bytes) else {
            Issue.record("another kind")
            return
        }
        #expect((read.event, read.section, read.hold, read.seats) == ("e1", "stalls", "h1", ["A-1"]))
        #expect(TicketsEvent.bytes(.holdExpired(read)) == bytes, "what is not known is kept")
        #expect(try events.decode(bytes).json == #"{"event":"e1","section":"stalls","hold":"h1","seats":["A-1"]}"#)
        #expect(try events.decode(Bytes([0x9a, 0x06, 0x00])) == ("unknown-99", "{}"))
    }
    @Test func `says of which schema bytes are not`() {
        let error = #expect(throws: Undecodable.self) { try events.decode("garbage") }
        #expect(error?.schema == "millrace.tickets.Event")
    }
}
