import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import HitsDomain

@Suite("An access log's line")
struct AccessLogTests {
    private func read(_ line: [UInt8]) throws -> (hit: HitsHit, record: NewRecord) {
        let record = try AccessLog.hit(line[...], site: "www")
        guard case .hit(let hit) = try HitsEvent.kind(in: record.value) else { throw Malformed("hit", "is none") }
        return (hit, record)
    }
    private func read(_ line: String) throws -> (hit: HitsHit, record: NewRecord) { try read(Array(line.utf8)) }
    /// A line around a request.
    private func request(_ request: String) -> String {
        "h - - [17/May/2015:10:05:03 +0000] \"\(request)\" 200 5"
    }
    private func why(_ line: String) -> String? {
        do {
            _ = try AccessLog.hit(ArraySlice(line.utf8), site: "www")
            return nil
        } catch {
            return error.why
        }
    }

    @Test func `of the common format becomes a hit`() throws {
        let (hit, record) = try read(
            #"199.72.81.55 - - [01/Jul/1995:00:00:01 -0400] "GET /history/apollo/ HTTP/1.0" 200 6245"#)
        #expect(
            hit
                == .with {
                    ($0.site, $0.path, $0.visitor, $0.method) = ("www", "/history/apollo/", "199.72.81.55", "GET")
                    ($0.status, $0.bytes) = (200, 6245)
                })
        #expect(record.timestamp.rfc3339 == "1995-07-01T04:00:01Z")
        #expect(record.key == Bytes(Hits.key(of: .hit(hit))))
    }
    @Test func `of the combined format has a referrer and an agent`() throws {
        let (hit, record) = try read(
            #"83.149.9.216 - frank [17/May/2015:10:05:03 +0000] "GET /a?b=c HTTP/1.1" 200 203023 "http://semicomplete.com/" "Mozilla/5.0 (X11; Linux)""#
        )
        #expect(hit.referrer == "http://semicomplete.com/")
        #expect(hit.userAgent == "Mozilla/5.0 (X11; Linux)")
        #expect(hit.path == "/a?b=c")
        #expect(record.timestamp.rfc3339 == "2015-05-17T10:05:03Z")
    }
    @Test func `may say with a dash that there is nothing`() throws {
        let (hit, _) = try read(#"h - - [17/May/2015:10:05:03 +0000] "HEAD / HTTP/1.1" 304 - "-" "-""#)
        #expect((hit.bytes, hit.referrer, hit.userAgent) == (0, "", ""))
        #expect((hit.method, hit.status) == ("HEAD", 304))
    }
    @Test func `may have a user with spaces, fields more than it must, and end as lines do in Windows`() throws {
        #expect(try read(#"h - Frank N. Furter [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1"#).hit.path == "/")
        #expect(
            try read(#"h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "r" "a" "10.0.0.1" 17"#).hit.userAgent
                == "a")
        #expect(try read(request("GET / HTTP/1.1") + "\r").hit.bytes == 5)
        #expect(try read(request("GET / HTTP/1.1") + "  ").hit.bytes == 5)
    }

    @Test(arguments: [
        (#"GET /\"q\" HTTP/1.1"#, "GET", #"/"q""#), (#"GET /a\\ HTTP/1.1"#, "GET", #"/a\"#),
        (#"GET /\\\"x HTTP/1.1"#, "GET", #"/\"x"#), (#"GET /\x41 HTTP/1.1"#, "GET", #"/\x41"#),
        ("GET /a b c HTTP/1.0", "GET", "/a b c"), ("GET /old", "GET", "/old"), ("M-SEARCH * HTTP/1.1", "M-SEARCH", "*"),
        ("GET / http/1.1", "GET", "/"), ("get /a Http/2", "get", "/a"), ("GET /a HTTP/2.0", "GET", "/a"),
        ("GET /a HTTP/x", "GET", "/a HTTP/x"), ("GET /a http/", "GET", "/a http/"),
        ("GET /a xhttp/1.1", "GET", "/a xhttp/1.1"),
        ("GET ", "", "GET "),
        ("-", "", "-"), ("", "", ""), (#"\x16\x03"#, "", #"\x16\x03"#),
        (#"\x16\x03\x01 \x02"#, "", #"\x16\x03\x01 \x02"#),
        ("ööööööööööööööööööööööööö x", "", "ööööööööööööööööööööööööö x"),
    ])
    func `keeps whatever was asked for`(_ asked: String, _ method: String, _ path: String) throws {
        let hit = try read(request(asked)).hit
        #expect(hit.method == method)
        #expect(hit.path == path)
    }
    @Test(arguments: [
        "[x]", "a]b", "x[1]y", "[", "]", "[17/May/2015]", "a [b] c", "[[", "[2015-05-17]",
    ])
    func `may have brackets in its user's name`(_ user: String) throws {
        let (hit, record) = try read(#"h - \#(user) [17/May/2015:10:05:03 +0000] "GET /[a] HTTP/1.1" 200 5 "r" "[b]""#)
        #expect((hit.visitor, hit.path, hit.userAgent) == ("h", "/[a]", "[b]"))
        #expect(record.timestamp.rfc3339 == "2015-05-17T10:05:03Z")
    }
    @Test func `has no time in what was asked for`() {
        #expect(
            why(#"h - - [soon] "GET /[17/May/2015:10:05:03 +0000] \"x\" HTTP/1.1" 200 5"#)
                == "the time is [soon], not [17/May/2015:10:05:03 +0000]")
    }
    @Test(arguments: [
        ("www.example.net:80 ::1 - -", "::1"), ("www.example.net:443 203.0.113.7 - frank", "203.0.113.7"),
        ("10.0.0.1:80 ::1 - -", "::1"), ("[::1]:80 203.0.113.7 - -", "203.0.113.7"),
        ("www.example.net 203.0.113.7 - -", "203.0.113.7"), ("www:80 localhost - -", "localhost"),
        ("www.example.net:80 203.0.113.7, 198.51.100.2 - -", "203.0.113.7"),
        ("203.0.113.7, 198.51.100.2 - -", "203.0.113.7"), ("203.0.113.7,198.51.100.2 - -", "203.0.113.7"),
        ("2001:db8::1, 10.0.0.1, 10.0.0.2 - frank", "2001:db8::1"), ("unknown, 198.51.100.2 - -", "198.51.100.2"),
        ("203.0.113.7:4711 - -", "203.0.113.7"), ("[2001:db8::1]:4711 - -", "2001:db8::1"),
        ("203.0.113.7:4711, 10.0.0.1:80 - -", "203.0.113.7"), ("2001:db8::80 - -", "2001:db8::80"),
        ("203.0.113.7:4711 - Frank N. Furter", "203.0.113.7"), ("h id user", "h"),
        ("203.0.113.7 198.51.100.2 - -", "203.0.113.7"),
        ("- - -", "-"), ("unknown - -", "unknown"),
    ])
    func `begins with its client, or a list of those, or a virtual host and those`(_ start: String, _ visitor: String)
        throws
    {
        let hit = try read(#"\#(start) [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5"#).hit
        #expect((hit.visitor, hit.path, hit.status, hit.site) == (visitor, "/", 200, "www"))
    }
    @Test func `may end a text with a backslash, which is written twice`() throws {
        let line = #"h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1 "C:\\" "evil \"agent\"\\""#
        let hit = try read(line).hit
        #expect(hit.referrer == #"C:\"#)
        #expect(hit.userAgent == #"evil "agent"\"#)
    }
    @Test func `of raw bytes is read as UTF-8, or else as Latin-1, without control characters`() throws {
        func path(_ bytes: [UInt8]) throws -> String {
            let parts = request("GET /? HTTP/1.0").split(separator: "?").map { Array($0.utf8) }
            return try read(parts[0] + bytes + parts[1]).hit.path
        }
        #expect(try path([0xe9, 0xff]) == "/éÿ")
        #expect(try path(Array("é".utf8)) == "/é")
        #expect(try path([0x16, 0x03, 0x7f]) == "/   ")
        #expect(try path([0x16, 0xe9]) == "/ é")
    }

    @Test(arguments: [
        ("01/Jan/1970:00:00:00 +0000", "1970-01-01T00:00:00Z"), ("31/Dec/1969:23:59:59 -0000", "1969-12-31T23:59:59Z"),
        ("29/Feb/2016:12:00:00 +0530", "2016-02-29T06:30:00Z"), ("01/Mar/2100:00:00:00 +0000", "2100-03-01T00:00:00Z"),
        ("28/Feb/1995:23:30:00 -0400", "1995-03-01T03:30:00Z"), ("31/Dec/2016:23:59:60 +0000", "2017-01-01T00:00:00Z"),
        ("01/Jan/2000:00:00:00 +1400", "1999-12-31T10:00:00Z"), ("1/Jan/2000:00:00:00 +0000", "2000-01-01T00:00:00Z"),
        ("17/May/2015:10:05:03.123 +0000", "2015-05-17T10:05:03.123Z"),
        ("17/May/2015:10:05:03.1239999 +0200", "2015-05-17T08:05:03.123Z"),
        ("17/May/2015:10:05:03,5 +0000", "2015-05-17T10:05:03.500Z"),
        ("2015-05-17T10:05:03Z", "2015-05-17T10:05:03Z"), ("2015-05-17T10:05:03.5+02:00", "2015-05-17T08:05:03.500Z"),
        ("2015-05-17 10:05:03 +0000", "2015-05-17T10:05:03Z"), ("1431857103.123", "2015-05-17T10:05:03.123Z"),
        ("1431857103123", "2015-05-17T10:05:03.123Z"),
    ])
    func `has its time in any zone`(_ text: String, _ time: String) throws {
        #expect(try AccessLog.timestamp(text).rfc3339 == time)
    }
    @Test(arguments: [
        "", "17/May/2015", "17/May/2015:10:05:03", "17/May/2015:10:05 +0000", "17/Mai/2015:10:05:03 +0000",
        "32/May/2015:10:05:03 +0000", "0/May/2015:10:05:03 +0000", "30/Feb/2015:10:05:03 +0000",
        "29/Feb/2100:10:05:03 +0000", "17/May/2015:24:05:03 +0000", "17/May/2015:10:60:03 +0000",
        "17/May/2015:10:05:61 +0000", "17/May/15:10:05:03 +0000", "17/May/2015:10:05:03 0000",
        "17/May/99999999999999999999:10:05:03 +0000", "+7/May/2015:10:05:03 +0000", "17/May/2015:+1:05:03 +0000",
        "17/May/2015:10:05:03 ++100", "17/May/2015:10:05:03. +0000", "17/May/2015:10:05:03 +0060", "2015-05-17", "42",
        "0x7df-05-17T10:05:03Z", "1e12",
    ])
    func `with a time that is none is refused, and the time shown`(_ time: String) {
        #expect(
            why(#"h - - [\#(time)] "GET / HTTP/1.1" 200 5"#)
                == "the time is [\(time)], not [17/May/2015:10:05:03 +0000]")
    }

    @Test(arguments: [
        ("", "the host is missing"), ("   ", "the host is missing"), ("h", "the identity is missing"),
        ("h -", "the [time] is missing"), ("h - - 17/May/2015", "the [time] is missing"),
        ("h - - [17/May/2015:10:05:03 +0000", "the [time] is missing"),
        ("h - - [17/May/2015:10:05:03 +0000]", "the request is not in quotes"),
        ("h - - [17/May/2015:10:05:03 +0000] GET / 200 5", "the request is not in quotes"),
        (#"h - - [17/May/2015:10:05:03 +0000] "GET / 200 5"#, "the request has no closing quote"),
        (#"h - - [17/May/2015:10:05:03 +0000] "GET /\" 200 5"#, "the request has no closing quote"),
        (#"h - - [17/May/2015:10:05:03 +0000] "GET /""#, "the status is missing"),
        (#"h - - [17/May/2015:10:05:03 +0000] "GET /" 200"#, "the size is missing"),
        (#"h - - [17/May/2015:10:05:03 +0000] "GET /" OK 5"#, "the status is OK, not a number"),
        (#"h - - [17/May/2015:10:05:03 +0000] "GET /" 200 5kB"#, "the size is 5kB, not a number"),
        (#"h - - [17/May/2015:10:05:03 +0000] "GET /" +200 5"#, "the status is +200, not a number"),
        (#"h - - [17/May/2015:10:05:03 +0000] "GET /" 0x1f4 5"#, "the status is 0x1f4, not a number"),
        (#"h - - [17/May/2015:10:05:03 +0000] "GET /" 200 +5"#, "the size is +5, not a number"),
        (
            #"h - - [17/May/2015:10:05:03 +0000] "GET /" 200 99999999999999999999"#,
            "the size is 99999999999999999999, not a number"
        ),
        (#"h - - [17/May/2015:10:05:03 +0000] "GET /" 200 5 more"#, "the referrer is not in quotes"),
        (#"h - - [17/May/2015:10:05:03 +0000] "GET /" 200 5 "r""#, "the agent is not in quotes"),
        (#"h - - [17/May/2015:10:05:03 +0000] "GET /" 999 5"#, "status: is 999, it must be 100 to 599"),
        (#"h - - [17/May/2015:10:05:03 +0000] "GET /" 200 -5"#, "bytes: is -5, it must be 0 to 9223372036854775807"),
        ("hello world, this is no log", "the [time] is missing"),
    ])
    func `that is none is refused with what is wrong`(_ line: String, _ expected: String) {
        #expect(why(line) == expected)
    }
    @Test func `with a path that is too long is refused`() {
        #expect(why(request("GET /" + String(repeating: "x", count: 9000)))?.hasPrefix("path: has 9001 bytes") == true)
    }
}
