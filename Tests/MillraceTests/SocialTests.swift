import Foundation
import TestSupport
import Testing

@Suite("Tweets and follows", .serialized, .timeLimit(.minutes(10)))
struct SocialTests {
    // MARK: Refusals

    @Test func `each refusal has its reason, message and exit code`() async throws {
        try await onBus { bus in
            _ = try await bus.work("social")
            try await bus.send("PostTweet", "--user", "ann", "--text", "hello", "--tweet", "t1")
            try await bus.send("PostTweet", "--user", "ann", "--text", "gone", "--tweet", "t2")
            try await bus.send("DeleteTweet", "--user", "ann", "--tweet", "t2")
            try await bus.send("Retweet", "--user", "ann", "--owner", "bob", "--original", "b1", "--tweet", "r1")
            let refusals: [([String], String, String)] = [
                (
                    ["PostTweet", "--user", "ann", "--text", String(repeating: "x", count: 281)], "over-length",
                    "the text has 281 characters by Twitter's count, at most 280 are allowed; shorten it"
                ),
                (
                    ["PostTweet", "--user", "ann", "--text", "other", "--tweet", "t1"], "tweet-exists",
                    "tweet t1 exists already, with another text; give this one another id"
                ),
                (
                    ["PostTweet", "--user", "ann", "--text", "gone", "--tweet", "t2"], "tweet-deleted",
                    "tweet t2 was deleted, and its id is not used again"
                ),
                (["DeleteTweet", "--user", "ann", "--tweet", "t9"], "unknown-tweet", "ann has no tweet t9"),
                (
                    ["Retweet", "--user", "ann", "--owner", "bob", "--original", "b1", "--tweet", "r2"],
                    "duplicate-retweet",
                    "you passed bob's tweet b1 on already, as r1; delete that one first to do it again"
                ),
                (
                    ["Retweet", "--user", "ann", "--owner", "ann", "--original", "t7"], "unknown-tweet",
                    "ann has no tweet t7"
                ),
                (
                    ["Follow", "--user", "ann", "--followee", "ANN"], "self-follow",
                    "nobody follows themselves; your own tweets are in your timeline anyway"
                ),
            ]
            for (arguments, reason, message) in refusals {
                let ended = try await bus.start(["send"] + arguments + ["--timeout", "40s"]).end()
                try #require(ended.exit == 1, "\(ended)")
                let outcome = try JSON(ended.out)
                #expect(outcome["reason"].string == reason && outcome["message"].string == message)
                #expect(outcome["events"].array.isEmpty)
            }
            let malformed: [([String], String)] = [
                (["PostTweet", "--text", "x"], "user: is missing"),
                (["PostTweet", "--user", "@ann", "--text", "x"], "user: is @ann; write a handle without the @"),
                (["PostTweet", "--user", "ann", "--text", " "], "text: is missing"),
                (["Follow", "--user", "ann", "--followee", "b b"], "followee: is b b; a handle has 1 to 20"),
                (["Retweet", "--user", "ann", "--owner", "bob"], "original: is missing"),
            ]
            let before = try await bus.count("social.commands")
            for (arguments, message) in malformed {
                let ended = try await bus.start(["send"] + arguments).end()
                #expect(ended.exit == 65 && ended.err.contains(message), "\(ended)")
            }
            #expect(try await bus.count("social.commands") == before)
            let derived = try await bus.run("produce", "AuthorPromoted", stdin: #"{"user":"ann"}"#)
            #expect(derived.exit == 64 && derived.err.contains("only workers write social.audience"), "\(derived)")
            let limit = try await bus.run("lag", environment: ["MILLRACE_SOCIAL_FAN_OUT_LIMIT": "many"])
            #expect(limit.exit == 78 && limit.err.contains("MILLRACE_SOCIAL_FAN_OUT_LIMIT: is many"), "\(limit)")
        }
    }

    // MARK: Real tweets

    private static let data = URL(fileURLWithPath: Bus.package).deletingLastPathComponent()
        .appendingPathComponent("shared/data").path
    private static let areHere = FileManager.default.fileExists(atPath: data)
    private static let absent: Comment = "the folder of data sets, ../shared/data, is not on this machine"

    /// How many of the year's tweets are imported: all of them take a debug build too long.
    private static let lines = Int(ProcessInfo.processInfo.environment["MILLRACE_TEST_TWEETS"] ?? "") ?? 3000

    @Test(.enabled(if: areHere, absent))
    func `timelines of imported tweets equal a pull and merge, also when the fan-out is killed`() async throws {
        try await onBus { bus in
            let file = bus.folder + "/tweets.ndjson"
            #expect(
                try await bus.sh(
                    "gzip -dc \(Self.data)/tweets/stocknet_tweets_2014.ndjson.gz | head -n \(Self.lines) > \(file)"
                ).exit == 0)
            // Three readers of the busiest authors, one of whom is above the limit of three followers.
            let authors = try await Self.authors(file, bus)
            let following = [Array(authors[0..<40]), Array(authors[20..<60]), Array(authors[0..<1] + authors[50..<90])]
            let readers = ["reader_a", "reader_b", "reader_c"]
            let edges = zip(readers, following).flatMap { reader, authors in authors.map { "\(reader) \($0)" } }
            let graph = try bus.file("edges.txt", (edges + ["other \(authors[0])"]).joined(separator: "\n") + "\n")

            let limit = ["MILLRACE_SOCIAL_FAN_OUT_LIMIT": "3"]
            let workers = try await bus.run("lag", "--sum").lines.map { try JSON($0)["worker"].string }
            _ = try await bus.work(workers.filter { $0.hasPrefix("social.") && $0 != "social.fan-out" })
            var fanOut = try bus.start("work", "social.fan-out", environment: limit)
            #expect(try await bus.run("import", "follows", graph).exit == 0)
            let importing = try bus.start("import", "tweets", file)
            var (kills, seen) = (0, 0)
            while kills < 3 {
                let handed = try await eventually("the fan-out to go on after \(seen)") { () -> Int? in
                    let handed = try await bus.count("social.home")
                    return handed > seen || importing.hasEnded && kills > 0 ? handed : nil
                }
                seen = handed
                try await fanOut.crash()
                kills += 1
                fanOut = try bus.start("work", "social.fan-out", environment: limit)
            }
            let summary = try JSON(try await importing.end().out)
            #expect(summary["imported"].int + summary["bad"].int == Self.lines)
            try await bus.settle()
            let promoted = try await bus.replay("social.audience", "--type", "AuthorPromoted")
            #expect(promoted.map { $0["event"]["user"].string } == [authors[0]])

            let events = try await bus.replay("social.events")
            for (reader, authors) in zip(readers, following) {
                let expected = Self.pullMerge(events, of: reader, following: Set(authors))
                #expect(expected.count > 20)
                #expect(try await Self.timeline(bus, of: reader, by: 20, atMost: 3) == Array(expected.prefix(60)))
                #expect(try await Self.timeline(bus, of: reader, by: 5000) == expected, "\(reader)")
            }
            // The same file again changes nothing, also under another name.
            #expect(try await bus.sh("cp \(file) \(bus.folder)/again.ndjson").exit == 0)
            let again = try JSON(try await bus.run("import", "tweets", "\(bus.folder)/again.ndjson").out)
            #expect(again["imported"] == 0 && again["alreadyImported"].int == Self.lines - summary["bad"].int)
            // A reader who unfollows everybody sees nothing but mentions.
            try await bus.unfollow(following[2].map { (readers[2], $0) })
            try await bus.settle()
            #expect(try await Self.timeline(bus, of: readers[2], by: 100) == [])
            try await fanOut.stop()
        }
    }

