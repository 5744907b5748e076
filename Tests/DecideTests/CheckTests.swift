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

    @Test(arguments: [
        ("Zoe\u{308}", #""Zoe\u{308}""#, #""Zo\u{eb}""#), ("I\u{307}", #""I\u{307}""#, #""\u{130}""#),
        ("\u{1112}\u{1161}\u{11ab}", #""\u{1112}\u{1161}\u{11ab}""#, #""\u{d55c}""#),
        ("\u{212b}", #""\u{212b}""#, #""\u{c5}""#), ("a\u{307}\u{323}", #""a\u{307}\u{323}""#, #""\u{1ea1}\u{307}""#),
    ])
    func `an identifier has one spelling, which is told`(_ text: String, _ written: String, _ better: String) {
        #expect(
            throws: Malformed("id", "is \(written), which is not Unicode's composed form (NFC); write \(better)")
        ) { try Check.identifier(text, "id") }
        #expect(throws: Malformed.self) { try Check.composition(text, "holder") }
    }

    @Test(arguments: [
        "a\u{202e}b", "\u{200b}", "a\u{200d}b", "\u{feff}a", "a\u{ad}", "a\u{2066}", "a\u{e0041}", "a\u{fe0f}",
        "\u{3164}",
        "a\u{85}", "a\u{2028}", "a\u{fffe}", "a\u{34f}",
    ])
    func `an identifier has nothing that is not seen`(text: String) throws {
        let no = #expect(throws: Malformed.self) { try Check.identifier(text, "id") }
        #expect(no?.why.contains("which shows nothing") == true || no?.why.contains("has a space") == true, "\(no!)")
        // Text of other kinds may have it.
        if !text.contains("\u{85}") { try Check.text(text, "name", atMost: 20) }
    }

    @Test func `what was admitted before is taken from a log`() throws {
        try Check.$asBefore.withValue(true) {
            try Check.identifier("Zoe\u{308}\u{200d}", "id")
            try Check.composition("Zoe\u{308}", "holder")
        }
        #expect(throws: Malformed.self) { try Check.identifier("Zoe\u{308}", "id") }
    }

    @Test func `of composed texts, none that differ in bytes are equal to Swift`() {
        // Each scalar, alone and with marks of two classes in either order, as it is and composed.
        var seen: [String: [UInt8]] = [:]
        for scalar in (0xa0...0x1ffff).compactMap({ Unicode.Scalar(UInt32($0)) }) {
            for marks in ["", "\u{307}", "\u{323}\u{307}", "\u{307}\u{323}"] where marks.isEmpty || scalar.value < 0x600
            {
                let text = String(String.UnicodeScalarView([scalar] + Array(marks.unicodeScalars)))
                for text in [text, Check.composed(text)] where Check.isComposed(text) {
                    let bytes = Array(text.utf8)
                    #expect(seen.updateValue(bytes, forKey: text) ?? bytes == bytes, "\(Shown.scalars(of: text))")
                }
            }
        }
    }

    @Test func `letters that look alike in several scripts are noted`() {
        #expect(Check.mixedScripts("p\u{430}ypal") == ["Latin", "Cyrillic"])
        #expect(Check.mixedScripts("\u{391}BC") == ["Greek", "Latin"])
        #expect(Check.mixedScripts("a\u{ff42}") == ["Latin", "full-width"])
        for plain in ["paypal", "Zo\u{eb}", "\u{441}\u{442}\u{43e}\u{43b}", "A-\u{5e2d}", "\u{3b1}1"] {
            #expect(Check.mixedScripts(plain) == nil, "\(plain)")
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
