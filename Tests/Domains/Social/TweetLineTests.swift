import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import SocialDomain

@Suite("Lines of tweets and of follow graphs")
struct TweetLineTests {
    private func read(_ line: String) throws -> (EncodedCommand, Ask) {
        let command = try TweetLine.command(Array(line.utf8)[...])
        return (command, try #require(try SocialCommand.kind(in: command.value)))
    }

    @Test func `a tweet keeps its id, time, user and text`() throws {
        let (command, kind) = try read(
            #"{"id":418163434979483648,"t":1388532906,"u":855081,"s":"SGamon","text":"Beat $C!"}"#)
        #expect(kind == .post("418163434979483648", by: "SGamon", "Beat $C!"))
        #expect(command.time == Timestamp(1_388_532_906_000) && command.key == "sgamon")
        #expect(command.id == "tweet-418163434979483648" && command.type == "PostTweet")
        let (other, same) = try read(#"{"id":"a1","time":"2014-01-01T00:00:00.5Z","user":"ann","text":"x"}"#)
        #expect(other.time == Timestamp(1_388_534_400_500) && same == .post("a1", "x"))
    }
    @Test func `a reply and a quote name what they answer and show, where the line says whose it is`() throws {
        func names(_ line: String) throws -> [String] {
            guard case .postTweet(let c) = try read(line).1 else { return [] }
            return [c.replyToUser, c.replyToTweet, c.quotedUser, c.quotedTweet]
        }
        let reply = #""rp":1,"rpu":7,"m":[["Cy",8,[9,12]],["Ben",7,[0,4]]]"#
        let quote = #""q":3,"ur":["https://t.co/x","https://twitter.com/Dan/status/3?s=1"]"#
        #expect(try names(#"{"id":2,"t":1,"s":"ann","text":"x",\#(reply),\#(quote)}"#) == ["Ben", "1", "Dan", "3"])
        // Whose it is is not said; it is one's own, which may not be in the file.
        #expect(try names(#"{"id":2,"t":1,"s":"ann","text":"x","rp":1,"rpu":7,"q":3}"#) == ["", "", "", ""])
        #expect(try names(#"{"id":2,"t":1,"s":"BEN","text":"x",\#(reply)}"#) == ["", "", "", ""])
        let v1 =
            #"{"id_str":"2","created_at":"Wed Jan 01 00:00:00 +0000 2014","text":"x","user":{"screen_name":"ann"},"#
        #expect(
            try names(
                v1
                    + #""in_reply_to_screen_name":"ben","in_reply_to_status_id_str":"1","quoted_status":{"id_str":"3","user":{"screen_name":"dan"}}}"#
            ) == ["ben", "1", "dan", "3"])
        let v2 = #"{"data":{"id":"2","author_id":"5","created_at":"2014-01-01T00:00:00Z","text":"x","#
        let references = #""referenced_tweets":[{"type":"replied_to","id":"1"},{"type":"quoted","id":"3"}]},"#
        let users = #""users":[{"id":"5","username":"ann"},{"id":"6","username":"ben"}]"#
        #expect(
            try names(v2 + references + #""includes":{"tweets":[{"id":"1","author_id":"6","text":"y"}],\#(users)}}"#)
                == ["ben", "1", "", ""])
    }
    @Test func `a retweet has its owner from the line, or from its text`() throws {
        let (command, kind) = try read(
            #"{"id":2,"t":1,"s":"bob","rt":1,"text":"RT @Ann: hello"}"#)
        #expect(command.type == "Retweet")
        #expect(
            kind
                == .retweet(
                    .with {
                        ($0.user, $0.tweet, $0.owner, $0.original, $0.text) = ("bob", "2", "Ann", "1", "hello")
                    }))
        let (_, told) = try read(#"{"id":2,"t":1,"s":"bob","retweet_of":"1","owner":"zoe","text":"hello @ann"}"#)
        guard case .retweet(let c) = told else { return }
        #expect(c.owner == "zoe" && c.text == "hello @ann")
    }
    @Test(arguments: [
        ("nonsense", "line: is not a JSON object"), ("[1]", "line: is not a JSON object"),
        (#"{"t":1,"s":"a","text":"x"}"#, "id: is missing"),
        (#"{"id":1,"s":"a","text":"x"}"#, "time or t: is missing"),
        (#"{"id":1,"t":"soon","s":"a","text":"x"}"#, "time: is soon, neither RFC 3339 nor seconds since 1970"),
        (#"{"id":1,"t":1,"text":"x"}"#, "user or screen_name or s: is missing"),
        (#"{"id":1,"t":1,"s":"a b","text":"x"}"#, "user: is a b"),
        (#"{"id":1,"t":1,"s":"a"}"#, "text: is missing"),
        (#"{"id":2,"t":1,"s":"b","rt":1,"text":"hello"}"#, "owner: is missing"),
        (
            #"{"id":1,"t":1,"s":"a","text":"\#(String(repeating: "x", count: 281))"}"#,
            "the text has 281 characters"
        ),
    ])
    func `a line that is no tweet is told why`(line: String, why: String) {
        let no = #expect(throws: (any Error).self) { try read(line) }
        #expect((no as? any Refusal)?.message.hasPrefix(why) == true, "\(String(describing: no))")
    }

    @Test func `a tweet keeps every character, written as it is or as an escape`() throws {
        for plane in 0...16 {
            for low in [0x21, 0x400, 0x3042, 0xabcd, 0xfffd] {
                guard let scalar = Unicode.Scalar(UInt32(plane << 16 | low)) else { continue }
                let escaped = String(scalar).utf16.map { "\\u" + String(0x10000 + Int($0), radix: 16).dropFirst() }
                    .joined()
                for text in [String(scalar), escaped] {
                    let (_, kind) = try read(#"{"id":1,"t":1,"s":"a","text":"x\#(text)"}"#)
                    #expect(kind == .post("1", by: "a", "x\(scalar)"))
                }
            }
        }
    }
    @Test func `a tweet of 140 families is as long as a tweet may be, also as escapes and with tones of skin`() throws {
        let families = [
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}",
            "\u{1f468}\u{1f3ff}\u{200d}\u{2764}\u{fe0f}\u{200d}\u{1f48b}\u{200d}\u{1f468}\u{1f3ff}",
        ]
        for family in families {
            let text = String(repeating: family, count: 140)
            let escaped = text.utf16.map { "\\u" + String($0, radix: 16) }.joined()
            let (_, kind) = try read(#"{"id":1,"t":1,"s":"a","text":"\#(escaped)"}"#)
            #expect(kind == .post("1", by: "a", text) && TweetText.length(of: text) == 280)
            #expect(throws: SocialRefusal.overLength(281)) {
                try read(#"{"id":1,"t":1,"s":"a","text":"\#(escaped)x"}"#)
            }
        }
    }
    @Test(arguments: ["\u{fffe}", "\u{ffff}", "\u{feff}"])
    func `a text with what is no character is refused`(sign: String) {
        let no = #expect(throws: Malformed.self) { try read(#"{"id":1,"t":1,"s":"a","text":"x\#(sign)"}"#) }
        #expect(no?.message == "text: has \(Shown.scalars(of: sign)), which no tweet may have; leave it out")
    }

    @Test func `an edge is a follow, or two, with a space, a tab or a comma between`() throws {
        func read(_ line: String, mutual: Bool = false) throws -> [Ask] {
            try FollowEdge.commands(Array(line.utf8)[...], mutual: mutual).compactMap {
                try SocialCommand.kind(in: $0.value)
            }
        }
        #expect(try read("1 2 ") == [.follow("2", by: "1")])
        #expect(try read("1\t2\t17") == [.follow("2", by: "1")])
        #expect(try read("a,b", mutual: true) == [.follow("b", by: "a"), .follow("a", by: "b")])
        #expect(try read("% 834797 465017") == [] && read("# x") == [])
        #expect(try read(#""a","b""#) == [.follow("b", by: "a")] && read(#""a" , b,"x y""#) == [.follow("b", by: "a")])
        #expect(throws: Malformed("line", "ends within quotes")) { try read(#"a,"b"#) }
        #expect(throws: Malformed("line", "has something between a closing quote and the next name")) {
            try read(#""a"b c"#)
        }
        #expect(throws: Malformed.self) { try read(#""a b" c"#) }
        #expect(throws: Malformed("line", "is not UTF-8")) {
            try FollowEdge.commands([0x61, 0x20, 0xff], mutual: false)
        }
        #expect(throws: Malformed("line", "is not FOLLOWER FOLLOWEE")) { try read("1") }
        let no = #expect(throws: Malformed.self) { try read("a A") }
        #expect(no?.message.hasPrefix("line: a: nobody follows themselves") == true)
        #expect(throws: Malformed.self) { try read("a b!") }
        #expect(try FollowEdge.commands(Array("A B".utf8)[...], mutual: false)[0].id == "follow-a-b")
    }
}
