import DomainTesting
import EventModel
import Foundation
import Projecting
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("A ranked home timeline")
struct RankHomeTests {
    /// What a ranked timeline must be, straight from the events.
    private struct Oracle {
        var merged = PullAndMerge()
        var texts: [String: (at: Timestamp, owner: String, text: String, original: String?)] = [:]
        var following: [String: Set<String>] = [:]
        var likes: [String: [(name: String, at: Timestamp)]] = [:]
        var deleted: Set<String> = []
        /// Where each lives, what interests them, and what they say of themselves, in words of one each; nil once they have left.
        var people: [String: (place: String, interests: Set<String>, about: Set<String>)?] = [:]

        /// What the place and interests of two are worth.
        func known(_ reader: String, _ author: String) -> [Double] {
            guard reader != author, let one = people[reader] ?? nil, let other = people[author] ?? nil else {
                return [0, 0]
            }
            let common = one.interests.union(other.interests).filter { interest in
                one.interests.contains(interest) && other.interests.union(other.about).contains(interest)
                    || other.interests.contains(interest) && one.about.contains(interest)
            }
            return [!one.place.isEmpty && one.place == other.place ? 1.5 : 0, log(1 + Double(common.count))]
        }
        func hasLeft(_ user: String) -> Bool { people[user].map { $0 == nil } ?? false }

        mutating func tell(_ event: SocialEvent.Kind, at time: Timestamp) {
            merged.tell(event, at: time)
            switch event {
            case .tweetPosted(let e): texts["\(e.user)/\(e.tweet)"] = (time, e.user, e.text, nil)
            case .retweeted(let e): texts["\(e.user)/\(e.tweet)"] = (time, e.user, e.text, "\(e.owner)/\(e.original)")
            case .tweetDeleted(let e): deleted.insert("\(e.user)/\(e.tweet)")
            case .userFollowed(let e): following[e.user, default: []].insert(e.followee)
            case .userUnfollowed(let e): following[e.user]?.remove(e.followee)
            case .tweetLiked(let e): likes[e.user, default: []].append(("\(e.owner)/\(e.tweet)", time))
            case .tweetUnliked(let e): likes[e.user]?.removeAll { $0.name == "\(e.owner)/\(e.tweet)" }
            default: break
            }
        }

        /// The original of what was passed on by however many; nil where it is not there.
        func root(_ name: String) -> String {
            var (name, hops) = (name, 0)
            while let original = texts[name]?.original, texts[original] != nil, hops < 16 {
                (name, hops) = (original, hops + 1)
            }
            return name
        }
        /// What a row shows: the original, or, where that is not there, what the retweet names.
        func shown(_ name: String) -> (name: String, owner: String, text: String) {
            let root = root(name)
            if let tweet = texts[root], tweet.original == nil { return (root, tweet.owner, tweet.text) }
            let named = texts[name]?.original ?? name
            return (named, String(named.prefix { $0 != "/" }), "")
        }
        func tags(_ text: String) -> Set<String> { Set(Social.names(TweetText.hashtags(in: text))) }

        /// Each tweet with its parts, best first.
        func ranked(_ reader: String, at moment: Timestamp) -> [(name: String, parts: [Double])] {
            let newest = merged.timeline(of: reader).filter { texts[$0]!.at <= moment }.prefix(RankLimits.tweets)
            // What the reader is interested in.
            var uses: [String] = []
            for (name, tweet) in texts where tweet.owner == reader && tweet.at <= moment && !deleted.contains(name) {
                uses += tags(tweet.text)
            }
            for like in likes[reader] ?? [] where like.at <= moment {
                let root = root(like.name)
                guard let tweet = texts[root], tweet.original == nil, !deleted.contains(root),
                    !deleted.contains(like.name)
                else { continue }
                uses += tags(tweet.text)
            }
            uses += (people[reader] ?? nil)?.interests.sorted() ?? []
            return newest.map { name -> (name: String, parts: [Double]) in
                let tweet = shown(name)
                let root = tweet.name
                let shares = tags(tweet.text).sorted().map { tag in
                    Double(uses.count { $0 == tag }) / Double(max(1, uses.count))
                }
                let author = tweet.owner
                let mine = following[reader] ?? []
                let common = author == reader ? 0 : mine.intersection(following[author] ?? []).count
                let followers = following.values.count { $0.contains(author) }
                let liked = likes.values.flatMap { $0 }.count { $0.name == root }
                let passed = texts.count { $0.value.original == root && !deleted.contains($0.key) }
                let hours = Double(moment.rawValue - texts[name]!.at.rawValue) / 3_600_000
                let isThere = !hasLeft(author)
                return (
                    name,
                    [
                        10 * pow(2, -hours / 6), 4 * shares.reduce(0, +), isThere ? log(1 + Double(common)) : 0,
                        isThere && mine.contains(author) ? 0.5 * log10(1 + Double(followers)) : 0,
                        log(1 + Double(liked)),
                        1.5 * log(1 + Double(passed)),
                    ] + known(reader, author)
                )
            }
            .enumerated()
            .sorted { a, b in
                let (x, y) = (a.element.parts.reduce(0, +), b.element.parts.reduce(0, +))
                return abs(x - y) > 1e-9 ? x > y : a.offset < b.offset
            }
            .map(\.element)
        }
    }

