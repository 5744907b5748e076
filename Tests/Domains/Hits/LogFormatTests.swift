import DomainTesting
import EventModel
import SwiftProtobuf
import Testing

@testable import HitsDomain

@Suite("Access logs of many formats")
struct LogFormatTests {
    /// What is read of lines, one after the other.
    private func read(
        _ format: LogFormat, _ lines: [String], site: AccessLog.Site = .ofLine(otherwise: "file")
    ) throws -> [(hit: HitsHit, time: String)] {
        var reader = AccessLogReader(format, site: site)
        return try lines.compactMap { line in
            guard let record = try reader.read(ArraySlice(line.utf8)) else { return nil }
            guard case .hit(let hit) = try HitsEvent.kind(in: record.value) else { return nil }
            return (hit, record.timestamp.rfc3339)
        }
    }
    private func why(_ format: LogFormat, _ line: String) -> String? {
        do {
            _ = try read(format, [line])
            return nil
        } catch {
            return (error as? any Refusal)?.message ?? "\(error)"
        }
    }
    /// The hit that most lines here tell of.
    private func expected(_ site: String = "file", _ change: (inout HitsHit) -> Void = { _ in }) -> HitsHit {
        .with {
            ($0.site, $0.path, $0.visitor, $0.method) = (site, "/a?b=c", "203.0.113.7", "GET")
            ($0.status, $0.bytes) = (200, 1234)
            ($0.referrer, $0.userAgent) = ("http://r.example/", "curl/8 (x)")
            change(&$0)
        }
    }
    private let time = "2015-05-17T10:05:03Z"
    private let tail = #""GET /a?b=c HTTP/1.1" 200 1234 "http://r.example/" "curl/8 (x)""#

    @Test func `of virtual hosts take their sites from the lines, unless a site is named`() throws {
        let line = "WWW.Example.net:80 203.0.113.7 - - [17/May/2015:10:05:03 +0000] " + tail
        let told = try read(.told, [line])[0]
        #expect(told.hit == expected("www.example.net") && told.time == time)
        #expect(try read(.told, [line], site: .named("mine"))[0].hit == expected("mine"))
        #expect(try read(LogFormat("vhost_combined", field: "f"), [line])[0].hit == expected("www.example.net"))
        for host in ["[::1]:80", "_", "-", "*"] {
            let line = "\(host) 203.0.113.7 - - [17/May/2015:10:05:03 +0000] " + tail
            #expect(try read(LogFormat("VCOMBINED", field: "f"), [line])[0].hit == expected())
        }
        // By its name the first word is the client.
        let plain = try read(LogFormat("combined", field: "f"), ["www:80 id user [17/May/2015:10:05:03 +0000] " + tail])
        #expect(plain[0].hit == expected { $0.visitor = "www" })
    }

