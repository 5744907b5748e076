import EventModel
import HTTPTypes
import HitsDomain
import MillraceBus
import NIOCore
import NIOHTTP1
import OrdersDomain
import Secrets
import TestSupport
import Testing

@testable import MillraceGateway

@Suite("A plain request")
struct PlainHeadTests {
    private func head(_ uri: String, _ fields: (String, String)..., method: HTTPMethod = .GET) -> PlainHead? {
        PlainHead(HTTPRequestHead(version: .http1_1, method: method, uri: uri, headers: HTTPHeaders(fields)))
    }

    @Test func `is read once, whatever the case of its fields`() throws {
        let plain = try #require(
            head(
                "/views/x?a=b", ("HOST", "localhost"), ("accept", "*/*"), ("If-None-Match", "\"1\""),
                ("Connection", "Keep-Alive"), ("USER-agent", "Moz\u{e4}"), ("Referer", "a"), ("referer", "b"),
                ("Cookie", "a=1; millrace=secret")))
        #expect(plain.target == "/views/x?a=b" && !plain.isHead && plain.method == "GET")
        #expect(plain.host == "localhost" && plain.accept == "*/*" && plain.ifNoneMatch == "\"1\"")
        #expect(plain.field(.userAgent) == "Moz\u{e4}" && plain.field(.purpose) == nil)
        #expect(plain.field(.referer) == "a, b" && plain.field(.accept) == "*/*")
        #expect(plain.cookie("a") == "1" && plain.cookie(Credentials.cookie) == nil)
        #expect(try #require(head("/", method: .HEAD)).method == "HEAD")
    }

    @Test func `is none that wants more than an answer, or says who asks`() {
        let others = [
            ("Content-Length", "0"), ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"), ("Upgrade", "h2c"),
            ("Connection", "close"), ("traceparent", "00-1-1-01"), ("Origin", "null"), ("Authorization", "Bearer x"),
            ("Accept", "\u{e4}"),
        ]
        for field in others {
            #expect(head("/views/x", field) == nil, "\(field)")
            #expect(head("/views/x", (field.0.uppercased(), field.1)) == nil, "\(field)")
        }
        #expect(head("/views/x", ("Host", "a"), ("Host", "a")) == nil)
        #expect(head("/views/x", ("Accept", "a"), ("Accept", "a")) == nil)
        #expect(head("*") == nil && head("http://localhost/views/x") == nil && head("") == nil)
        for method in [HTTPMethod.OPTIONS, .PUT, .DELETE, .RAW(value: "get")] {
            #expect(head("/views/x", method: method) == nil)
        }
        // They are of the same length as some that matter.
        #expect(head("/", ("Range", "0-1"), ("From", "a"), ("Cookie", "a"), ("Referrer-Ids", "x")) != nil)
    }

    @Test func `may bring a body, whose length and type it says`() throws {
        let fields = [("Content-Length", "12"), ("content-type", "application/json"), ("Idempotency-Key", "a")]
        func post(_ more: (String, String)...) -> PlainHead? {
            let headers = HTTPHeaders(fields + more)
            return PlainHead(
                HTTPRequestHead(version: .http1_1, method: .POST, uri: "/commands/PlaceOrder", headers: headers))
        }
        let plain = try #require(post())
        #expect(plain.kind == .post && plain.method == "POST" && !plain.isHead)
        #expect(plain.contentLength == 12 && plain.contentType == "application/json")
        #expect(plain.field(.idempotencyKey) == "a")
        for field in [
            ("Content-Length", "12"), ("Content-Type", "text/plain"), ("Content-Encoding", "gzip"),
            ("Transfer-Encoding", "chunked"), ("Expect", "100-continue"), ("Origin", "null"),
            ("Authorization", "Bearer x"), ("traceparent", "00-1-1-01"),
        ] { #expect(post(field) == nil, "\(field)") }
        #expect(head("/", ("Content-Length", "x"), method: .POST) == nil)
        // Others say nothing of a body, and so it is not theirs what it is packed with.
        #expect(head("/", ("Content-Encoding", "gzip"), ("Content-Type", "a"))?.contentType == nil)
    }

    @Test func `has the values that others are read with`() throws {
        let query = Query(
            "hits.test", "A test.", of: "hits.x",
            [
                RequiredParameter<String>("order", "It."), OptionalParameter<String>("of-whom", "Who."),
                OptionalParameter<Int64>("count", "How many."),
            ]
        ) { _, _ in Page(columns: [], rows: []) }
        let taken = ["order=o1", "order=o1&of-whom=a=b", "of-whom=x&&order=~", "&order=a"]
        let left = [
            "", "order", "order=", "order=a&order=b", "order=a&count=1", "order=%41", "order=a+b", "ORDER=a",
            "order=a&ofWhom=b", "order=a&x=y", "order=a&limit=1", "order=\u{e4}", "order=a&of-whom=",
        ]
        for text in taken {
            let pairs = try RequestTarget("/views/x?" + text).parameters.map { ($0.name, $0.value) }
            let values = try ParameterValues.names.values(pairs, of: query.parameters, for: query.name, and: [])
            #expect(query.plainValues(text[...]) == values, "\(text)")
        }
        for text in left { #expect(query.plainValues(text[...]) == nil, "\(text)") }
    }

    @Test func `has the path that others are read with`() throws {
        let quick = Route(.get, "/l/{code}", "A test.", isOpen: true, quick: { _, _ in nil }) { _, _ in RouteReply(204)
        }
        let slow = Route(.get, "/l/{code}/more", "A test.", isOpen: true) { _, _ in RouteReply(204) }
        let table = try RouteTable([.hits.routing([quick, slow])])
        for target in ["/l/aB3", "/l/", "/l", "/l//", "/l/a/", "/l/a//b", "/l/-_~.", "/l/a/more"] {
            #expect(table.plainPath(target) == (try RequestTarget(target).path), "\(target)")
        }
        for target in [
            "/l/a?b", "/l/%41", "/l/a+b", "/x/a", "/l/\u{e4}", "/l/" + String(repeating: "a", count: 20_000),
        ] {
            #expect(table.plainPath(target) == nil, "\(target.prefix(20))")
        }
        #expect(try #require(table.quick(["l", "aB3"])).variables == ["code": "aB3"])
        #expect(table.quick(["l"]) == nil && table.quick([]) == nil && table.quick(["l", "a", "more"]) == nil)
    }
}

@Suite("An answer's bytes")
struct PreparedReplyTests {
    @Test func `are the same prepared as put together`() {
        var reply = Reply(200, .json, .text("{}\n"))
        reply.fields[.eTag] = PreparedReply.mark(.tag)
        reply.fields[.vary] = "Accept"
        let prepared = PreparedReply(reply, [.tag, .length, .date])
        reply.fields[.eTag] = "\"a\""
        let date = "Mon, 30 Nov 2026 14:37:46 GMT"
        for isHead in [false, true] {
            let bytes = prepared.bytes(["\"a\"", "3", date], body: isHead ? nil : Array("{}\n".utf8))
            #expect(bytes == PreparedReply.bytes(reply, isHead: isHead, date: date))
            #expect(
                String(buffer: bytes) == """
                    HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "a"\r\nVary: Accept\r\nContent-Length: 3\r\n\
                    Date: \(date)\r\n\r\n\(isHead ? "" : "{}\n")
                    """)
        }
        // Those that have no body say nothing of its length (RFC 9110, section 8.6).
        for (status, words) in [(304, "304 Not Modified"), (204, "204 No Content")] {
            let bytes = PreparedReply.bytes(Reply(status), isHead: false, date: date)
            #expect(String(buffer: bytes) == "HTTP/1.1 \(words)\r\nDate: \(date)\r\n\r\n")
        }
    }

    @Test func `of a page are those of its JSON`() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed)
        let texts = [
            "", "plain", "a\"b", "back\\slash", "line\nend\t", "\u{1}\u{1f}", "\u{e4}\u{1F697}\u{2028}", "\u{7f}",
        ]
        for _ in 0..<300 {
            let columns = (0..<Int.random(in: 0...6, using: &random)).map { number in
                Column(
                    ["a", "order_id", "x\"y", "is_a_b"].randomElement(using: &random)! + "\(number)",
                    [.text, .integer, .real, .timestamp].randomElement(using: &random)!)
            }
            let rows: [Row] = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                columns.map { column in
                    if Int.random(in: 0...4, using: &random) == 0 { return .null }
                    switch column.kind {
                    case .text: return .text(texts.randomElement(using: &random)!)
                    case .integer, .timestamp:
                        return .integer(Int64.random(in: -1_000...2_000_000_000_000, using: &random))
                    case .real: return .real(Double.random(in: -1e9...1e9, using: &random))
                    }
                }
            }
            let next = Bool.random(using: &random) ? texts.randomElement(using: &random) : nil
            var bytes = Array("before".utf8)
            PageBytes(columns).write(rows, next: next, asOf: "{}", to: &bytes)
            let text = JSON.object([
                ("rows", JSON.array(JSON.rows(rows, columns))), ("next", next.map(JSON.string) ?? "null"),
                ("asOf", "{}"),
            ])
            #expect(String(decoding: bytes, as: UTF8.self) == "before" + text, "seed \(seed)")
        }
    }
}

