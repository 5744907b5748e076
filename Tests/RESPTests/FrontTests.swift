import EventModel
import Foundation
import TestSupport
import Testing

@testable import KVDomain
@testable import RESP

@Suite("Keys over RESP", .serialized, .timeLimit(.minutes(10)))
struct FrontTests {
    @Test func `commands are answered as Redis answers them`() async throws {
        try await KeyServers.with { servers in
            let client = try RESPClient(port: try await servers.serve().port)
            let story: [(String, String)] = [
                ("PING", "+PONG"), ("PING hi", "\"hi\""), ("ECHO x", "\"x\""), ("SET a 1", "+OK"), ("GET a", "\"1\""),
                ("get missing", "nil"), ("SET a 2 NX", "nil"), ("SET b 2 XX", "nil"), ("SET a 2 XX GET", "\"1\""),
                ("SET a 2 GET", "\"2\""), ("SET new x GET", "nil"), ("SET a 3 NX GET", "\"2\""),
                ("SET a 2 NX GET", "\"2\""),
                ("SET fresh 1 NX GET", "nil"), ("SETNX a 9", ":0"), ("SETNX c 9", ":1"),
                ("INCR n", ":1"), ("INCRBY n 41", ":42"), ("DECR n", ":41"), ("DECRBY n 1", ":40"),
                ("INCRBY n 0", ":40"), ("INCR new", "-ERR value is not an integer or out of range"),
                ("INCRBY n 9223372036854775807", "-ERR increment or decrement would overflow"),
                ("INCRBY n x", "-ERR value is not an integer or out of range"),
                ("APPEND s ab", ":2"), ("APPEND s cd", ":4"), ("STRLEN s", ":4"), ("STRLEN missing", ":0"),
                ("EXISTS a a missing", ":2"), ("TYPE a", "+string"), ("TYPE missing", "+none"),
                ("TTL a", ":-1"), ("TTL missing", ":-2"), ("EXPIRE a 100", ":1"), ("TTL a", ":100"),
                ("SET a 3 KEEPTTL", "+OK"), ("TTL a", ":100"), ("PERSIST a", ":1"), ("PERSIST a", ":0"),
                ("PERSIST missing", ":0"), ("EXPIRE missing 10", ":0"), ("EXPIRE a -1", ":1"), ("EXISTS a", ":0"),
                ("SETEX e 100 v", "+OK"), ("TTL e", ":100"),
                ("SETEX e 0 v", "-ERR invalid expire time in 'setex' command"),
                ("SET e v EX 0", "-ERR invalid expire time in 'set' command"),
                ("SET e v PX x", "-ERR value is not an integer or out of range"), ("SET e v EX", "-ERR syntax error"),
                ("SET e v EX 1 PX 1", "-ERR syntax error"), ("SET e v NX XX", "-ERR syntax error"),
                // Numbers that no time has.
                ("SET e w PX 9223372036854775807", "-ERR invalid expire time in 'set' command"),
                ("EXPIRE e 9223372036854775807", "-ERR invalid expire time in 'expire' command"),
                ("EXPIRE e 9223370399119966", "-ERR invalid expire time in 'expire' command"),
                ("EXPIRE e -9223372036854776", "-ERR invalid expire time in 'expire' command"),
                ("PEXPIREAT e 9223372036854775807", "-ERR invalid expire time in 'pexpireat' command"),
                ("SET e w EXAT 0", "-ERR invalid expire time in 'set' command"),
                ("SET e w PXAT 9223372036854775807", "-ERR invalid expire time in 'set' command"),
                // A moment that is over.
                ("SET g v", "+OK"), ("SET g w NX EXAT 1", "nil"), ("SET g w NX GET EXAT 1", "\"v\""),
                ("GET g", "\"v\""), ("SET g w XX GET PXAT 1", "\"v\""), ("GET g", "nil"), ("SET g w XX EXAT 1", "nil"),
                ("SET g w NX EXAT 1", "+OK"), ("SET g w NX GET EXAT 1", "nil"), ("EXISTS g", ":0"),
                ("SET g v", "+OK"), ("SET g w EXAT 1", "+OK"), ("EXISTS g", ":0"), ("SET g w EXAT 1", "+OK"),
                ("SET g w GET EXAT 1", "nil"), ("EXPIRE e 100 NX", "-ERR Unsupported option NX"),
                ("PEXPIREAT missing -9223372036854775808", ":0"),
                ("DECRBY n -9223372036854775808", "-ERR decrement would overflow"),
                ("SCAN 9223372036854775808 MATCH *11*", "[\"0\", []]"),
                ("SCAN 18446744073709551615", "[\"0\", []]"), ("SCAN 18446744073709551616", "-ERR invalid cursor"),
                ("SCAN 0 COUNT 0", "-ERR syntax error"), ("SCAN 0 TYPE hash", "[\"0\", []]"),
                ("GETDEL e", "\"v\""), ("GETDEL e", "nil"), ("DEL b c n missing", ":2"),
                ("MSET {t}a 1 {t}b 2", "+OK"), ("MGET {t}a missing {t}b", "[\"1\", nil, \"2\"]"),
                ("MSET a 1 b 2", "-CROSSSLOT Keys in request don't hash to the same slot"),
                ("MSET a", "-ERR wrong number of arguments for 'mset' command"),
                ("MSETNX {t}a 1 {t}c 2", ":0"), ("MSETNX {t}c 1 {t}d 2", ":1"),
                ("CAS v 0 x", ":1"), ("CAS v 0 y", "nil"), ("CAS v 1 y", ":2"), ("GETREV v", "[\"y\", :2]"),
                ("REVISION v", ":2"), ("DEL v", ":1"), ("REVISION v", ":0"), ("CAS v 0 z", ":4"),
                ("EXEC", "-ERR EXEC without MULTI"), ("DISCARD", "-ERR DISCARD without MULTI"), ("MULTI", "+OK"),
                ("MULTI", "-ERR MULTI calls can not be nested"), ("SET {m}a 1", "+QUEUED"),
                ("MSET {m}b 2 {m}a 3", "+QUEUED"), ("EXEC", "[+OK, +OK]"), ("MGET {m}a {m}b", "[\"3\", \"2\"]"),
                ("MULTI", "+OK"), ("SET {m}a 9", "+QUEUED"), ("DISCARD", "+OK"), ("GET {m}a", "\"3\""),
                ("MULTI", "+OK"), ("SET {m}a 9", "+QUEUED"),
                ("SET other 1", "-CROSSSLOT Keys in request don't hash to the same slot"),
                ("EXEC", "-EXECABORT Transaction discarded because of previous errors."), ("GET {m}a", "\"3\""),
                ("MULTI", "+OK"),
                (
                    "INCR {m}a",
                    "-ERR 'incr' cannot be in a transaction here: MULTI takes SET key value and MSET, of keys of one "
                        + "tag; CAS changes one key where its revision is the expected one"
                ), ("EXEC", "-EXECABORT Transaction discarded because of previous errors."),
                ("MULTI", "+OK"), ("SET {m}a 9", "+QUEUED"),
                ("NOPE", "-ERR unknown command 'NOPE', with args beginning with: "),
                ("EXEC", "-EXECABORT Transaction discarded because of previous errors."), ("GET {m}a", "\"3\""),
                ("MULTI", "+OK"), ("SET {m}a 9", "+QUEUED"),
                ("SET {m}a", "-ERR wrong number of arguments for 'set' command"),
                ("EXEC", "-EXECABORT Transaction discarded because of previous errors."), ("GET {m}a", "\"3\""),
                ("MULTI", "+OK"), ("EXEC", "[]"),
                ("VERIFY 0", "[:0, :0]"), ("VERIFY 4", "-ERR a partition is 0 to 3"),
                ("DIGEST x", "-ERR a partition is 0 to 3"),
                ("SELECT 0", "+OK"), ("SELECT 1", "-ERR DB index is out of range"),
                ("CLIENT SETNAME me", "+OK"), ("CLIENT GETNAME", "\"me\""), ("CONFIG GET save", "[\"save\", \"\"]"),
                ("CONSISTENCY", "\"linearizable\""), ("CONSISTENCY any", "+OK"), ("GET v", "\"z\""),
                ("CONSISTENCY none", "-ERR consistency is linearizable, after, any"), ("CONSISTENCY after", "+OK"),
                ("GET", "-ERR wrong number of arguments for 'get' command"),
                ("NOPE a b", "-ERR unknown command 'NOPE', with args beginning with: 'a' 'b' "),
                (
                    "AUTH x",
                    "-ERR AUTH <password> called without any password configured for the default user. Are you "
                        + "sure your configuration is correct?"
                ),
                ("AFTER kv.events/0@x", "-ERR a place is kv.events/PARTITION@OFFSET, of a partition that there is"),
            ]
            for (line, expected) in story {
                let answer = try client.pipeline([line.split(separator: " ").map(String.init)])[0]
                #expect(answer.description == expected, "\(line)")
            }
            // The same, but the first and what depends on the connection, in one go.
            let again = try client.pipeline([
                ["SET", "p", "1"], ["GET", "p"], ["INCR", "p"], ["GET", "p"], ["DEL", "p"],
            ])
            #expect(again.map(\.description) == ["+OK", "\"1\"", ":2", "\"2\"", ":1"])
        }
    }