    @Test(arguments: [
        #"{"time_iso8601":"2015-05-17T10:05:03+00:00","remote_addr":"203.0.113.7","request":"GET /a?b=c HTTP/1.1","status":"200","body_bytes_sent":"1234","http_referer":"http://r.example/","http_user_agent":"curl/8 (x)"}"#,
        #"{"time_local":"17/May/2015:10:05:03 +0000","remote_addr":"203.0.113.7","request_method":"GET","request_uri":"/a?b=c","status":200,"bytes_sent":1234,"http_referrer":"http://r.example/","http_user_agent":"curl/8 (x)"}"#,
        #"{"msec":1431857103.000,"remote_addr":"10.0.0.1","http_x_forwarded_for":"203.0.113.7, 10.0.0.9","request_method":"GET","uri":"/a","args":"b=c","status":200,"bytes":1234,"referer":"http://r.example/","user_agent":"curl/8 (x)"}"#,
        #" {"@timestamp":"2015-05-17T12:05:03+02:00","clientip":"203.0.113.7","verb":"GET","path":"/a?b=c","response":"200","bytes":"1234","referrer":"http://r.example/","agent":"curl/8 (x)","host":{"name":"shipper"}}"#,
        #"{"level":"info","ts":1431857103.0004,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"203.0.113.7","remote_port":"41342","proto":"HTTP/2.0","method":"GET","uri":"/a?b=c","headers":{"User-Agent":["curl/8 (x)"],"Referer":["http://r.example/"]}},"duration":0.0009,"size":1234,"status":200}"#,
        #"{"ts":"2015/05/17 10:05:03","request":{"remote_addr":"203.0.113.7:41342","method":"GET","uri":"/a?b=c","headers":{"User-Agent":["curl/8 (x)"],"Referer":["http://r.example/"]}},"size":1234,"status":200}"#,
        #"{"ClientHost":"203.0.113.7","RequestMethod":"GET","RequestPath":"/a?b=c","DownstreamStatus":200,"DownstreamContentSize":1234,"StartUTC":"2015-05-17T10:05:03.000400Z","request_User-Agent":"curl/8 (x)","request_Referer":"http://r.example/"}"#,
    ])
    func `of JSON objects are as nginx, Logstash, Caddy and Traefik write them`(_ line: String) throws {
        // A space in front is no format's, but JSON's own.
        let format: LogFormat = line.hasPrefix(" ") ? try LogFormat("json", field: "f") : .told
        let told = try read(format, [line])
        #expect(told.count == 1 && told[0].hit == expected() && told[0].time == time)
    }
    @Test func `of JSON objects have sites, exact times, and no control characters`() throws {
        let line =
            #"{"time":1431857103123456,"request":{"client_ip":"::1","method":"GET","uri":"/a\u0000b","host":"Www.Example.net:8443"},"status":0}"#
        let told = try read(.told, [line])[0]
        #expect(
            told.hit.site == "www.example.net" && told.hit.path == "/a b" && told.time == "2015-05-17T10:05:03.123Z")
        #expect(told.hit.visitor == "::1" && told.hit.status == 0)
    }
    @Test(arguments: [
        ("{", "is not a JSON object"), (#"{"a":1}"#, "the time is missing: neither time_iso8601, time, ts nor msec"),
        (#"{"ts":1e99,"uri":"/"}"#, "the time is 1e99, not a time since 1970"),
        (#"{"ts":"0x10","uri":"/"}"#, "the time is 0x10, not 2015-05-17T10:05:03Z or 17/May/2015:10:05:03 +0000"),
        (#"{"ts":1431857103,"status":200}"#, "the request is missing: neither request nor uri"),
        (#"{"ts":1431857103,"uri":"/","status":"+200"}"#, "the status is +200, not a number"),
        (#"{"ts":1431857103,"uri":"/","size":1.5}"#, "the size is 1.5, not a number"),
    ])
    func `of JSON objects name what is wrong`(_ line: String, _ expected: String) throws {
        #expect(try why(LogFormat("nginx-json", field: "f"), line) == "line: " + expected)
    }

    @Test func `of W3C are read by the directive that was last, also one that was passed over`() throws {
        let head = [
            "#Software: Microsoft Internet Information Services 10.0", "#Version: 1.0", "#Date: 2015-05-17 10:05:03",
            "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-bytes time-taken",
        ]
        let line = "2015-05-17 10:05:03 10.0.0.1 GET /a b=c 443 - 203.0.113.7 curl/8+(x) http://r.example/ 200 1234 15"
        let again = [
            "#Fields: time c-ip cs-method cs-uri-stem cs-uri-query sc-status sc-bytes cs(Referer) cs(User-Agent) cs-host",
            #"10:05:03.25 203.0.113.7 GET /a b=c 200 1234 http://r.example/ "curl/8 (x)" www.example.net"#,
        ]
        let told = try read(.told, head + [line] + again)
        #expect(told.map(\.hit) == [expected(), expected("www.example.net")])
        #expect(told.map(\.time) == [time, "2015-05-17T10:05:03.250Z"])

        var reader = AccessLogReader(.told, site: .named("s"))
        for line in head { reader.passOver(ArraySlice(line.utf8)) }
        #expect(try reader.read(ArraySlice(line.utf8))?.timestamp.rfc3339 == time)
    }
    @Test func `of W3C may be separated by tabs, have whole addresses, and clients of proxies`() throws {
        let told = try read(
            LogFormat("iis", field: "f"),
            [
                "#Fields: date\ttime\tc-ip\tcs-method\tcs-uri\tsc-status\tsc-bytes\tx-forwarded-for\tcs(User-Agent)\tcs(Referer)",
                "2015-05-17\t10:05:03\t10.0.0.1\tGET\t/a?b=c\t200\t1234\t203.0.113.7,+10.0.0.2\tcurl/8 (x)\thttp://r.example/",
            ])
        #expect(told.map(\.hit) == [expected()])
    }
    @Test func `of W3C name what is wrong`() throws {
        let w3c = try LogFormat("w3c", field: "f")
        #expect(why(w3c, "2015-05-17 10:05:03 GET /") == "line: no #Fields line names its fields")
        #expect(why(w3c, "#Fields: c-ip cs-method") == "line: #Fields names no time; the lines after it cannot be read")
        func after(_ line: String) -> String? {
            var reader = AccessLogReader(w3c, site: .named("s"))
            reader.passOver(ArraySlice("#Fields: date time cs-uri-stem sc-status".utf8))
            do {
                _ = try reader.read(ArraySlice(line.utf8))
                return nil
            } catch {
                return (error as? Malformed)?.why
            }
        }
        #expect(after("2015-05-17 10:05:03 /") == "has 3 fields, #Fields names 4")
        #expect(after("17/05/2015 10:05:03 / 200") == "the time is 17/05/2015 10:05:03, not 2015-05-17 10:05:03")
        #expect(after("2015-05-17 10:05:03 / 0xc8") == "the status is 0xc8, not a number")
    }

    @Test(arguments: [
        (#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#, "203.0.113.7 - a b [17/May/2015:10:05:03 +0000] "),
        (
            #"%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-agent}i\""#,
            "203.0.113.7, 10.0.0.1 - - [17/May/2015:10:05:03 +0000] "
        ),
        (
            #"%v:%p %a %l %u %t "%r" %s %O "%{Referer}i" "%{User-Agent}i""#,
            "file:80 203.0.113.7 - - [17/May/2015:10:05:03 +0000] "
        ),
        (
            #"%{X-Forwarded-For}i %h [%{%d/%b/%Y:%H:%M:%S}t.%{msec_frac}t %{%z}t] "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
            "203.0.113.7, 10.0.0.1 10.0.0.2 [17/May/2015:10:05:03.000 +0000] "
        ),
        (
            #"%h %{%Y-%m-%dT%H:%M:%S%z}t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
            "203.0.113.7 2015-05-17T12:05:03+0200 "
        ),
        (#"%{msec}t %h "%m %U%q %H" %>s %B "%{Referer}i" "%{User-Agent}i""#, "1431857103000 203.0.113.7 "),
        (#"%{begin:sec}t|%!200,304h|"%r" %>s %b "%{Referer}i" "%{User-Agent}i""#, "1431857103|203.0.113.7|"),
        (
            #"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#,
            "203.0.113.7 - a b [17/May/2015:10:05:03 +0000] "
        ),
        (
            #"${time_iso8601} $http_x_forwarded_for, $remote_addr "$request" $status $bytes_sent "$http_referer" "$http_user_agent""#,
            "2015-05-17T10:05:03+00:00 203.0.113.7, 10.0.0.1 "
        ),
        (
            #"$msec $remote_addr "$request_method $request_uri $server_protocol" $status $body_bytes_sent "$http_referer" "$http_user_agent""#,
            "1431857103.000 203.0.113.7 "
        ),
        (#"%h %^[%d:%t %^] "%r" %s %b "%R" "%u""#, "203.0.113.7 - - [17/May/2015:12:05:03 +0200] "),
        (#"%v:%^ %h %^[%d:%t %^] "%r" %s %b "%R" "%u""#, "file:80 203.0.113.7 - - [17/May/2015:10:05:03 +0000] "),
        (#"%dT%t.%^ ~h{, } %^ "%r" %s %b "%R" "%u""#, "2015-05-17T10:05:03.000Z 203.0.113.7, 10.0.0.1 x "),
        (#"%x%~%h "%m %U %H" %s %b "%R" "%u""#, "2015-05-17 10:05:03   203.0.113.7 "),
    ])
    func `are as format strings of Apache, nginx and GoAccess tell`(_ format: String, _ start: String) throws {
        let told = try read(LogFormat(format, field: "f"), [start + tail])
        #expect(told.count == 1 && told[0].hit == expected() && told[0].time == time, "\(told)")
    }
    @Test func `of format strings keep fractions, quotes in quotes, and what is cut off`() throws {
        let format = try LogFormat(#"%h [%{%d/%b/%Y:%T}t.%{usec_frac}t] "%r" %>s %b "%{User-agent}i""#, field: "f")
        let told = try read(format, [#"h  [17/May/2015:10:05:03.987654]  "GET /\"q\" http/1.1" 304 - "a \\"#])[0]
        #expect(told.time == "2015-05-17T10:05:03.987Z" && told.hit.path == "/\"q\"" && told.hit.bytes == 0)
        #expect(told.hit.userAgent == "a \\")
        #expect(try read(format, [#"h [17/May/2015:10:05:03.987654] "-" 400 0 "-" more"#])[0].hit.path == "-")
    }
    @Test(arguments: [
        (#"h 17/May/2015"#, "has its end where the format has ' ['"),
        (
            #"h [2015-05-17T10:05:03Z] "GET /" 200"#,
            "the time is '2015-05-17T10:05:03Z] \"GET /\" ', not of the format's shape"
        ),
        (#"h [30/Feb/2015:10:05:03 +0000] "GET /" 200"#, "the time is none that the calendar has"),
        (#"h [17/May/2015:10:05:03 +0000]"#, "has its end where the format has '] \"'"),
        (#"h [17/May/2015:10:05:03 +0000] "GET /" OK"#, "the status is OK, not a number"),
    ])
    func `of format strings name what is wrong`(_ line: String, _ expected: String) throws {
        let format = try LogFormat(#"%h [%{%d/%b/%Y:%T %z}t] "%r" %>s"#, field: "f")
        #expect(why(format, line) == "line: " + expected)
    }
    @Test(arguments: [
        ("squidd", "--log-format: squidd is no format; known are common, combined, vhost_common"),
        ("%h %r", "--log-format: %h %r has no time"), ("%h %t", "--log-format: %h %t has no request"),
        ("%t %Z %r", "--log-format: has %Z, which is no part of Apache's formats"),
        ("%d %t %Z %r", "--log-format: has %Z, which is no part of GoAccess's formats"),
        ("%t %{x %r", "--log-format: has a { without its }"), ("%t %r %", "--log-format: ends in a %"),
        ("%t %h%l %r", "--log-format: has two fields with nothing between them"),
        ("$time_local $", "--log-format: has a $ without a variable"),
        ("%{%Q}t %r", "--log-format: %Q: has %Q, which is no part of a time"),
        ("%t %^", "--log-format: "), ("", "--log-format:  is no format"),
    ])
    func `that nobody knows are told so`(_ format: String, _ expected: String) {
        let no = #expect(throws: Malformed.self) { try LogFormat(format, field: "--log-format") }
        #expect(no?.message.hasPrefix(expected) == true, "\(no?.message ?? "")")
    }
    @Test func `are told only as long as no line was readable`() throws {
        var reader = AccessLogReader(.told, site: .named("s"))
        let (bad, good) = ("hello world", "h - - [17/May/2015:10:05:03 +0000] " + tail)
        let no = #expect(throws: UnknownFormat.self) { try reader.read(ArraySlice(bad.utf8)) }
        #expect(no?.reason == "unknown-format" && no?.message.hasPrefix("the [time] is missing, and no line") == true)
        var other = reader
        _ = try reader.read(ArraySlice(good.utf8))
        #expect(throws: Malformed("line", "the [time] is missing")) { try reader.read(ArraySlice(bad.utf8)) }
        other.passOver(ArraySlice(good.utf8))
        #expect(throws: Malformed("line", "the [time] is missing")) { try other.read(ArraySlice(bad.utf8)) }
    }
}
