import DomainTesting
import EventModel
import Projecting
import Testing

@testable import SocialDomain

@Suite("Headlines among the trends")
struct NewsTrendsTests {
    @Test
    func `phrases are one to three words, across no sign, and neither begin nor end with a word of all headlines`() {
        #expect(
            NewsPhrases.phrases(of: "Apple\u{2019}s new iPhone: “Touch ID” is the future") == [
                "apple", "apple new iphone", "iphone", "touch", "touch id", "id", "future",
            ])
        #expect(
            NewsPhrases.phrases(of: "Über-Fahrer streiken #Berlin") == [
                "über-fahrer", "über-fahrer streiken", "über-fahrer streiken berlin", "streiken", "streiken berlin",
                "berlin",
            ])
        #expect(NewsPhrases.phrases(of: "Bank of England") == ["bank", "bank of england", "england"])
        // Numbers and letters alone tell nothing, signs alone are nothing.
        #expect(NewsPhrases.phrases(of: "2014 - 15 & A ... 's") == [])
        #expect(NewsPhrases.phrases(of: "May 2014 G 8") == ["2014 g", "2014 g 8", "g 8"])
        #expect(NewsPhrases.phrases(of: "tea tea tea") == ["tea", "tea tea", "tea tea tea"])
    }
    @Test func `of a headline the first words are looked at, and words that are no longer than any`() {
        let many = (0..<NewsPhrases.looked + 5).map { "w\($0)" }.joined(separator: " ")
        let found = NewsPhrases.phrases(of: many)
        #expect(found.contains("w\(NewsPhrases.looked - 1)") && !found.contains("w\(NewsPhrases.looked)"))
        #expect(found.count == 3 * NewsPhrases.looked - 3)
        let long = String(repeating: "x", count: SearchLimits.word)
        #expect(NewsPhrases.phrases(of: "tea \(long) milk").contains("tea \(long) milk"))
        #expect(NewsPhrases.phrases(of: "tea \(long)x milk") == ["tea", "milk"])
    }

    @Test func `a phrase counts beside hashtags and searches of its name, and alone from two headlines on`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        func shown() throws -> [[Value]] {
            try feed.settle(&random)
            return try feed.ask("social.trends", ["at": Value(after(30))]).rows.map { [$0[0], $0[2], $0[5], $0[7]] }
        }
        feed.publish("White House opens")
        #expect(try shown() == [])
        feed.tell(.post("t1", by: "ann", "#opens"))
        feed.search("\"White House\"", by: "ann")
        #expect(try shown() == [["opens", 1, 0, 1], ["white house", 0, 1, 1]])
        feed.publish("The White House closes")
        // What nobody looked for stands by the longest phrase: neither white nor house.
        #expect(try shown() == [["white house", 0, 1, 2], ["opens", 1, 0, 1]])
        feed.publish("A house burns")
        #expect(
            try shown()
                == [["white house", 0, 1, 2], ["house", 0, 0, 3], ["opens", 1, 0, 1]].sorted { a, b in
                    let (x, y) = (
                        a[1...3].reduce(0) { $0 + ($1.integer ?? 0) }, b[1...3].reduce(0) { $0 + ($1.integer ?? 0) }
                    )
                    return x != y ? x > y : (a[0].text ?? "") < (b[0].text ?? "")
                })
        // Who looks for it counts as fake: what headlines say stays.
        feed.look(at: "ann", true)
        #expect(try shown() == [["house", 0, 0, 3], ["white house", 0, 0, 2]])
        #expect(try feed.violations() == [])
    }
}
