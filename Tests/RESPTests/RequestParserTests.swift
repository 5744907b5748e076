import EventModel
import NIOCore
import Testing

@testable import KVDomain
@testable import RESP

@Suite("Requests of Redis' clients")
struct RequestParserTests {
    /// All commands in some bytes that come in pieces of a size, and what is wrong behind them.
    private func parse(_ bytes: [UInt8], by size: Int, isNamed: Bool = true) -> ([[String]], String?) {
        var parser = RequestParser()
        parser.isNamed = isNamed
        var (buffer, commands) = (ByteBuffer(), [[String]]())
        var rest = bytes[...]
        while !rest.isEmpty {
            buffer.writeBytes(rest.prefix(size))
            rest = rest.dropFirst(size)
            do throws(ProtocolError) {
                while let command = try parser.next(&buffer) { commands.append(command.map(\.text)) }
            } catch {
                return (commands, error.why)
            }
        }
        return (commands, nil)
    }
    private func parse(_ text: String) -> ([[String]], String?) {
        let whole = parse(Array(text.utf8), by: .max)
        for size in [1, 2, 3, 7] {
            let pieces = parse(Array(text.utf8), by: size)
            #expect(pieces.0 == whole.0 && pieces.1 == whole.1, "pieces of \(size)")
        }
        return whole
    }