    /// The authors of a file of tweets, the busiest first.
    private static func authors(_ file: String, _ bus: Bus) async throws -> [String] {
        let counts = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").reduce(
            into: [String: Int]()
        ) { counts, line in counts[try JSON(String(line))["s"].string.lowercased(), default: 0] += 1 }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
    }

    /// What a timeline must show, straight from the events, newest first.
    private static func pullMerge(_ events: [JSON], of reader: String, following: Set<String>) -> [String] {
        events.compactMap { record -> (String, String, String)? in
            let event = record["event"]
            let user = event["user"].string
            let isNamed = record["type"] == "TweetPosted" && event["mentions"].array.contains { $0.string == reader }
            guard ["TweetPosted", "Retweeted"].contains(record["type"].string), following.contains(user) || isNamed
            else { return nil }
            return (record["timestamp"].string, user, event["tweet"].string)
        }
        .sorted { $0 > $1 }.map { "\($0.1)/\($0.2)" }
    }

    private static func timeline(_ bus: Bus, of user: String, by size: Int, atMost pages: Int = .max) async throws
        -> [String]
    {
        var (tweets, cursor, count): ([String], String?, Int) = ([], nil, 0)
        repeat {
            let more = cursor.map { ["--cursor", $0] } ?? []
            let ended = try await bus.start(
                ["query", "social.timeline", "--user", user, "--limit", String(size)] + more
            ).end()
            try #require(ended.exit == 0, "\(ended)")
            let page = try JSON(ended.out)
            tweets += page["rows"].array.map { "\($0["user"].string)/\($0["tweet"].string)" }
            cursor = page["next"] == "null" ? nil : page["next"].string
            count += 1
        } while cursor?.isEmpty == false && count < pages
        return tweets
    }

    // MARK: A real follow graph

    @Test(.enabled(if: areHere, absent))
    func `crossing the limit in either direction loses and doubles no tweet`() async throws {
        try await onBus { bus in
            let file = bus.folder + "/edges.csv"
            let source = "\(Self.data)/follow_graph/musae_github_mutual_follow.csv.gz"
            // All edges of the most followed user with the first thousands, and some others.
            #expect(
                try await bus.sh(
                    "gzip -dc \(source) | awk -F, 'NR == 1 || (/,31890$|^31890,/ && n++ < 150) || NR < 300' > \(file)"
                ).exit == 0)
            let up = try bus.start("up", environment: ["MILLRACE_SOCIAL_FAN_OUT_LIMIT": "120"])
            let imported = try JSON(
                try await bus.run("import", "follows", file, "--mutual", "--skip-header", "--json").out)
            #expect(imported["imported"].int * 2 == imported["records"].int && imported["bad"] == 0)
            try await bus.settle()
            let followers = try await bus.replay("social.audience", "--key", "31890", "--type", "FollowerGained").map {
                $0["event"]["follower"].string
            }
            #expect(followers.count >= 150)
            let view = "\(bus.views)/social.timelines@4.sqlite"
            func rows(_ table: String) throws -> [String] { try Tables(view).rows[table] ?? [] }
            #expect(try rows("social_merged").count == followers.count)

            // Above the limit: in every timeline, and no write for any follower.
            let home = try await bus.count("social.home")
            try await bus.send("PostTweet", "--user", "31890", "--text", "to all of you", "--tweet", "above")
            try await eventually("the tweet in a follower's timeline") {
                try await Self.timeline(bus, of: followers[0], by: 20).contains("31890/above") ? true : nil
            }
            try await bus.settle()
            #expect(try await bus.count("social.home") == home && rows("social_entries").isEmpty)

            // Below it again: followers are handed what they fetched, once.
            let (gone, left) = (followers.dropLast(100), followers.suffix(100))
            try await bus.unfollow(gone.map { ($0, "31890") })
            try await bus.settle(within: .seconds(300))
            #expect(try await bus.replay("social.audience", "--type", "AuthorDemoted").count >= 1)
            try await bus.send("PostTweet", "--user", "31890", "--text", "to few", "--tweet", "below")
            try await bus.settle()
            #expect(try rows("social_merged").isEmpty)
            #expect(try rows("social_entries").count == 2 * left.count)
            for follower in [followers[0], left[left.startIndex], followers[followers.count - 1]] {
                let mine = try await Self.timeline(bus, of: follower, by: 20).filter { $0.hasPrefix("31890/") }
                #expect(mine == (left.contains(follower) ? ["31890/below", "31890/above"] : []), "\(follower)")
            }
            try await up.stop()
        }
    }
}

extension Bus {
    /// Has users unfollow others, as facts that the handler admits.
    fileprivate func unfollow(_ pairs: [(user: String, followee: String)]) async throws {
        let lines = pairs.map { #"{"user":"\#($0.user)","followee":"\#($0.followee)"}"# }.joined(separator: "\n")
        let ended = try await run("produce", "UserUnfollowed", stdin: lines)
        try #require(ended.exit == 0, "\(ended)")
        #expect(try JSON(ended.out)["produced"].int == pairs.count)
    }
}
