import EventModel
import Foundation
import Testing

@testable import SocialDomain

@Suite("The words of a text")
struct SearchTextTests {
    private func terms(_ text: String) -> [String] { SearchText.tokens(of: text).map(\.term) }
    private func places(_ text: String) -> [Int] { SearchText.tokens(of: text).map(\.place) }

    @Test func `are runs of letters and digits, in lower case`() {
        #expect(terms("Hello, WORLD: 42nd st. (a-b)") == ["hello", "world", "42nd", "st", "a", "b"])
        #expect(terms("$AAPL up 3.5%") == ["aapl", "up", "3", "5"])
        #expect(terms(" \n!? — 😀") == [])
    }
    @Test func `are without diacritics, however they are composed`() {
        #expect(terms("Über café cafe\u{301} ÅNGSTRÖM naïve") == ["uber", "cafe", "cafe", "angstrom", "naive"])
        #expect(terms("Łódź Straße Ærø Øre ısı İstanbul") == ["lodz", "strasse", "aero", "ore", "isi", "istanbul"])
        #expect(terms("Ἀθήνα ΣΟΦΟΣ σοφος Ёлка") == ["αθηνα", "σοφοσ", "σοφοσ", "елка"])
        #expect(terms("ＦＵＬＬ ｗｉｄｔｈ１２") == ["full", "width12"])
        // Vowel points go, vowel signs stay.
        #expect(terms("كِتَاب हिन्दी") == ["كتاب", "हिन्दी"])
    }
    @Test func `have no apostrophes`() {
        #expect(terms("don't Don’t o'neil' 'quoted' rock'n'roll") == ["dont", "dont", "oneil", "quoted", "rocknroll"])
    }
    @Test func `of scripts without spaces are pairs of neighbours`() {
        #expect(terms("東京都 と 大阪") == ["東京", "京都", "と", "大阪"])
        #expect(places("東京都 と 大阪") == [0, 1, 2, 3])
        #expect(terms("iPhoneを買う") == ["iphone", "を買", "買う"])
        #expect(terms("ガ行") == ["ガ行"] && terms("カ\u{3099}行") == ["ガ行"])
        #expect(terms("한국어") == ["한국", "국어"] && terms("한국어".decomposed) == ["한국", "국어"])
    }
    @Test func `of a hashtag stand beside it, a mention is itself alone`() {
        #expect(
            SearchText.tokens(of: "see #Two_Words @Ann now") == [
                .init(term: "see", place: 0), .init(term: "#two_words", place: 1), .init(term: "two", place: 1),
                .init(term: "words", place: 2), .init(term: "@ann", place: 3), .init(term: "now", place: 4),
            ])
        #expect(terms("a#b ann@example.org #1") == ["a", "b", "ann", "example", "org", "1"])
        #expect(terms("#Ünï") == ["#uni", "uni"])
    }
    @Test func `of links are none`() {
        #expect(terms("read https://example.org/a-b?c=#d now, or x.org/y") == ["read", "now", "or"])
        #expect(terms("http://t.co/abc") == [])
    }
    @Test func `are told apart by their beginning`() {
        let long = String(repeating: "a", count: SearchLimits.word)
        #expect(terms(long + "b") == [long] && terms(long) == [long])
    }
    @Test func `of a long text are found in good time`() {
        for piece in ["a ", "日本", "#a ", "@a ", "a'", "é", "\u{301}", "x.org "] {
            let text = String(repeating: piece, count: 16_000 / piece.utf8.count)
            #expect(ContinuousClock().measure { _ = terms(text) } < .seconds(60), "\(piece)")
        }
    }
}

extension String {
    /// With every letter taken apart.
    fileprivate var decomposed: String { decomposedStringWithCanonicalMapping }
}

@Suite("What is looked for")
struct SearchQueryTests {
    private func terms(_ text: String) throws -> [[String]] {
        let query = try SearchQuery(text)
        return [query.wanted, query.unwanted].map { $0.map { $0.tokens.map(\.term).joined(separator: " ") } }
    }
    private func refusal(_ text: String) -> String? {
        do { _ = try SearchQuery(text) } catch { return error.message }
        return nil
    }

    @Test func `has words, phrases, tags, mentions and authors, and what is left out`() throws {
        #expect(
            try terms("Tea \"Green Tea\" #Tea @Ann from:Bob -milk -\"no sugar\" -#x -@cy -from:@dan") == [
                ["tea", "green tea", "#tea", "@ann", "from:bob"],
                ["milk", "no sugar", "#x", "@cy", "from:dan"],
            ])
        #expect(try terms("tea tea TEA -- !!") == [["tea"], []])
        #expect(try terms("“green tea”") == [["green tea"], []])
        #expect(try terms("3.5 e-mail") == [["3 5", "e mail"], []])
        #expect(try terms("a\"b c\"") == [["a", "b c"], []])
    }
    @Test func `may be of a time`() throws {
        let query = try SearchQuery("a since:2014-01-02 until:2014-02-01T10:00:00+01:00")
        #expect(query.since?.rfc3339 == "2014-01-02T00:00:00Z" && query.until?.rfc3339 == "2014-02-01T09:00:00Z")
        let (start, end) = (try #require(query.since), try #require(query.until))
        #expect(query.covers(start) && !query.covers(Timestamp(start.rawValue - 1)) && !query.covers(end))
        let narrow = try SearchQuery("a since:2014-01-02 since:2014-01-03 until:2015-01-01 until:2014-12-31")
        #expect(narrow.since?.rfc3339 == "2014-01-03T00:00:00Z" && narrow.until?.rfc3339 == "2014-12-31T00:00:00Z")
    }
    @Test func `is refused where it is nothing, or too much`() {
        for nothing in ["", "  ", "!!", "-a", "since:2014-01-01", "\"\"", "https://example.org"] {
            #expect(
                refusal(nothing)
                    == "q: has nothing to look for; write a word, a \"phrase\", #tag, @mention or from:user",
                "\(nothing)")
        }
        #expect(refusal("\"a b") == "q: has a phrase without its second quote")
        #expect(
            refusal("a since:yesterday")
                == "q: has since:yesterday, which is no day (2014-01-31) or moment of RFC 3339")
        #expect(refusal("a until:2014-02-30")?.contains("no day") == true)
        #expect(refusal("a -since:2014-01-01") == "q: has -since:, which means nothing; leave the - out")
        #expect(refusal("from:a.b")?.hasPrefix("from: ") == true)
        #expect(refusal(String(repeating: "a", count: 513)) == "q: has 513 bytes, at most 512 are allowed")
        #expect(
            refusal((0..<17).map { "w\($0)" }.joined(separator: " ")) == "q: has 17 parts, at most 16 are allowed")
    }
    @Test func `has topics that can trend`() throws {
        #expect(
            try SearchQuery("#Tea $AAPL \"White House\" @ann from:bob -milk 2014 tea").topics
                == ["tea", "aapl", "white house"])
    }
}
