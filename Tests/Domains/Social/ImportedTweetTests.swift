import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("Tweets as others keep them")
struct ImportedTweetTests {
    private func read(_ line: String) throws -> (EncodedCommand, Ask) {
        let command = try TweetLine.command(Array(line.utf8)[...])
        return (command, try #require(try SocialCommand.kind(in: command.value)))
    }
    private func retweet(_ user: String, _ tweet: String, _ owner: String, _ original: String, _ text: String) -> Ask {
        .retweet(
            .with {
                ($0.user, $0.tweet, $0.owner, $0.original, $0.text) = (user, tweet, owner, original, text)
            })
    }

    @Test(arguments: [
        ("4e17", "400000000000000000"), ("418163434979483649", "418163434979483649"), ("1.0", "1"),
        ("9007199254740993", "9007199254740993"), ("18446744073709551615", "18446744073709551615"),
        ("4.17e2", "417"), (#""4e17""#, "4e17"), (#""007""#, "007"),
    ])
    func `have ids as whole numbers are written, digit by digit, or as a text`(id: String, expected: String) throws {
        let (command, kind) = try read(#"{"id":\#(id),"t":1,"s":"ann","text":"x"}"#)
        #expect(command.id == "tweet-" + expected && kind == .post(expected, by: "ann", "x"))
        let (_, other) = try read(#"{"id":1,"t":1,"s":"ann","rt":\#(id),"owner":"bob","text":"x"}"#)
        #expect(other == retweet("ann", "1", "bob", expected, "x"))
    }
    @Test(arguments: ["4.5", "1e-1", "36893488147419103232.5", "123456789012345678901234567890", "1e999"])
    func `have no ids that would be rounded`(id: String) {
        let no = #expect(throws: Malformed.self) { try read(#"{"id":\#(id),"t":1,"s":"ann","text":"x"}"#) }
        #expect(no?.message == "id: is \(id), not a whole number of at most 64 bits; write it as a text")
        #expect(throws: Malformed.self) { try read(#"{"id":1,"t":1,"s":"ann","rt":\#(id),"owner":"b","text":"x"}"#) }
    }
    @Test(
        arguments: [
            (#""Wed Jan 01 00:00:00 +0000 2014""#, 1_388_534_400_000),
            (#""Wed Jan 01 02:00:00 +0200 2014""#, 1_388_534_400_000),
            (#""Wed, 01 Jan 2014 00:00:00 +0000""#, 1_388_534_400_000),
            (#""2014-01-01T00:00:00.123Z""#, 1_388_534_400_123), ("1388534400.123", 1_388_534_400_123),
            (#""1388534400""#, 1_388_534_400_000), ("1388534400123", 1_388_534_400_123),
            ("1.3885344e9", 1_388_534_400_000),
            (#""2014-01-01 00:00:00""#, 1_388_534_400_000),
        ] as [(String, Int64)])
    func `have times as Twitter writes them, RFC 3339, or numbers since 1970`(time: String, expected: Int64) throws {
        for name in ["time", "t", "created_at"] {
            let (command, _) = try read(#"{"id":1,"\#(name)":\#(time),"s":"ann","text":"x"}"#)
            #expect(command.time == Timestamp(expected))
        }
    }

    /// An object of version 1.1, with some members more. Its number is what a reader that rounds makes of its text.
    private func v1(_ members: String, user: String = "ann", id: Int = 2) -> String {
        #"""
        {"created_at":"Wed Jan 01 00:00:00 +0000 2014","id":\#(id)00000000000000000,"id_str":"\#(id)00000000000000001",
        "user":{"id":7,"id_str":"7","name":"A","screen_name":"\#(user)","created_at":"Tue Jan 01 00:00:00 +0000 2013"},
        "entities":{"hashtags":[{"text":"x","indices":[0,2]}],"user_mentions":[]},\#(members)}
        """#.replacing("\n", with: "")
    }
    @Test func `of Twitter's version 1.1 are taken with their nested user and their whole text`() throws {
        for text in [
            #""text":"a &amp;amp; b &lt;3","truncated":false"#,
            #""full_text":"a &amp;amp; b &lt;3","display_text_range":[0,5]"#,
            #""text":"a \u2026","truncated":true,"extended_tweet":{"full_text":"a &amp;amp; b &lt;3"},"retweeted_status":null"#,
        ] {
            let (command, kind) = try read(v1(text))
            #expect(kind == .post("200000000000000001", by: "ann", "a &amp; b <3"))
            #expect(command.time == Timestamp(1_388_534_400_000) && command.type == "PostTweet")
        }
    }
    @Test func `that are retweets of version 1.1 have the original's id, owner and whole text`() throws {
        let original = v1(
            #""text":"long\u2026","extended_tweet":{"full_text":"long #multiple"}"#, user: "Bob", id: 1)
        let (command, kind) = try read(v1(#""text":"RT @Bob: lon\u2026","retweeted_status":\#(original)"#))
        #expect(command.type == "Retweet")
        #expect(kind == retweet("ann", "200000000000000001", "Bob", "100000000000000001", "long #multiple"))
    }
    @Test func `of version 2 have their author among the users beside them`() throws {
        let data = #""data":{"id":"5","text":"a &amp; b","author_id":"7","created_at":"2014-01-01T00:00:00.000Z"}"#
        let users = #""includes":{"users":[{"id":"6","username":"bob"},{"id":"7","name":"A","username":"ann"}]}"#
        let (command, kind) = try read("{\(data),\(users)}")
        #expect(kind == .post("5", by: "ann", "a & b") && command.time == Timestamp(1_388_534_400_000))
        #expect(try read("{\(data)}").1 == .post("5", by: "7", "a & b"))
        let flat =
            #"{"id":"5","text":"x","author_id":"7","created_at":"2014-01-01T00:00:00Z","author":{"username":"ann"}}"#
        #expect(try read(flat).1 == .post("5", by: "ann", "x"))
        let others = users.replacing(#""7""#, with: #""8""#)
        let no = #expect(throws: Malformed.self) { try read("{\(data),\(others)}") }
        #expect(no?.message == "author_id: 7 is of none of the users in includes")
        #expect(throws: Malformed("data", "is no object; write one tweet a line")) { try read(#"{"data":[]}"#) }
    }
    @Test func `that are retweets of version 2 have their original among the tweets beside them, or in their text`()
        throws
    {
        let data =
            #""data":{"id":"5","text":"RT @bob: lon\u2026","author_id":"7","created_at":"2014-01-01T00:00:00Z","referenced_tweets":[{"type":"quoted","id":"3"},{"type":"retweeted","id":"4"}]}"#
        let users = #""users":[{"id":"6","username":"Bob"},{"id":"7","username":"ann"}]"#
        let tweets =
            #""tweets":[{"id":"3","text":"q","author_id":"7"},{"id":"4","text":"long #multiple","author_id":"6"}]"#
        let whole = try read("{\(data),\"includes\":{\(users),\(tweets)}}").1
        #expect(whole == retweet("ann", "5", "Bob", "4", "long #multiple"))
        #expect(try read("{\(data),\"includes\":{\(users)}}").1 == retweet("ann", "5", "bob", "4", "lon\u{2026}"))
    }

    @Test(arguments: [
        (
            #"{"created_at":"Wed Jan 41 00:00:00 +0000 2014","id":1,"user":{"screen_name":"a"},"text":"x"}"#,
            "time: is Wed Jan 41"
        ),
        (
            #"{"created_at":"Wed Jan 01 00:00:00 +0000 2014","id":1,"user":{"name":"a"},"text":"x"}"#,
            "user.screen_name: is missing"
        ),
        (#"{"id":1,"user":{"screen_name":"a"},"text":"x"}"#, "created_at: is missing"),
        (#"{"delete":{"status":{"id":1,"user_id":3}}}"#, "id: is missing"),
        (#"{"id":1,"t":"0x10","s":"a","text":"x"}"#, "time: is 0x10, neither"),
        (#"{"id":1,"t":"+5","s":"a","text":"x"}"#, "time: is +5, neither"),
        (#"{"id":1,"t":-9223372036854775808,"s":"a","text":"x"}"#, "time: is -9223372036854775808, neither"),
        (#"{"id":1,"t":9223372036854775807,"s":"a","text":"x"}"#, "time: is 9223372036854775807, neither"),
        (#"{"id":1,"t":1,"s":"a","text":"\ud83d"}"#, "line: is not a JSON object"),
    ])
    func `that are none are told why`(line: String, why: String) {
        let no = #expect(throws: (any Error).self) { try read(line) }
        #expect((no as? any Refusal)?.message.hasPrefix(why) == true, "\(String(describing: no))")
    }
}