@Suite("What a connection keeps of its address")
struct KeptBucketTests {
    @Test func `counts with the others of the address, also once that was forgotten`() {
        let rates = Rates(rate: 1)
        let start = ContinuousClock.now
        var (one, other): (Rates.Bucket?, Rates.Bucket?)
        #expect(rates.take("a", at: start, keeping: &one) == nil && rates.take("a", at: start, keeping: &other) == nil)
        #expect(one === other && rates.take("a", at: start, keeping: &one) != nil && rates.take("a", at: start) != nil)
        rates.giveBack("a")
        #expect(rates.take("a", at: start, keeping: &other) == nil && rates.take("a", at: start) != nil)
        // All are as full as new ones a minute later, so those of more addresses come in their place.
        let later = start + .seconds(60)
        for number in 0..<GatewayLimits.addresses { _ = rates.take("b\(number)", at: later) }
        let before = one
        #expect(rates.take("a", at: later, keeping: &one) == nil && rates.take("a", at: later, keeping: &other) == nil)
        #expect(one !== before && one === other && rates.take("a", at: later, keeping: &other) != nil)
    }
}

@Suite("Long queries")
struct LongQueryTests {
    @Test func `go the long way for a moment`() {
        let (queries, now) = (LongQueries(), ContinuousClock.now)
        let query = queries.query("a")
        #expect(!query.isLong(at: now) && queries.query("a") === query && queries.query("b") !== query)
        query.add(at: now)
        #expect(query.isLong(at: now) && !queries.query("b").isLong(at: now))
        #expect(!query.isLong(at: now + GatewayLimits.longQuery))
    }
}

@Suite("A keyed hash")
struct KeyedHashTests {
    @Test func `is what RFC 4231 says`() {
        let cases: [(key: [UInt8], text: String, hash: String)] = [
            (
                [UInt8](repeating: 0x0b, count: 20), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ]
        for (key, text, hash) in cases {
            let keyed = KeyedHash(key: key)
            for _ in 0..<2 {
                let digits = keyed.bytes(of: text).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                #expect(digits == hash)
                #expect(keyed.short(text) == hash.prefix(16))
            }
        }
        #expect(KeyedHash(key: []).bytes(of: "").count == 32)
    }
}
