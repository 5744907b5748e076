import EventModel
import Foundation
import TestSupport
import Testing

@testable import KVDomain
@testable import RESP

/// Kinds of faults that other key-value stores have been reported for, tried on this one. docs/domains/kv.md names the reports.
@Suite("Faults of other stores", .serialized, .timeLimit(.minutes(10)))
struct KnownFaultsTests {
    @Test func `a key whose time is over comes back by nothing`() async throws {
        try await KeyServers.with { servers in
            let client = try RESPClient(port: try await servers.serve().port)
            for (number, ask) in [
                ["PERSIST", "k"], ["EXPIRE", "k", "100"], ["TTL", "k"], ["EXISTS", "k"], ["GETDEL", "k"],
                ["SET", "k", "w", "XX"], ["SET", "k", "w", "KEEPTTL"], ["APPEND", "k", "x"], ["INCR", "k"],
                ["CAS", "k", "0", "new"],
            ].enumerated() {
                let key = "k\(number)"
                #expect(try client.ask("SET", key, "5", "PX", "30") == .simple("OK"))
                try await eventually("\(key) to be over") {
                    try client.ask("GET", key) == .bulk(nil) ? true : nil
                }
                let answer = try client.pipeline([[ask[0], key] + ask.dropFirst(2)])[0].description
                let expected: [String: [String]] = [
                    "PERSIST": [":0"], "EXPIRE": [":0"], "TTL": [":-2"], "EXISTS": [":0"], "GETDEL": ["nil"],
                    "SET": ["nil", "+OK"], "APPEND": [":1"], "INCR": [":1"],
                ]
                if let expected = expected[ask[0]] { #expect(expected.contains(answer), "\(ask): \(answer)") }
                // What is there now has no time from before.
                let ttl = try client.ask("TTL", key)
                #expect(ttl == .integer(-1) || ttl == .integer(-2), "\(ask)")
                if ask[0] == "CAS" { #expect(try client.ask("GET", key) == .bulk("new"), "\(answer)") }
            }
        }
    }

    @Test func `only whole numbers as they are written count as numbers`() async throws {
        try await KeyServers.with { servers in
            let client = try RESPClient(port: try await servers.serve().port)
            let wrong = Answer.error("ERR value is not an integer or out of range")
            for text in [
                "", " ", "01", "+1", " 1", "1 ", "-0", "-", "1\0", "\0", "99\0x", "1.0", "1e3", "9223372036854775808",
                "٣",
            ] {
                #expect(try client.ask("SET", "n", text) == .simple("OK"))
                #expect(try client.ask("INCR", "n") == wrong, "\(text.debugDescription)")
                #expect(try client.ask("GET", "n") == .bulk(text))
                #expect(try client.ask("INCRBY", "other", text) == wrong, "\(text.debugDescription)")
            }
            #expect(try client.ask("EXISTS", "other") == .integer(0))
            for (text, by, sum) in [
                ("0", "-1", "-1"), ("1", "-1", "0"), ("-1", "1", "0"),
                ("-9223372036854775807", "-1", "-9223372036854775808"),
                ("9223372036854775806", "1", "9223372036854775807"),
            ] {
                #expect(try client.ask("SET", "n", text) == .simple("OK"))
                #expect(try client.ask("INCRBY", "n", by).text == sum && client.ask("GET", "n") == .bulk(sum))
            }
            let over = Answer.error("ERR increment or decrement would overflow")
            #expect(
                try client.ask("INCR", "n") == over && client.ask("SET", "n", "-9223372036854775808") == .simple("OK"))
            #expect(try client.ask("DECR", "n") == over && client.ask("GET", "n") == .bulk("-9223372036854775808"))
        }
    }

    @Test func `lines, empty texts and what is no text of a command`() async throws {
        try await KeyServers.with { servers in
            let port = try await servers.serve().port
            let client = try RESPClient(port: port)
            // Line feeds alone, empty lines, an array behind an empty line, both quotes, options in small letters.
            try client.send(
                "set a 1\nset b 'lorem ipsum'\n\n\r\n*2\r\n$4\r\nECHO\r\n$3\r\nend\r\nGET b\nset a 2 keepttl\r\n")
            #expect(try client.answer() == .simple("OK") && client.answer() == .simple("OK"))
            #expect(try client.answer() == .bulk("end") && client.answer() == .bulk("lorem ipsum"))
            #expect(try client.answer() == .simple("OK"))
            // An empty value in the middle of a pipeline.
            try client.send(
                "*3\r\n$3\r\nSET\r\n$1\r\ne\r\n$0\r\n\r\n*2\r\n$3\r\nGET\r\n$1\r\ne\r\n*2\r\n$6\r\nEXISTS\r\n$1\r\ne\r\n"
            )
            #expect(
                try client.answer() == .simple("OK") && client.answer() == .bulk("") && client.answer() == .integer(1))
            // Keys that cannot be are refused by name, and the connection goes on.
            try client.send("*2\r\n$3\r\nGET\r\n$0\r\n\r\n*3\r\n$3\r\nSET\r\n$0\r\n\r\n$1\r\nv\r\n")
            #expect(try client.answer() == .bulk(nil) && client.answer() == .error("ERR key: is missing"))
            try client.send(Array("*3\r\n$3\r\nSET\r\n$2\r\n".utf8) + [0xff, 0xfe] + Array("\r\n$1\r\nv\r\n".utf8))
            #expect(try client.answer().isError && client.ask("PING") == .simple("PONG"))
            // An argument that is nil, counts without end: that connection ends, and no other.
            for (request, why) in [
                ("*2\r\n$4\r\nECHO\r\n$-1\r\n", "invalid bulk length"), ("*2147483648\r\n", "invalid multibulk length"),
                ("*2\r\n$4\r\nECHO\r\n$2147483648\r\n", "invalid bulk length"),
                ("*1\r\n$4\r\nPING\r\n*1\r\nPING\r\n", "expected '$', got 'P'"),
            ] {
                let bad = try RESPClient(port: port)
                try bad.send(request)
                if request.hasPrefix("*1\r\n$4") { #expect(try bad.answer() == .simple("PONG")) }
                #expect(try bad.answer() == .error("ERR Protocol error: \(why)") && bad.isClosed, "\(request)")
                #expect(try client.ask("GET", "a") == .bulk("2"))
            }
            // A pipeline that is cut: what came whole is done.
            let cut = try RESPClient(port: port)
            try cut.send("*3\r\n$3\r\nSET\r\n$3\r\ncut\r\n$1\r\n1\r\n*3\r\n$3\r\nSET\r\n$3\r\ncut\r\n$1\r\n")
            #expect(try cut.answer() == .simple("OK"))
            #expect(try client.ask("GET", "cut") == .bulk("1"))
        }
    }

    @Test func `a page of the web that has a browser send commands as a body gets none of them done`() async throws {
        try await KeyServers.with { servers in
            let port = try await servers.serve().port
            let client = try RESPClient(port: port)
            #expect(try client.ask("SET", "a", "1") == .simple("OK"))
            let refused = Answer.error("ERR this is a request over HTTP, and no command")
            for head in ["POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n", "hOST: localhost\r\n\r\n"] {
                let page = try RESPClient(port: port)
                try page.send(head + "SET a 2\r\n")
                #expect(try page.answer() == refused && page.isClosed, "\(head)")
                #expect(try client.ask("GET", "a") == .bulk("1"), "\(head)")
            }
            // What came before is done, and a key or a value of that name is one like any other.
            let page = try RESPClient(port: port)
            try page.send("SET post host:\r\nMULTI\r\nPOST / HTTP/1.1\r\nDEL post\r\n")
            #expect(try page.answer() == .simple("OK") && page.answer() == .simple("OK"))
            #expect(try page.answer() == refused && page.isClosed)
            #expect(try client.ask("GET", "post") == .bulk("host:"))
        }
    }

    /// The most memory that a process has had, in MiB.
    private func peak(_ process: Running) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return (Int(line.split(separator: " ")[1]) ?? 0) / 1024
    }

