import DomainTesting
import EventModel
import Projecting
import SwiftProtobuf
import Testing

@testable import SocialDomain

/// Counts what is read of a view.
private final class CountingReader: ViewReader {
    private let reader: any ViewReader
    private(set) var rows = 0
    private(set) var calls = 0

    init(_ reader: any ViewReader) { self.reader = reader }

    func rows(_ scan: Scan) throws -> [Row] { try count(reader.rows(scan)) }
    func rows(_ table: Table, keys: [Row]) throws -> [Row] { try count(reader.rows(table, keys: keys)) }
    func sums(_ columns: [Int], over scan: Scan) throws -> [Int64] { try reader.sums(columns, over: scan) }

    private func count(_ found: [Row]) -> [Row] {
        (rows, calls) = (rows + found.count, calls + 1)
        return found
    }
}

@Suite("Timelines of fifty users")
struct TimelineOracleTests {
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `equal a pull and merge with blocks, mutes, deletions, and reactions started anew`(seed: UInt64) throws {
        var (random, feed) = (SeededRandom(seed), SocialFeed(limit: 12))
        let users = (0..<50).map { "u\($0)" }
        for i in 0..<900 {
            let (user, other) = (users.randomElement(using: &random)!, users.randomElement(using: &random)!)
            let old = "t\(Int.random(in: 0...i, using: &random))"
            let author = users[Int(FNV1a(old).value % 50)]
            let poster = users[Int(FNV1a("t\(i)").value % 50)]
            let ask: Ask =
                switch Int.random(in: 0..<20, using: &random) {
                case 0..<7: .post("t\(i)", by: poster, "hello @\(other)")
                case 7: .delete(old, by: author)
                case 8..<10: .pass(on: old, of: author, as: "t\(i)", by: poster)
                case 10..<16: .follow(i % 3 == 0 ? "u0" : other, by: user)
                case 16: .unfollow(other, by: user)
                case 17: Bool.random(using: &random) ? .block(other, by: user) : .unblock(other, by: user)
                case 18: Bool.random(using: &random) ? .mute(other, by: user) : .unmute(other, by: user)
                default: .like(old, of: author, by: user)
                }
            feed.tell(ask)
            if i % 9 == 0 { _ = try feed.react(&random, atMost: 30) }
            if i % 150 == 149 { try feed.restart(partition: Int.random(in: 0..<SocialFeed.partitions, using: &random)) }
            if i % 200 == 0 { try feed.project(&random) }
        }
        try feed.settle(&random)
        var shown = 0
        for user in users {
            let expected = try feed.pullMerge(user)
            #expect(try feed.timeline(of: user, by: 7) == expected, "\(user), seed \(seed)")
            shown += expected.count
        }
        #expect(shown > 300, "seed \(seed)")
        #expect(try feed.violations() == [], "seed \(seed)")
    }

    @Test func `page one thousand reads what page one does`() throws {
        let size = 5
        var (feed, random) = (SocialFeed(limit: 3), SeededRandom(1))
        for author in ["bob", "cy", "dan"] { feed.tell(.follow(author)) }
        // One of them is fetched, the others are handed out.
        for reader in ["x", "y", "z"] { feed.tell(.follow("bob", by: reader)) }
        for i in 0..<(size * 1000 + 50) { feed.tell(.post("t\(i)", by: ["bob", "cy", "dan", "ann"][i % 4])) }
        while try feed.react(&random, atMost: 500) {}
        try feed.project(&random, all: true)
        let all = try feed.page("social.timeline", of: "ann", limit: size * 1000 + 50).rows
        #expect(all.count == size * 1000 + 50)
        func cost(from place: Row?) throws -> (rows: Int, calls: Int, shown: [Row]) {
            try feed.views.read(feed.timelines) { reader, _ in
                let counting = CountingReader(reader)
                var timeline = try ReadTimeline(homeOf: "ann", counting, from: place)
                let page = try timeline.page(limit: size)
                return (counting.rows, counting.calls, page.rows)
            }
        }
        let (first, last) = (try cost(from: nil), try cost(from: Array(all[size * 999 - 1][0...2])))
        #expect(last.shown == Array(all[size * 999..<size * 1000]))
        #expect(Double(last.rows) <= 1.2 * Double(first.rows), "\(first.rows) rows, then \(last.rows)")
        #expect(Double(last.calls) <= 1.2 * Double(first.calls), "\(first.calls) reads, then \(last.calls)")
    }

    @Test func `a like that comes ten times is one`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        feed.tell(.post("b1", by: "bob"))
        for i in 0..<10 { #expect(feed.tell(.like("b1", of: i % 2 == 0 ? "bob" : "BOB")) == (i == 0)) }
        try feed.settle(&random)
        #expect(try feed.ask("social.likes", ["owner": "bob", "tweet": "b1"]).rows.map { $0[0] } == ["ann"])
        #expect(try feed.page("social.user", of: "bob").rows.count == 1)
        #expect(try feed.ask("social.user", ["user": "bob", "counts": 1]).rows[0][11] == 1)
        #expect(try feed.violations() == [])
    }
}
