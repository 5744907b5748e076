import Testing

@testable import JSONText

@Suite("JSON as it is written")
struct JSONValueTests {
    private func read(_ text: String) -> JSONValue? { JSONValue(ArraySlice(text.utf8)) }

    @Test func `keeps numbers as text, and members in order`() {
        #expect(
            read(#" {"b":[1e3,-0.50,9007199254740993],"a":{"t":true,"f":false,"n":null},"e":[],"o":{}} "#)
                == .object([
                    .init(name: "b", value: .list([.number("1e3"), .number("-0.50"), .number("9007199254740993")])),
                    .init(
                        name: "a",
                        value: .object([
                            .init(name: "t", value: .bool(true)), .init(name: "f", value: .bool(false)),
                            .init(name: "n", value: .null),
                        ])), .init(name: "e", value: .list([])), .init(name: "o", value: .object([])),
                ]))
    }
    @Test func `has any text, escaped or not`() {
        #expect(read(#""a\"\\\/\b\f\n\r\t\u00e9é""#) == .text("a\"\\/\u{8}\u{c}\n\r\té\u{e9}"))
        #expect(read(#""\ud840\udc21\uDBFF\uDFFF\u0000""#) == .text("\u{20021}\u{10ffff}\u{0}"))
    }
    @Test func `is asked by paths, through the first of a list`() {
        let value = read(#"{"a":{"b":["x","y"]},"c":1,"c":2,"d":[{"e":5}]}"#)
        #expect(value?[["a", "b"]]?.plain == "x" && value?["c"]?.plain == "2" && value?[["d", "e"]]?.plain == "5")
        #expect(value?[["c", "b"]] == nil && value?["a"]?.plain == nil)
    }
    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":1,}", "{\"a\"}", "{a:1}", "01", "-", "+1", "0x10", "nan", "1 2", "\"a", "\"\\x41\"",
        "\"\\ud840\"", "\"\\ud840\\u0041\"", "\"\\udc21\"", "\"\u{1}\"", "'a'", "[1}", "tru",
    ])
    func `is nothing else`(text: String) {
        #expect(read(text) == nil)
    }
    @Test func `is not read deeper than its limit`() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(read(nested(JSONValue.deepest)) != nil && read(nested(100_000)) == nil)
        #expect(JSONValue([0x22, 0xff, 0x22]) == nil)
    }
}