    private func history(_ seed: UInt64) throws -> (SocialFeed, Oracle) {
        var (random, feed, oracle) = (SeededRandom(seed), SocialFeed(limit: seed % 2 == 0 ? 3 : 100), Oracle())
        let tags = ["#tea", "#rain", "#news", "#Über", ""]
        for i in 0..<260 {
            func user() -> String { "u\(Int.random(in: 0..<7, using: &random))" }
            let (user, other, old) = (user(), user(), "t\(Int.random(in: 0...max(0, i - 1), using: &random))")
            let ask: Ask =
                switch Int.random(in: 0..<24, using: &random) {
                case 0..<8: .post("t\(i)", by: user, "it is \(tags.randomElement(using: &random)!) @\(other) \(i)")
                case 8..<9: .delete(old, by: user)
                case 9..<12: .pass(on: old, of: other, as: "t\(i)", by: user)
                case 12..<16: .like(old, of: other, by: user)
                case 16: .unlike(old, of: other, by: user)
                case 17..<21: .follow(other, by: user)
                case 21: .unfollow(other, by: user)
                case 22: Bool.random(using: &random) ? .block(other, by: user) : .unblock(other, by: user)
                default: Bool.random(using: &random) ? .mute(other, by: user) : .unmute(other, by: user)
                }
            _ = try? feed.tell(ask, id: "c\(i)", at: after(Int64(i) * 301))
            if i % 9 == 0 { tell(of: user, &feed, &oracle, &random) }
            if i % 20 == 0 { _ = try feed.react(&random, atMost: 20) }
        }
        try feed.settle(&random)
        for (_, record) in feed.records("social.events") {
            if let event = try SocialEvent.kind(in: record.value) { oracle.tell(event, at: record.timestamp) }
        }
        return (feed, oracle)
    }

    /// Somebody says something of themselves, or leaves.
    private func tell(of user: String, _ feed: inout SocialFeed, _ oracle: inout Oracle, _ random: inout SeededRandom) {
        if oracle.hasLeft(user) { return }
        if Int.random(in: 0..<12, using: &random) == 0 {
            feed.leave(user)
            oracle.people[user] = .some(nil)
            return
        }
        func words() -> Set<String> {
            Set(["tea", "rain", "news", "milk"].filter { _ in Bool.random(using: &random) })
        }
        let (interests, about, place) = (words(), words(), ["", "oslo", "rome"].randomElement(using: &random)!)
        feed.profile(
            user, location: place == "oslo" ? "Oslo, Norway" : place, interests.sorted(),
            about: about.sorted().joined(separator: ", "))
        oracle.people[user] = (place, interests, about)
    }

    private func rows(_ feed: SocialFeed, _ user: String, at moment: Timestamp, limit: Int) throws -> [Row] {
        var (rows, cursor): ([Row], Row?) = ([], nil)
        repeat {
            let page = try feed.ask(
                "social.home", ["user": .text(user), "at": Value(moment)], limit: limit, from: cursor)
            rows += page.rows
            cursor = page.next
        } while cursor != nil
        return rows
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `equals what its parts are by hand, whatever happened`(seed: UInt64) throws {
        let (feed, oracle) = try history(seed)
        var shown = 0
        for user in (0..<7).map({ "u\($0)" }) {
            for moment in [after(260 * 301), after(130 * 301 + 7)] {
                let expected = oracle.ranked(user, at: moment)
                let rows = try rows(feed, user, at: moment, limit: 9)
                let names = rows.map { "\($0[1].text ?? "")/\($0[2].text ?? "")" }
                #expect(names == expected.map(\.name), "\(user), seed \(seed)")
                for (row, right) in zip(rows, expected) {
                    let parts = row.suffix(8).map { $0.real ?? -1 }
                    #expect(zip(parts, right.parts).allSatisfy { abs($0 - $1) < 1e-9 }, "\(right.name), seed \(seed)")
                    #expect(row[row.count - 9].real == parts.reduce(0, +), "\(right.name), seed \(seed)")
                }
                shown += rows.count
                #expect(try self.rows(feed, user, at: moment, limit: 100) == rows, "\(user), seed \(seed)")
            }
        }
        #expect(shown > 100, "seed \(seed)")
        #expect(try feed.violations() == [], "seed \(seed)")
    }
    @Test func `is of the newest hundred, and its cursor keeps the moment`() throws {
        var (feed, random) = (SocialFeed(limit: 100), SeededRandom(1))
        for i in 0..<(RankLimits.tweets + 20) { feed.tell(.post("t\(i)")) }
        try feed.settle(&random)
        let all = try rows(feed, "ann", at: after(10_000), limit: 30)
        #expect(all.count == RankLimits.tweets && all[0][2] == "t119" && all[99][2] == "t20")
        let first = try feed.ask("social.home", ["user": "ann", "at": Value(after(10_000))], limit: 30)
        // Another moment is not heard where the page goes on.
        let second = try feed.ask(
            "social.home", ["user": "ann", "at": Value(after(99_999))], limit: 30, from: first.next)
        #expect(first.rows + second.rows == Array(all.prefix(60)))
        for bad in [[], [1], [.real(1), 1, "a", "b", "c"], ["x", 1, "a", "b", 1]] as [Row] {
            #expect(throws: Malformed("cursor", "is not one of a ranked timeline")) {
                try feed.ask("social.home", ["user": "ann"], from: bad)
            }
        }
    }
    @Test func `halves what a tweet's newness is worth every six hours`() {
        func score(_ hours: Int64) -> Double {
            HomeScore(
                .init(age: hours * 3_600_000, interest: 0, friends: 0, followers: 0, likes: 0, retweets: 0)
            ).sum
        }
        #expect(score(0) == 10 && score(6) == 5 && score(12) == 2.5 && score(-1) == 10)
    }
}
