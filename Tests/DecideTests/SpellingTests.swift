import EventModel
import Testing

@Suite("The spelling of a name")
struct NameSpellingTests {
    @Test func `of JSON, SQL and options is of one name`() {
        for name in ["expiresAt", "expires_at", "expires-at"] { #expect(Spelling.option(name) == "expires-at") }
        #expect(Spelling.same("rowLabel", "row_label") && Spelling.same("row-label", "rowLabel"))
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededRandom(seed)
        for _ in 0..<20_000 {
            let names = (0..<2).map { _ in
                String((0..<random.number(0...4)).map { _ in random.one(of: Array("abAB_-é")) })
            }
            #expect(
                Spelling.same(names[0], names[1]) == (Spelling.option(names[0]) == Spelling.option(names[1])),
                "\(names), seed \(seed)")
        }
        #expect(!Spelling.same("rowlabel", "row_label") && !Spelling.same("row", "rows"))
    }

    @Test func `of an allowed value may differ in case`() {
        let status = Parameter("status", .text, oneOf: ["free", "held"], "so")
        #expect(status.value(allowedAs: "FREE") == "free" && status.value(allowedAs: "held") == "held")
        #expect(status.value(allowedAs: "fre") == nil && status.value(allowedAs: "") == nil)
        #expect(Parameter("name", .text, "any").value(allowedAs: "Any") == "Any")
        #expect(Nearest.notOne("fre", of: ["free", "held"]) == "fre is not one of free, held; did you mean free?")
        #expect(Nearest.notOne("zzz", of: ["free", "held"]) == "zzz is not one of free, held")
    }
}
