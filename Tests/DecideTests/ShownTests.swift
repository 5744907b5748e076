import EventModel
import Testing

@Suite("What is shown to people")
struct ShownTests {
    @Test(arguments: [
        ("plain", "plain"), ("Zo\u{eb} \u{5e2d}", "Zo\u{eb} \u{5e2d}"), ("a\u{202e}b", #"a\u{202e}b"#),
        ("\u{1b}[31mred", #"\u{1b}[31mred"#), ("a\u{9b}31m", #"a\u{9b}31m"#), ("a\u{200b}b", #"a\u{200b}b"#),
        ("\u{feff}", #"\u{feff}"#), ("a\u{fe0f}", #"a\u{fe0f}"#), ("\u{e0041}", #"\u{e0041}"#),
        ("\u{3164}", #"\u{3164}"#),
        ("a\u{200d}b", #"a\u{200d}b"#), ("a\nb\tc", #"a\u{a}b\u{9}c"#), ("\u{2028}", #"\u{2028}"#),
        ("\u{ffff}", #"\u{ffff}"#),
        ("\u{6dd}1", "\u{6dd}1"),
    ])
    func `what shows nothing, or turns or moves what stands around it, is an escape`(text: String, shown: String) {
        #expect(Shown.text(text) == shown)
    }

    @Test(arguments: [
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", "\u{2764}\u{fe0f}", "1\u{fe0f}\u{20e3}",
        "\u{1f468}\u{200d}\u{2764}\u{fe0f}\u{200d}\u{1f468}",
    ])
    func `what makes one emoji of several stays`(emoji: String) {
        #expect(Shown.text("a \(emoji) b").unicodeScalars.elementsEqual("a \(emoji) b".unicodeScalars))
    }

    @Test func `a message of several lines keeps them`() {
        #expect(Shown.text("a\n\tb\u{1b}", breaking: true) == "a\n\tb\\u{1b}")
    }

    @Test func `escapes of JSON are read as a whole parser reads them`() {
        #expect(
            JSONEscapes.text(Array(#"a\"\\\/\b\f\n\r\t\u00e9\ud840\udc21"#.utf8)[...])
                == "a\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{20021}")
        for bad in [#"\"#, #"\x"#, #"\u12"#, #"\ud840"#, #"\udc21\ud840"#, #"\u00g0"#] {
            #expect(JSONEscapes.text(Array(bad.utf8)[...]) == nil, "\(bad)")
        }
    }

    @Test func `a member is found that an object of JSON has twice, wherever it is`() {
        func repeated(_ json: String) -> String? { JSONMembers.repeated(in: Array(json.utf8)[...]) }
        for once in [
            "", "1", "[]", "{}", #"{"a":1,"b":{"a":1,"b":[{"a":1},{"a":1}]}}"#, #"{"a":"\"a\":1,\"a\":2"}"#,
            #"[{"a":1},{"a":1}]"#, #"{"a":{"x_y":1,"xY":2}}"#, #"{"a":"b","b":"a"}"#, #"{"a":["a","a"],"b":["a"]}"#,
        ] {
            #expect(repeated(once) == nil, "\(once)")
        }
        for (twice, path) in [
            (#"{"a":1,"a":1}"#, "a"), (#"{"a":{"b":[],"b":1}}"#, "a.b"),
            (#"[0,{"a":[1,[{"c":1,"c":1}]]}]"#, "[1].a[1][0].c"),
            (#"{"a":1,"\u0061":2}"#, "a"), (#"{"row_label":1,"rowLabel":2}"#, "rowLabel"), (#"{"":1,"":2}"#, ""),
        ] {
            #expect(repeated(twice) == path, "\(twice)")
        }
        let many = (0..<5000).map { "\"n\($0)\":0" }
        #expect(repeated("{" + many.joined(separator: ",") + "}") == nil)
        #expect(repeated("{" + (many + ["\"n7\":1"]).joined(separator: ",") + "}") == "n7")
        // Deeper than any parser reads, it is the parser's to refuse.
        #expect(repeated(String(repeating: "[", count: 2_000_000)) == nil)
    }

    @Test func `JSON without pairs of escapes is not copied`() throws {
        let json: Bytes = #"{"a":"\n\u00e9\\ud840"}"#
        #expect(try JSONEscapes.decodingPairs(json) == json)
    }
}
