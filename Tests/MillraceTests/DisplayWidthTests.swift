import Testing

@testable import MillraceApp

@Suite("The width of a text on a terminal")
struct DisplayWidthTests {
    @Test(arguments: [
        ("", 0), ("seat", 4), ("Müller", 6), ("Mu\u{308}ller", 6), ("家族", 4), ("ｶﾅ", 2), ("ＡＢ", 4), ("한국", 4),
        ("\u{1112}\u{1161}\u{11ab}", 2), ("👍", 2), ("👍🏽", 2), ("👨‍👩‍👧", 2), ("🇩🇪", 2), ("🇩🇪🇫🇷", 4), ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", 2),
        ("1️⃣", 2), ("❤️", 2), ("❤", 1), ("☺", 1), ("☺️", 2), ("⌚", 2), ("e\u{301}\u{323}", 1), ("a\u{200b}b", 2),
        ("\u{feff}a", 1), ("שלום", 4), ("مرحبا", 5), ("…", 1), ("↵", 1), ("𠀀", 2), ("「", 2), ("ä家👍", 5),
    ])
    func `is that of its characters`(_ text: String, _ width: Int) {
        #expect(DisplayWidth.of(text) == width, "\(text.unicodeScalars.map { String($0.value, radix: 16) })")
    }

    @Test(arguments: [
        ("seat", 4, "seat"), ("seats", 4, "sea…"), ("家族です", 5, "家族…"), ("家族です", 6, "家族…"),
        ("👨‍👩‍👧👨‍👩‍👧", 3, "👨‍👩‍👧…"), ("Mu\u{308}ller", 3, "Mu\u{308}…"), ("x", 0, ""), ("xy", 1, "…"),
    ])
    func `is kept by a beginning, and no character is torn`(_ text: String, _ width: Int, _ shown: String) {
        #expect(DisplayWidth.prefix(text, width) == shown)
        #expect(DisplayWidth.of(DisplayWidth.prefix(text, width)) <= width)
    }

    @Test func `is kept by lines that are cut at spaces`() {
        #expect(DisplayWidth.wrapped("one two three", 7) == ["one two", "three"])
        #expect(DisplayWidth.wrapped("家族 です", 5) == ["家族", "です"])
        #expect(DisplayWidth.wrapped("", 5) == [""])
        #expect(DisplayWidth.wrapped("wordwithoutspaces x", 5) == ["wordw", "ithou", "tspac", "es x"])
    }
}
