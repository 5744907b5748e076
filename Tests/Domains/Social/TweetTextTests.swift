import DomainTesting
import Foundation
import TestSupport
import Testing

@testable import SocialDomain

@Suite("A tweet's text")
struct TweetTextTests {
    private func tags(_ text: String) -> [String] { TweetText.hashtags(in: text).map(\.name) }
    private func names(_ text: String) -> [String] { TweetText.mentions(in: text).map(\.name) }

    @Test func `a hashtag is letters, digits and _ after a #, with one letter at least`() {
        #expect(tags("#hash and #two_words, #3x and #x3!") == ["hash", "two_words", "3x", "x3"])
        #expect(tags("#1 #2014 #_ # #") == [])
        #expect(tags("#日本語 ＃全角 #über #عربي #हिन्दी") == ["日本語", "全角", "über", "عربي", "हिन्दी"])
        #expect(tags("(#in) \"#quotes\" -#dash .#dot") == ["in", "quotes", "dash", "dot"])
    }
    @Test func `a # within a word, an entity or a link begins none`() {
        #expect(tags("a#b é#c 1#d &#39; &#nbsp") == [])
        #expect(tags("http://example.org/#frag and https://x.org/a#b but #c") == ["c"])
    }
    @Test func `a hashtag that runs into another, or into a link, is none`() {
        #expect(tags("#a#b #c") == ["c"])
        #expect(tags("##double") == ["double"])
        #expect(tags("#http://x.org") == [])
    }
    @Test func `a keycap is no hashtag`() {
        #expect(tags("#\u{fe0f}\u{20e3}a and #\u{20e3}") == [])
        #expect(tags("\u{2764}\u{fe0f}#love") == ["love"])
    }
    @Test func `a mention is an @ and up to twenty letters, digits and _`() {
        #expect(names("@ann, (@Bob_1) and ＠carl: hi @d!") == ["ann", "Bob_1", "carl", "d"])
        #expect(names("@twelve345678901234567") == [])
        #expect(names("@abcdefghij0123456789") == ["abcdefghij0123456789"])
    }
    @Test func `an address, a list and a name with an accent are no mentions`() {
        #expect(names("ann@example.org a@b @@c &@d !@e #@f $@g") == [])
        #expect(names("@ann/friends @année @ann@bob @http://x") == [])
        #expect(names("@ann/ and @bob/2") == ["ann", "bob"])
    }
    @Test func `RT before a name is an old way to pass a tweet on`() {
        #expect(names("RT@ann: x") == ["ann"])
        #expect(names("rt:@ann START@bob") == ["ann"])
    }
    @Test func `a name that touches the sign of a text cut short is a part of one`() {
        #expect(tags("RT @ann: #whole and #multipl…") == ["whole"])
        #expect(tags("#multipl… \n") == [] && tags("#multipl…more") == ["multipl"])
        #expect(tags("#whole …") == ["whole"] && tags("#whole...") == ["whole"])
        #expect(names("hello @bo…") == [] && names("hello @bo…?") == ["bo"] && names("hello @bo …") == ["bo"])
    }
    @Test func `a # or @ within a link without a scheme begins no name`() {
        #expect(tags("example.com/#frag and x.org/a#b but #c") == ["c"])
        #expect(tags("file.txt/#c") == ["c"])
        #expect(names("example.com/@ann and @bob") == ["bob"])
        #expect(names("https://medium.com/@ann/x but nothing.nowhere/@carl") == ["carl"])
    }
    @Test func `spans count code points`() {
        #expect(TweetText.hashtags(in: "\u{1f600} #a") == [.init(name: "a", range: 2..<4)])
        #expect(TweetText.mentions(in: "é\u{301} @a_") == [.init(name: "a_", range: 3..<6)])
    }

    @Test(arguments: [
        ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("\u{1f600}", 2),
        ("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", 2), ("\u{1f1e9}\u{1f1ea}", 2), ("…–", 3), ("1", 1),
        ("see https://example.org/a/very/long/path/that/goes/on?and=on.", 4 + 23 + 1), ("http:// x", 9),
        ("example.com", 23), ("example.nothing", 15), ("a.b.co.uk/x?y=z, yes", 23 + 5), ("mail@example.com", 16),
        ("http://a_b.com", 14), ("http://a_b.c.com", 23), ("#http://test.com", 16), ("$t.co/abc", 9),
        ("http://x.com/a_(b_(c))_d)", 23 + 1), ("http://x.com/a(b", 23 + 2), ("http://x.comだ", 23 + 2),
        ("http://x.com/\u{202c}", 23 + 2), ("-http://x.com", 1 + 23), ("a-b.com", 23), ("_a.com", 6),
        ("1\u{20e3}", 2), ("1\u{fe0f}\u{20e3}2\u{20e3}", 4), ("#\u{fe0f}\u{20e3}", 2), ("1\u{fe0f}", 3),
        ("\u{a9}", 1), ("\u{a9}\u{fe0f}", 2), ("\u{2764}", 2), ("\u{2764}\u{fe0f}", 2), ("\u{2764}\u{fe0e}", 4),
        ("\u{1f44d}\u{1f3fd}", 2), ("\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}", 2),
        ("\u{1f1e9}", 2), ("\u{1f468}\u{200d}x", 2 + 1 + 1),
    ])
    func `length is counted as Twitter counts`(text: String, length: Int) {
        #expect(TweetText.length(of: text) == length)
    }