    @Test func `any bytes are a value, up to the limit, and keys expire by themselves`() async throws {
        try await KeyServers.with { servers in
            let (process, port) = try await servers.serve()
            let client = try RESPClient(port: port)
            let bytes = [UInt8](0...255)
            try client.send(Array("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$256\r\n".utf8) + bytes + Array("\r\n".utf8))
            #expect(try client.answer() == .simple("OK") && client.ask("STRLEN", "k") == .integer(256))
            let most = String(repeating: "v", count: KVLimits.value)
            #expect(try client.ask("SET", "big", most) == .simple("OK") && client.ask("GET", "big") == .bulk(most))
            #expect(
                try client.ask("APPEND", "big", "x")
                    == .error("ERR string exceeds maximum allowed size (proto-max-bulk-len)"))
            let key = String(repeating: "k", count: 512)
            #expect(try client.ask("SET", key, "v") == .simple("OK"))
            #expect(try client.ask("SET", key + "k", "v").isError && client.ask("SET", "a\u{1}", "v").isError)
            // Over the limit the command is refused as Redis does, and the connection ends; others go on.
            let other = try RESPClient(port: port)
            try other.send("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$\(RESPLimits.argument + 1)\r\n")
            #expect(try other.answer() == .error("ERR Protocol error: invalid bulk length") && other.isClosed)
            #expect(try client.ask("SET", "soon", "v", "PX", "300") == .simple("OK"))
            try await eventually("a key to expire") { try client.ask("GET", "soon") == .bulk(nil) ? true : nil }
            try await eventually("its event") { try client.ask("DBSIZE") == .integer(3) ? true : nil }
            #expect(try await process.stop().exit == 0)
            // What was there is there again.
            let next = try RESPClient(port: try await servers.serve().port)
            #expect(try next.ask("STRLEN", "big") == .integer(Int64(KVLimits.value)))
            #expect(try next.ask("DBSIZE") == .integer(3))
        }
    }

    @Test func `what is no command hurts nobody else`() async throws {
        try await KeyServers.with { servers in
            let port = try await servers.serve().port
            let good = try RESPClient(port: port)
            var random = SeededRandom(0xbad)
            print("bad requests: seed 0xbad")
            for round in 0..<150 {
                let bad = try RESPClient(port: port)
                let bytes = (0..<random.number(1...200)).map { _ in UInt8(random.number(0...255)) }
                try? bad.send(random.chance(50) ? bytes : Array("*3\r\n$3\r\nSET\r\n".utf8) + bytes)
                if round % 10 == 0 { #expect(try good.ask("SET", "k", "\(round)") == .simple("OK")) }
            }
            #expect(try good.ask("GET", "k") == .bulk("140"))
            // One that takes no answers keeps neither the others waiting nor memory without end.
            let greedy = try RESPClient(port: port, seconds: 1)
            #expect(try good.ask("SET", "big", String(repeating: "v", count: 500_000)) == .simple("OK"))
            let asks = Array(String(repeating: "*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n", count: 20_000).utf8)
            try? greedy.send(asks)
            #expect(try good.ask("PING") == .simple("PONG"))
            // Lines, and what follows the last word.
            let lines = try RESPClient(port: port)
            try lines.send("SET inline \"a b\"\r\nGET inline\r\nQUIT\r\nPING\r\n")
            #expect(try lines.answer() == .simple("OK") && lines.answer() == .bulk("a b"))
            #expect(try lines.answer() == .simple("OK") && lines.isClosed)
        }
    }

    @Test func `a run over the keys meets all that stay, and thousands of commands may come at once`() async throws {
        try await KeyServers.with { servers in
            let client = try RESPClient(port: try await servers.serve().port)
            let answers = try client.pipeline((0..<3000).map { ["SET", "key:\($0)", "v\($0)"] })
            #expect(answers.allSatisfy { $0 == .simple("OK") })
            #expect(try client.pipeline((0..<3000).map { ["GET", "key:\($0)"] }) == (0..<3000).map { .bulk("v\($0)") })
            var (cursor, met) = ("0", Set<String>())
            repeat {
                guard case .list(let all) = try client.ask("SCAN", cursor, "COUNT", "97", "MATCH", "key:1*"),
                    case .list(let keys) = all[1]
                else {
                    Issue.record("no page")
                    return
                }
                met.formUnion(keys.compactMap(\.text))
                cursor = all[0].text ?? "0"
                _ = try client.ask("SET", "other\(cursor)", "v")
            } while cursor != "0"
            #expect(met == Set((0..<3000).map { "key:\($0)" }.filter { $0.hasPrefix("key:1") }))
            #expect(try client.ask("SCAN", "x") == .error("ERR invalid cursor"))
        }
    }

    @Test func `HELLO 3 speaks the newer version`() async throws {
        try await KeyServers.with { servers in
            let client = try RESPClient(port: try await servers.serve().port)
            #expect(try client.ask("HELLO", "4") == .error("NOPROTO unsupported protocol version"))
            guard case .list(let members) = try client.ask("HELLO", "3") else {
                Issue.record("no map")
                return
            }
            #expect(members.contains(.bulk("proto")) && members.contains(.integer(3)))
            #expect(try client.ask("GET", "missing") == .bulk(nil))
        }
    }

    @Test func `who has no token may do nothing, and one with a token what it says`() async throws {
        try await KeyServers.with { servers in
            let keys = "\(servers.folder)/keys.json"
            #expect(try await servers.plain("token", "keys", keys).exit == 0)
            func token(_ scope: String) async throws -> String {
                let made = try await servers.plain(
                    "token", "make", "--token-keys", keys, "--subject", "ann", "--scope", scope)
                #expect(made.exit == 0, "\(made)")
                return made.out.trimmingCharacters(in: .whitespacesAndNewlines)
            }
            let port = try await servers.serve("--token-keys", keys).port
            let client = try RESPClient(port: port)
            #expect(try client.ask("GET", "k") == .error("NOAUTH Authentication required."))
            #expect(
                try client.ask("AUTH", "wrong")
                    == .error("WRONGPASS invalid username-password pair or user is disabled."))
            #expect(try client.ask("AUTH", "default", await token("kv:query")) == .simple("OK"))
            #expect(try client.ask("GET", "k") == .bulk(nil))
            #expect(
                try client.ask("SET", "k", "v")
                    == .error("NOPERM this user has no permissions to run the 'set' command"))
            let other = try RESPClient(port: port)
            #expect(try other.ask("AUTH", await token("kv:send")) == .simple("OK"))
            #expect(try other.ask("SET", "k", "v") == .simple("OK") && other.ask("GET", "k").isError)
        }
    }

    @Test func `who is denied may do nothing more, on a connection that is there as well`() async throws {
        try await KeyServers.with { servers in
            let keys = "\(servers.folder)/keys.json"
            #expect(try await servers.plain("token", "keys", keys).exit == 0)
            func token(of subject: String) async throws -> String {
                let made = try await servers.plain(
                    "token", "make", "--token-keys", keys, "--subject", subject, "--scope", "kv:query")
                return made.out.trimmingCharacters(in: .whitespacesAndNewlines)
            }
            let (hers, his) = (try await token(of: "ann"), try await token(of: "ben"))
            let (process, port) = try await servers.serve("--token-keys", keys)
            let (ann, ben) = (try RESPClient(port: port), try RESPClient(port: port))
            for (client, token) in [(ann, hers), (ben, his)] {
                #expect(try client.ask("AUTH", token) == .simple("OK") && client.ask("GET", "k") == .bulk(nil))
            }
            let file = try String(contentsOfFile: keys, encoding: .utf8)
            try file.replacing("\n]}", with: "\n],\"denied\":{\"subjects\":[\"ben\"]}}")
                .write(toFile: keys, atomically: false, encoding: .utf8)
            kill(process.pid, SIGHUP)
            let refused = Answer.error("NOAUTH Authentication required.")
            try await eventually("ben to be denied: \(process.err)") {
                try ben.ask("GET", "k") == refused ? true : nil
            }
            #expect(try ben.ask("AUTH", his).isError && ben.ask("SCAN", "0") == refused)
            #expect(try ann.ask("GET", "k") == .bulk(nil) && ann.ask("AUTH", hers) == .simple("OK"))
        }
    }

    @Test func `several processes serve one log, and reads of each see what was acknowledged by any`() async throws {
        try await KeyServers.with { servers in
            let (one, two) = (try await servers.serve(), try await servers.serve("--without-handler"))
            let (writer, reader) = (try RESPClient(port: one.port), try RESPClient(port: two.port))
            for number in 0..<200 {
                #expect(try writer.ask("SET", "k", "\(number)") == .simple("OK"))
                #expect(try reader.ask("GET", "k") == .bulk("\(number)"))
            }
            // Who reads any names the place where the other's change stands.
            #expect(try reader.ask("CONSISTENCY", "after") == .simple("OK"))
            #expect(try writer.ask("SET", "k", "last") == .simple("OK"))
            let place = try #require(try writer.ask("PLACE").text)
            #expect(try reader.pipeline([["AFTER", place], ["GET", "k"]]) == [.simple("OK"), .bulk("last")])
            // A place that is not there is not waited for.
            let beyond = try reader.ask("AFTER", "kv.events/0@99999999")
            #expect(beyond.isError && "\(beyond)".contains("nothing is there at 99999999"), "\(beyond)")
            #expect(try reader.ask("GET", "k") == .bulk("last"))
            let taken = try await servers.run("kv", "serve", "--port", "\(one.port)", "--without-handler")
            #expect(taken.exit == 69 && taken.err.contains("127.0.0.1:\(one.port) is taken"), "\(taken)")
            // Without any handler a change is not answered, and reads go on.
            #expect(try await one.process.stop().exit == 0)
            #expect(try reader.ask("GET", "k") == .bulk("last"))
            let answer = try reader.ask("SET", "k", "never")
            #expect(answer.description.hasPrefix("-TRYAGAIN no handler has answered"), "\(answer)")
        }
    }
}
