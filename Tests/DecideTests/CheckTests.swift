import EventModel
import Testing

@Suite("Checks of a message's fields")
struct CheckTests {
    @Test func `text must be there and within its bytes`() throws {
        try Check.text("a", "name", atMost: 1)
        try Check.text("Zoë", "name", atMost: 4)
        #expect(throws: Malformed("name", "is missing")) { try Check.text("", "name", atMost: 4) }
        #expect(throws: Malformed("name", "has 4 bytes, at most 3 are allowed")) {
            try Check.text("Zoë", "name", atMost: 3)
        }
    }

    @Test func `optional text may be missing, not too long`() throws {
        try Check.optionalText("", "bio", atMost: 3)
        try Check.optionalText("abc", "bio", atMost: 3)
        #expect(throws: Malformed("bio", "has 4 bytes, at most 3 are allowed")) {
            try Check.optionalText("abcd", "bio", atMost: 3)
        }
    }

    @Test(arguments: ["a\u{0}", "a\nb", "\t", "\u{1f}", "\u{7f}", "a\r\nb"])
    func `text has no control characters`(text: String) {
        #expect(throws: Malformed("name", "has a control character")) { try Check.text(text, "name", atMost: 10) }
        #expect(throws: Malformed("name", "has a control character")) {
            try Check.optionalText(text, "name", atMost: 10)
        }
    }

    @Test(arguments: ["a", "A-1_b.c", "Zoë", "席", String(repeating: "a", count: 100)])
    func `an identifier has no separator`(text: String) throws {
        try Check.identifier(text, "id")
    }

    @Test(arguments: ["a:b", "#", "a b", "a\u{a0}b", "a\u{2003}b", ":\u{301}", "a#\u{20e3}"])
    func `an identifier with a separator is refused`(text: String) {
        #expect(throws: Malformed("id", "has a space, ':' or '#', which an identifier may not have")) {
            try Check.identifier(text, "id")
        }
    }

    @Test func `an identifier is not empty and not too long`() {
        #expect(throws: Malformed("id", "is missing")) { try Check.identifier("", "id") }
        #expect(throws: Malformed("id", "has 101 bytes, at most 100 are allowed")) {
            try Check.identifier(String(repeating: "a", count: 101), "id")
        }
        #expect(throws: Malformed("id", "has 3 bytes, at most 2 are allowed")) {
            try Check.identifier("abc", "id", atMost: 2)
        }
    }

    @Test func `a number lies in its range, bounds included`() throws {
        try Check.range(1, "seats", 1...8)
        try Check.range(8, "seats", 1...8)
        #expect(throws: Malformed("seats", "is 0, it must be 1 to 8")) { try Check.range(0, "seats", 1...8) }
        #expect(throws: Malformed("seats", "is 9, it must be 1 to 8")) { try Check.range(9, "seats", 1...8) }
        try Check.range(0.5, "latitude", -90...90)
        #expect(throws: Malformed.self) { try Check.range(Double.nan, "latitude", -90...90) }
    }

    @Test func `a malformed message says which field and why`() {
        let malformed = Malformed("seats", "is missing")
        #expect(malformed.reason == "malformed")
        #expect(malformed.message == "seats: is missing")
        #expect(Refused(malformed) == Refused(reason: "malformed", message: "seats: is missing"))
    }
}
