import EventModel
import Projecting
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("Pages of what is ranked")
struct RankedPageTests {
    private static let asked: [(query: String, values: [String: Value])] = [
        ("social.flagged", [:]), ("social.trends", [:]), ("social.suggestions", ["user": "ann"]),
        ("social.moments", ["moment": "business"]),
    ]

    /// Who has some of all that is ranked.
    private func feed() throws -> SocialFeed {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        for (one, other) in [
            ("ann", "bob"), ("ann", "carl"), ("bob", "dan"), ("carl", "dan"), ("bob", "eve"), ("carl", "fay"),
        ] {
            feed.tell(.follow(.with { ($0.user, $0.followee) = (one, other) }))
        }
        for number in 0..<5 {
            let news = "Stocks fall as Fed raises interest rates, bank shares drop \(number)"
            feed.tell(.postTweet(.with { ($0.user, $0.tweet, $0.text) = ("u\(number)", "n", news) }))
            feed.tell(.postTweet(.with { ($0.user, $0.tweet, $0.text) = ("u\(number)", "t", "qwertz #tag\(number)") }))
            feed.look(at: "bot\(number)", true)
        }
        feed.tell(.confirmFake(.with { ($0.account, $0.reviewer) = ("u0", "kim") }))
        try feed.settle(&random)
        return feed
    }

    @Test func `of any size have all rows once, in their order`() throws {
        let feed = try feed()
        for (query, values) in Self.asked {
            let whole = try feed.ask(query, values)
            #expect(whole.rows.count > 2 && whole.next == nil, "\(query): \(whole.rows)")
            for limit in 1...whole.rows.count {
                var (rows, cursor): ([Row], Row?) = ([], nil)
                repeat {
                    let page = try feed.ask(query, values, limit: limit, from: cursor)
                    #expect(page.rows.count <= limit)
                    rows += page.rows
                    cursor = page.next
                } while cursor != nil && rows.count <= whole.rows.count
                #expect(rows == whole.rows, "\(query) by \(limit)")
            }
        }
    }

    @Test func `go on at the moment of the first`() throws {
        let feed = try feed()
        let first = try feed.ask("social.trends", [:], limit: 1)
        let cursor = try #require(first.next)
        #expect(cursor[0] == 1 && cursor[1].integer != nil)
        // Of a week ago there is nothing.
        let earlier = Timestamp((cursor[1].integer ?? 0) - 7 * 86_400_000)
        #expect(try feed.ask("social.trends", [:], limit: 1, from: [1, Value(earlier)]).rows.isEmpty)
        #expect(try !feed.ask("social.trends", [:], limit: 1, from: cursor).rows.isEmpty)
    }

    @Test func `take no cursor that is none of theirs, and none of more than are ranked`() throws {
        let feed = try feed()
        let deepest = Int64(RankedPage.deepest)
        for (query, values) in Self.asked {
            let none: [Row] = [
                [], [1], [0, .null], [-1, .null], ["a", .null], [1, "a"], [.integer(deepest + 1), .null],
            ]
            for cursor in none {
                #expect(throws: Malformed("cursor", "is not one of a ranked page"), "\(query) \(cursor)") {
                    try feed.ask(query, values, limit: 1, from: cursor)
                }
            }
            #expect(try feed.ask(query, values, from: [.integer(deepest), .null]).rows.isEmpty)
        }
    }
}