    @Test func `large answers are made no faster than they are taken, and one has a limit`() async throws {
        try await KeyServers.with { servers in
            let (process, port) = try await servers.serve()
            let client = try RESPClient(port: port)
            let big = String(repeating: "v", count: KVLimits.value)
            #expect(try client.ask("SET", "big", big) == .simple("OK"))
            let before = try peak(process)
            let count = 400
            for consistency in ["linearizable", "any"] {
                let greedy = try RESPClient(port: port, seconds: 60)
                #expect(try greedy.ask("CONSISTENCY", consistency) == .simple("OK"))
                try greedy.send(
                    String(repeating: "*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n", count: count) + "*1\r\n$4\r\nPING\r\n")
                // Others are served before it takes anything.
                #expect(try client.ask("GET", "other") == .bulk(nil))
                for _ in 0..<count {
                    guard try greedy.bytes()?.count == KVLimits.value else {
                        Issue.record("another answer than the value")
                        return
                    }
                }
                #expect(try greedy.answer() == .simple("PONG"))
            }
            let grown = try peak(process) - before
            #expect(grown < 200, "it took \(grown) MiB more to answer \(count) MiB")
            let most = RESPLimits.answer / KVLimits.value
            let keys = Array(repeating: "big", count: most)
            guard case .list(let all) = try client.pipeline([["MGET"] + keys])[0] else {
                Issue.record("no list")
                return
            }
            #expect(all.count == most)
            let refused = try client.pipeline([["MGET"] + keys + ["missing", "big"]])[0]
            #expect(refused == .error("ERR these values have over 67108864 bytes; ask for fewer keys at once"))
            #expect(try client.ask("PING") == .simple("PONG"))
        }
    }