    @Test func `a label of a host has 63 characters at most, as DNS has them`() {
        // Each of these letters is one that no other is near: the encoding has four digits for the first.
        #expect(Punycode.length("bücher".unicodeScalars.map(\.value)) == "bcher-kva".count)
        #expect(Punycode.length("他们为什么不说中文".unicodeScalars.map(\.value)) == "ihqwcrb4cv8a8dqg056pqjye".count)
        #expect(
            Punycode.length("Pročprostěnemluvíčesky".unicodeScalars.map(\.value))
                == "Proprostnemluvesky-uyb24dma41a".count)
        let label = String(repeating: "a", count: 63)
        #expect(TweetText.length(of: "\(label).com") == 23 && TweetText.length(of: "\(label)a.com") == 68)
    }
    @Test func `a text of 16,000 bytes without an end of a word is read in good time`() {
        for piece in [
            "a-", "a_a.", "a.", "(a", "#a…", "é.com", "@a.", "http://", "http://é", ".", "a_", "😀.", "a_a.com.x_",
        ] {
            let text = String(String(repeating: piece, count: 16_000 / piece.utf8.count))
            let took = ContinuousClock().measure {
                _ = (TweetText.length(of: text), TweetText.hashtags(in: text), TweetText.mentions(in: text))
            }
            #expect(took < .seconds(60), "\(piece)")
        }
    }

    @Test(.enabled(if: Tweets.areHere, Tweets.absent))
    func `names found agree with those that Twitter marked in 2014`() throws {
        let originals = try Tweets.year2014().filter { !$0.isRetweet }
        #expect(originals.count == 31_104)
        // Twitter marks a name only where there is such an account, which the text does not tell: names that no tweet
        // of the whole set marks are not counted as found.
        let accounts = Set(try Tweets.year2014().flatMap(\.mentions).map { $0.name.lowercased() })
        var (tags, mentions, known, both) = (0, 0, 0, 0)
        for tweet in originals {
            let found = TweetText.mentions(in: tweet.text)
            let sameTags = same(TweetText.hashtags(in: tweet.text), tweet.hashtags)
            let sameKnown = same(found.filter { accounts.contains($0.name.lowercased()) }, tweet.mentions)
            tags += sameTags ? 1 : 0
            mentions += same(found, tweet.mentions) ? 1 : 0
            known += sameKnown ? 1 : 0
            both += sameTags && sameKnown ? 1 : 0
        }
        #expect(tags == 31_104)
        #expect(mentions >= 31_060, "all names: \(mentions)")
        #expect(Double(both) >= 0.999 * 31_104, "names of accounts: \(known), with hashtags: \(both)")
    }

    private func same(_ a: [TweetText.Span], _ b: [TweetText.Span]) -> Bool {
        func plain(_ spans: [TweetText.Span]) -> [TweetText.Span] {
            spans.map { .init(name: $0.name.lowercased(), range: $0.range) }.sorted {
                $0.range.lowerBound < $1.range.lowerBound
            }
        }
        return plain(a) == plain(b)
    }
}

/// Real tweets, where the folder of data sets is beside the project.
enum Tweets {
    struct Tweet {
        var isRetweet: Bool
        var text: String
        var hashtags: [TweetText.Span]
        var mentions: [TweetText.Span]
    }
    static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("shared/data/tweets/stocknet_tweets_2014.ndjson.gz").path
    static let areHere = FileManager.default.fileExists(atPath: file)
    static let absent: Comment = "the folder of data sets is not beside the project"

    static func year2014() throws -> [Tweet] {
        try unpacked(file).split(separator: 0x0a).map { line in
            let object = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
            return Tweet(
                isRetweet: object["rt"] != nil, text: object["text"] as? String ?? "",
                hashtags: spans(object["h"], 1), mentions: spans(object["m"], 2))
        }
    }

    /// `[[name, ..., [from, to]]]`.
    private static func spans(_ list: Any?, _ range: Int) -> [TweetText.Span] {
        (list as? [[Any]] ?? []).compactMap { item in
            guard let name = item[0] as? String, let ends = item[range] as? [Int] else { return nil }
            return .init(name: name, range: ends[0]..<ends[1])
        }
    }
}
