import EventLog
import EventModel
import Foundation
import LocalLog
import TestSupport
import Testing

@Suite("Text of every script, and bytes that are none", .serialized, .timeLimit(.minutes(10)))
struct TextTests {
    /// A character of each plane; escaped as JSON in ASCII has it.
    private static let characters = (0...16).map { String(Unicode.Scalar(UInt32($0 << 16 | 0x3021))!) }
    private static func escaped(_ text: String) -> String {
        text.utf16.map {
            $0 < 0x80 ? String(Unicode.Scalar($0)!) : "\\u" + String(0x10000 + Int($0), radix: 16).dropFirst()
        }
        .joined()
    }
    private static var both: [String] { characters + characters.map(escaped) }

    @Test func `every plane survives produce, send and imports, written as it is or as escapes`() async throws {
        try await onBus { bus in
            let hits = Self.both.map { #"{"site":"s","path":"/\#($0)","visitor":"v"}"# }.joined(separator: "\n")
            let produced = try await bus.run("produce", "Hit", stdin: hits)
            #expect(produced.exit == 0, "\(produced)")
            let paths = try await bus.replay("hits.events").map { $0["event"]["path"].string }
            #expect(paths == (Self.characters + Self.characters).map { "/" + $0 })

            _ = try await bus.work("handler")
            let tweets = Self.both.enumerated().map { i, text in
                #"{"@command":"PostTweet","user":"ann","tweet":"t\#(i)","text":"\#(text)"}"#
            }
            let sent = try await bus.run(
                "send", "--file", "-", "--timeout", "40s", stdin: tweets.joined(separator: "\n"))
            #expect(sent.exit == 0, "\(sent)")
            try await bus.send("PostTweet", #"{"user":"ann","tweet":"one","text":"\ud840\udc21"}"#)
            try await bus.send("PostTweet", "--user", "ann", "--tweet", "two", "--text", "\u{20021}")
            let posted = try await bus.replay("social.events").map { $0["event"]["text"].string }
            #expect(posted == Self.characters + Self.characters + ["\u{20021}", "\u{20021}"])

            let lines = Self.both.enumerated().map { i, text in
                #"{"id":\#(i),"t":1388538563,"s":"zed","text":"\#(text)"}"#
            }
            let file = try bus.file("tweets.ndjson", lines.joined(separator: "\n"))
            #expect(try JSON(try await bus.run("import", "tweets", file).out)["imported"] == 34)
            let texts = try await bus.replay("social.commands", "--key", "zed").map { $0["event"]["text"].string }
            #expect(texts == Self.characters + Self.characters)
        }
    }

    @Test func `members that are written with escapes are the same members`() async throws {
        try await onBus { bus in
            let line = #"{"\u0040time":"2026-11-02T00:00:00\u002e000Z","site":"home","visitor":"v"}"#
            #expect(try await bus.run("produce", "Hit", stdin: line).exit == 0)
            #expect(try await bus.replay("hits.events")[0]["timestamp"].string == "2026-11-02T00:00:00Z")
            _ = try await bus.work("handler")
            let order = #"{"\u0040command":"Place\u004frder","@id":"caf\u00e9","order":"o1","customer":"ann"}"#
            let sent = try await bus.run("send", "--file", "-", "--timeout", "40s", stdin: order)
            #expect(try JSON(sent.out)["id"].string == "café", "\(sent)")
        }
    }

    @Test func `what is not UTF-8 is no command`() async throws {
        try await onBus { bus in
            func order(_ byte: UInt8) -> [UInt8] {
                Array(#"{"@command":"PlaceOrder","customer":"ann","order":"o"#.utf8) + [byte] + Array("\"}\n".utf8)
            }
            let ended = try await bus.start(["send", "--file", "-"], stdin: order(0xe9) + order(0xe8)).end()
            #expect(ended.exit == 65 && ended.err.contains("line 1: is not UTF-8"), "\(ended)")
            #expect(try await bus.count("orders.commands") == 0)
            for argument in [
                #"--order "$(printf 'o\351')" --customer ann"#, #"--order o1 --customer "$(printf '\377')""#,
            ] {
                let sent = try await bus.sh("\(Bus.program) send PlaceOrder \(argument) --log \(bus.url)")
                #expect(sent.exit == 64 && sent.err.contains("is not UTF-8"), "\(sent)")
            }
            let key = try await bus.sh(
                #"\#(Bus.program) replay orders.commands --key "$(printf '\351')" --log \#(bus.url)"#)
            #expect(key.exit == 64 && key.err.contains("argument 4 is not UTF-8"), "\(key)")
        }
    }

    @Test func `names have one spelling, whichever way they come`() async throws {
        try await onBus { bus in
            let written = "caf\u{65}\u{301}"
            let better = #"which is not Unicode's composed form (NFC); write "caf\u{e9}""#
            for arguments in [
                ["PlaceOrder", "--order", written, "--customer", "ann"],
                ["PlaceOrder", "--order", "o", "--customer", written],
                ["PostTweet", "--user", "ann", "--tweet", written, "--text", "x"],
                ["HoldSeats", "--event", "e", "--section", "s", "--holder", written, "--seats", "A-1"],
            ] {
                let ended = try await bus.start(["send"] + arguments).end()
                #expect(ended.exit == 65 && ended.err.contains(better), "\(ended)")
            }
            let id = try await bus.run("send", "PlaceOrder", "--order", "o", "--customer", "ann", "--id", written)
            #expect(id.exit == 64 && id.err.contains("in NFC"), "\(id)")
            let table = try bus.file("gps.csv", "lat,lng,datetime,driver\n1,2,2008-10-23T07:53:05Z,\(written)\n")
            let gps = try await bus.run("import", "gps", table)
            #expect(try JSON(gps.out)["bad"] == 1 && gps.err.contains(better), "\(gps)")
            let log = try bus.file("access.log", "")
            let site = try await bus.run("import", "access-log", log, "--site", written)
            #expect(site.exit == 64 && site.err.contains(better), "\(site)")
            // A text is as it was written.
            let hit = try await bus.run("produce", "Hit", stdin: #"{"site":"s","visitor":"v","path":"/\#(written)"}"#)
            #expect(hit.exit == 0)
            #expect(
                try await bus.replay("hits.events")[0]["event"]["path"].string.utf8.elementsEqual("/\(written)".utf8))
        }
    }

    @Test func `replay gives keys, values and headers byte for byte, and JSON says what it cannot show`() async throws {
        try await onBus { bus in
            let bad: [UInt8] = [0xff, 0x00, 0xc3, 0x28, 0x2c]
            let log = try await LocalLog.open(directory: bus.log)
            try await log.create([Topic("raw", partitions: 1, key: "none", schema: "none", owner: "nobody")])
            let header = Header("h", Bytes([0xfe, 0x61]))
            _ = try await log.append([
                Append(
                    TopicPartition("raw", 0),
                    [
                        NewRecord(
                            key: Bytes(bad), value: Bytes(bad + bad), timestamp: 1_793_491_200_000, headers: [header])
                    ])
            ])
            await log.close()
            func hex(_ arguments: String) async throws -> String {
                let ended = try await bus.sh("\(Bus.program) replay raw --log \(bus.url) \(arguments) | od -An -tx1 -v")
                return ended.out.split(whereSeparator: \.isWhitespace).joined()
            }
            let plain = "ff00c3282c"
            #expect(try await hex("--format '%k|%v|%h|%K %V'") == "\(plain)7c\(plain)\(plain)7c683dfe617c3520" + "3130")
            #expect(try await hex("--format '%s%%'") == plain + plain + "25")
            #expect(try await hex("--csv").contains("2c22\(plain)222c"))
            let json = try await bus.replay("raw")[0]
            #expect(json["keyBase64"].string == "/wDDKCw=" && json["eventBase64"].string == "/wDDKCz/AMMoLA==")
            #expect(json["key"].string == String(decoding: bad, as: UTF8.self))
        }
    }

    @Test func `what a name or a text has does nothing to a terminal`() async throws {
        try await onBus { bus in
            let red = "\u{1b}[31m\u{202e}x\nmillrace: all is well"
            for arguments in [
                ["query", red], ["send", red], ["produce", red], ["replay", red], ["topics", "describe", red],
                ["lag", red],
                ["--\(red)"], ["send", "PlaceOrder", "--\(red)", "1"],
                ["query", "hits.window", "--site", "s", "--window", red],
                ["replay", "hits.events", "--from", red], ["work", red], ["import", "tweets", red],
            ] {
                let ended = try await bus.start(arguments, stdin: []).end()
                #expect(ended.exit != 0 && !ended.err.contains("\u{1b}") && !ended.err.contains("\u{202e}"), "\(ended)")
            }
            let query = try await bus.run("query", red)
            #expect(
                query.err.contains(
                    #"there is no query \u{1b}[31m\u{202e}x\u{a}millrace: all is well; all are shown by"#),
                "\(query)")
        }
    }

    @Test func `rows of a table cannot be made to look like others`() async throws {
        try await onBus { bus in
            _ = try await bus.work("social")
            let text = "hello\u{202e}derif\u{200b} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\nyes"
            try await bus.send("PostTweet", "--user", "ann", "--tweet", "t1", "--text", text)
            try await bus.settle()
            let table = try await bus.run("query", "social.user", "--user", "ann", "--table")
            #expect(
                table.out.contains(#"hello\u{202e}derif\u{200b} "# + "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}↵yes"),
                "\(table)")
            let json = try JSON(try await bus.run("query", "social.user", "--user", "ann", "--json").out)
            #expect(json["rows"].array[0]["text"].string == text)
            let sent = try await bus.run(
                "send", "Follow", "--user", "ann", "--followee", "bob", "--id", "a\u{202e}b", "--table")
            #expect(sent.exit == 64 && sent.err.contains("--id must be 1 to 128 characters"), "\(sent)")
        }
    }

    @Test func `names whose letters look like those of other scripts are noted, and taken`() async throws {
        try await onBus { bus in
            let lines = ["p\u{430}ypal", "paypal", "\u{441}\u{442}\u{43e}\u{43b}", "b\u{430}r"].map {
                #"{"site":"\#($0)","visitor":"v"}"#
            }
            let produced = try await bus.run("produce", "Hit", stdin: lines.joined(separator: "\n"))
            #expect(produced.exit == 0)
            let note =
                #"note: p\#u{430}ypal (p\u{430}ypal) has Latin and Cyrillic letters, which may look alike; 2 names do so"#
            #expect(produced.err == "millrace: \(note)\n", "\(produced)")
            #expect(try await bus.run("produce", "Hit", stdin: lines[1]).err.isEmpty)
        }
    }
}