    @Test func `many large commands in one go are all done, in their order`() async throws {
        try await KeyServers.with { servers in
            let client = try RESPClient(port: try await servers.serve().port, seconds: 60)
            let value = String(repeating: "v", count: 500_000)
            let count = 300
            for number in 0..<count {
                try client.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$500003\r\n\(value)\(100 + number)\r\n")
            }
            for number in 0..<count { try #require(try client.answer() == .simple("OK"), "command \(number)") }
            #expect(try client.ask("GET", "k") == .bulk("\(value)\(99 + count)"))
        }
    }

    @Test func `a run over keys of which most go ends, and meets all that stay`() async throws {
        try await KeyServers.with { servers in
            let client = try RESPClient(port: try await servers.serve().port)
            _ = try client.pipeline((0..<2000).map { ["SET", $0 % 10 == 0 ? "stay\($0)" : "go\($0)", "v"] })
            var (cursor, met, rounds) = ("0", Set<String>(), 0)
            repeat {
                guard case .list(let all) = try client.ask("SCAN", cursor, "COUNT", "50"), case .list(let keys) = all[1]
                else {
                    Issue.record("no page")
                    return
                }
                met.formUnion(keys.compactMap(\.text))
                cursor = all[0].text ?? "0"
                let start = rounds * 100
                _ = try client.pipeline(
                    (start..<start + 100).filter { $0 % 10 != 0 }.map { ["DEL", "go\($0 % 2000)"] }
                        + [["SET", "new\(rounds)", "v"]])
                rounds += 1
            } while cursor != "0" && rounds < 500
            #expect(cursor == "0" && met.isSuperset(of: (0..<200).map { "stay\($0 * 10)" }))
        }
    }

    @Test func `of many who make a key that was deleted, one does, and its deletion is told at its revision`()
        async throws
    {
        try await KeyServers.with { servers in
            let worker = try servers.start("up")
            let port = try await servers.serve("--without-handler").port
            let client = try RESPClient(port: port)
            #expect(try client.ask("SET", "lock", "first") == .simple("OK") && client.ask("DEL", "lock") == .integer(1))
            let won = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<8 {
                    group.addTask {
                        let one = try RESPClient(port: port)
                        return try one.ask("CAS", "lock", "0", "n\(number)") == .integer(3) ? 1 : 0
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(won == 1)
            #expect(try client.ask("CAS", "lock", "1", "late") == .bulk(nil), "the revision before the deletion")
            #expect(try client.ask("CAS", "lock", "2", "late") == .bulk(nil), "that of the deletion")
            let lag = try await servers.run("lag", "--sum", "--wait", "60s")
            #expect(lag.exit == 0, "\(lag)")
            let then = try await servers.run("query", "kv.at-version", "--key", "lock", "--revision", "2", "--json")
            #expect(then.out.contains(#""change":"deleted","value":null"#), "\(then)")
            #expect(try await worker.stop().exit == 0)
        }
    }
}