    @Test func `are arrays or lines, one behind the other, in pieces of any size`() {
        #expect(
            parse(
                "*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n\r\n*0\r\n*-1\r\n*1\r\n$0\r\n\r\nSET a \"b c\\n\\x41\" 'd\\'e'\n"
            ).0
                == [["GET", "k"], ["PING"], [""], ["SET", "a", "b c\nA", "d'e"]])
        #expect(parse("*2\r\n$3\r\nGET\r\n$4\r\n\r\n\r\n\r\n").0 == [["GET", "\r\n\r\n"]])
    }
    @Test(arguments: [
        ("*x\r\n", "invalid multibulk length"), ("*1048577\r\n", "invalid multibulk length"),
        ("*99999999999999999999\r\n", "invalid multibulk length"), ("*2\r\n+GET\r\n", "expected '$', got '+'"),
        ("*1\r\n$-1\r\n", "invalid bulk length"), ("*1\r\n$x\r\n", "invalid bulk length"),
        ("*1\r\n$2097153\r\n", "invalid bulk length"), ("*1\r\n$+1\r\n", "invalid bulk length"),
        ("GET \"a\r\n", "unbalanced quotes in request"), ("GET \"a\"b\r\n", "unbalanced quotes in request"),
        ("GET a'b'\r\n", "unbalanced quotes in request"),
    ])
    func `that are none are told as Redis tells it`(text: String, why: String) {
        #expect(parse("PING\r\n" + text).0 == [["PING"]] && parse("PING\r\n" + text).1 == why)
    }
    @Test func `have limits`() {
        let long = String(repeating: "a", count: RESPLimits.line + 1)
        #expect(parse(Array(long.utf8), by: 1000).1 == "too big inline request")
        #expect(parse(Array(("*" + long).utf8), by: 1000).1 == "too big mbulk count string")
        #expect(parse(Array(("*1\r\n$" + long).utf8), by: 1000).1 == "too big bulk count string")
        let most = "*\(RESPLimits.arguments)\r\n"
        #expect(parse(most).1 == nil && parse("*\(RESPLimits.arguments + 1)\r\n").1 != nil)
        // So many bytes together.
        let value = "$\(KVLimits.value)\r\n" + String(repeating: "v", count: KVLimits.value) + "\r\n"
        #expect(parse(Array(("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n" + value).utf8), by: 65_536).0.count == 1)
        #expect(parse(Array(("*3\r\n$1\r\nx\r\n" + value + value).utf8), by: 65_536).1 == "too big request")
        #expect(parse(Array("*11\r\n".utf8), by: 9, isNamed: false).1 == "unauthenticated multibulk length")
        #expect(parse(Array("*1\r\n$16385\r\n".utf8), by: 99, isNamed: false).1 == "unauthenticated bulk length")
    }
    @Test func `of any bytes end in commands or in an error`() {
        var random = SeededRandom(0x5e5b)
        let marks = Array("*$+-\r\n\"'\\ 0123x".utf8)
        for _ in 0..<5000 {
            let bytes = (0..<random.number(1...40)).map { _ in
                random.chance(80) ? random.one(of: marks) : UInt8(random.number(0...255))
            }
            let (whole, pieces) = (parse(bytes, by: .max), parse(bytes, by: 1))
            #expect(whole.0 == pieces.0 && whole.1 == pieces.1, "\(bytes)")
        }
    }
    @Test func `match patterns as Redis does`() {
        for (pattern, name, isMatch) in [
            ("*", "", true), ("a*c", "abbc", true), ("a*c", "abbd", false), ("a?c", "abc", true), ("?", "", false),
            ("[a-c]x", "bx", true), ("[c-a]x", "bx", true), ("[^a-c]x", "bx", false), ("\\*", "*", true),
            ("\\*", "a", false), ("[\\]]", "]", true), ("**a", "bba", true), ("[ab", "a", true), ("", "", true),
            ("", "a", false), ("*", "abc", true), ("a*", "a", true), ("a*", "b", false), ("a*b*c", "abbcc", true),
            ("a*b*c", "acb", false), ("*aab", "aaaab", true), ("*a?c*", "abbabcb", true), ("*?", "", false),
        ] {
            #expect(Glob(Bytes(pattern)).matches(Bytes(name)) == isMatch, "\(pattern) \(name)")
        }
        // Patterns that make careless matchers try for ever, and one of as many signs as a key may have bytes.
        let longest = KVLimits.key
        for pattern in [
            "*" + String(repeating: "a", count: longest / 2) + "b*", String(repeating: "*a", count: longest - 1) + "b",
            "*" + String(repeating: "a", count: longest),
        ] {
            let (glob, name) = (Glob(Bytes(pattern)), String(repeating: "a", count: longest))
            let (isMatch, steps) = glob.match(Bytes(name))
            #expect(isMatch == !pattern.contains("b") && steps <= longest * (longest / 64 + 1), "\(pattern.prefix(9))")
        }
        let (isMatch, steps) = Glob(Bytes("*" + String(repeating: "a", count: 60) + "b*")).match(
            Bytes(String(repeating: "a", count: 500)))
        #expect(!isMatch && steps == 500)
        #expect(Glob(Bytes("user:*")).match(Bytes(String(repeating: "x", count: 500))).steps == 1)
        // No key is so long.
        let many = Glob(Bytes(String(repeating: "?", count: longest + 1)))
        #expect(!many.matches(Bytes(String(repeating: "a", count: longest + 1))))
        // A set is read once, and not for each byte of each key.
        let set = Glob(Bytes("*[" + String(repeating: "b", count: 100_000) + "]"))
        let began = ContinuousClock.now
        for _ in 0..<100 { #expect(!set.matches(Bytes(String(repeating: "a", count: KVLimits.key)))) }
        #expect(ContinuousClock.now - began < .seconds(10))
    }
    @Test func `are answered in both versions, and no answer becomes two`() {
        func text(_ reply: Reply, _ version: Int) -> String {
            var out = ByteBuffer()
            reply.write(to: &out, version: version)
            return String(buffer: out)
        }
        let reply = Reply.list([.null, .integer(-1), .bulk(Array("a\r\nb".utf8)), .map([.text("k"), .ok])])
        #expect(text(reply, 2) == "*4\r\n$-1\r\n:-1\r\n$4\r\na\r\nb\r\n*2\r\n$1\r\nk\r\n+OK\r\n")
        #expect(text(reply, 3) == "*4\r\n_\r\n:-1\r\n$4\r\na\r\nb\r\n%1\r\n$1\r\nk\r\n+OK\r\n")
        #expect(text(.error("ERR a\r\n+OK"), 2) == "-ERR a  +OK\r\n")
    }
}
