import EventModel
import Foundation
import TestSupport
import Testing

@testable import KVDomain

/// A value of 1 MiB goes in and comes out by each way that there is; one byte more is refused by each, with its reason.
@Suite("Values of 1 MiB", .serialized, .timeLimit(.minutes(10)))
struct LargeValueTests {
    private let most = KVLimits.value

    /// Text of some bytes that does not get shorter by much, with what JSON has to escape.
    private func text(_ count: Int, seed: UInt64) -> String {
        var random = SeededRandom(seed)
        return String(
            decoding: (0..<count).map { _ in UInt8(random.number(33...126)) }, as: UTF8.self)
    }
    private func json(_ text: String) -> String {
        "\"" + text.replacing("\\", with: #"\\"#).replacing("\"", with: #"\""#) + "\""
    }
    /// Each character as an escape of six bytes.
    private func escaped(_ text: String) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var out = Array("\"".utf8)
        for byte in text.utf8 {
            out += Array(#"\u00"#.utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: out + Array("\"".utf8), as: UTF8.self)
    }

    private func webPort(_ process: Running) async throws -> Int {
        try await eventually("\(process.name) to serve: \(process.err)", within: .seconds(300)) {
            process.err.firstMatch(of: #/serving http://127\.0\.0\.1:(\d+)/#).flatMap { Int($0.1) }
        }
    }
    private func post(_ servers: KeyServers, _ port: Int, _ body: String) async throws -> Ended {
        let file = "\(servers.folder)/\(UUID().uuidString).json"
        try body.write(toFile: file, atomically: false, encoding: .utf8)
        return try await servers.other(
            "/usr/bin/curl", "--silent", "--show-error", "--max-time", "60", "--header",
            "Content-Type: application/json", "--data-binary", "@\(file)",
            "http://127.0.0.1:\(port)/commands/Put?wait=40s")
    }
    /// The first row's value of an answer, and how it is encoded.
    private func value(_ answer: String) throws -> (text: String, encoding: String) {
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any], "\(answer.prefix(300))")
        let row = try #require(((object["rows"] as? [[String: Any]]) ?? [object]).first)
        return (row["value"] as? String ?? "", row["encoding"] as? String ?? "")
    }

    @Test func `go in and come out by every way, also after a restart and a rebuild`() async throws {
        try await KeyServers.with { servers in
            var web = try servers.start("up", "--http", "127.0.0.1:0")
            var port = try await webPort(web)
            var (front, frontPort) = try await servers.serve("--without-handler", "--memory", "8MiB")
            var client = try RESPClient(port: frontPort)
            let (byRESP, byHTTP, byFile) = (text(most, seed: 1), text(most, seed: 2), text(most, seed: 3))
            let bytes = (0..<most).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }

            // In.
            #expect(try client.ask("SET", "resp", byRESP) == .simple("OK"))
            try client.send(Array("*3\r\n$3\r\nSET\r\n$5\r\nbytes\r\n$\(most)\r\n".utf8) + bytes + Array("\r\n".utf8))
            #expect(try client.answer() == .simple("OK"))
            #expect(try client.ask("MSET", "{m}a", byRESP) == .simple("OK"))
            let posted = try await post(servers, port, #"{"key":"http","text":\#(json(byHTTP))}"#)
            #expect(posted.out.contains("accepted"), "\(posted)")
            let lines = [
                #"{"key":"file","text":\#(escaped(byFile))}"#,
                #"{"key":"file64","value":"\#(Data(bytes).base64EncodedString())"}"#,
            ]
            let file = "\(servers.folder)/lines.ndjson"
            try lines.joined(separator: "\n").write(toFile: file, atomically: false, encoding: .utf8)
            let sent = try await servers.run("send", "Put", "--file", file, "--timeout", "40s")
            #expect(sent.exit == 0 && sent.err.contains("2 accepted"), "\(sent)")

            // Out, before and after.
            for round in ["at once", "after a restart", "after a rebuild"] {
                for (key, expected) in [("resp", byRESP), ("{m}a", byRESP), ("http", byHTTP), ("file", byFile)] {
                    #expect(try client.ask("GET", key) == .bulk(expected), "\(key) by RESP, \(round)")
                }
                for key in ["bytes", "file64"] {
                    try client.send("GET \(key)\r\n")
                    #expect(try client.bytes() == bytes, "\(key) by RESP, \(round)")
                }
                let lag = try await servers.run("lag", "--sum", "--wait", "60s")
                #expect(lag.exit == 0, "\(lag)")
                for (key, expected) in [("resp", byRESP), ("http", byHTTP), ("file", byFile)] {
                    let asked = try await servers.run("query", "kv.get", "--key", key, "--json")
                    #expect(try value(asked.out).text == expected, "\(key) by the command line, \(round)")
                    let got = try await servers.other(
                        "/usr/bin/curl", "--silent", "--max-time", "60",
                        "http://127.0.0.1:\(port)/views/kv.get?key=\(key)")
                    #expect(try value(got.out).text == expected, "\(key) by HTTP, \(round)")
                }
                let asked = try value(try await servers.run("query", "kv.get", "--key", "bytes", "--json").out)
                #expect(asked.encoding == "base64" && Data(base64Encoded: asked.text) == Data(bytes), "\(round)")
                switch round {
                case "at once":
                    #expect(try await front.stop().exit == 0)
                    #expect(try await web.stop().exit == 0)
                    web = try servers.start("up", "--http", "127.0.0.1:0")
                    port = try await webPort(web)
                    (front, frontPort) = try await servers.serve("--without-handler")
                    client = try RESPClient(port: frontPort)
                case "after a restart":
                    let rebuilt = try await servers.run("rebuild", "kv.keys")
                    #expect(rebuilt.exit == 0, "\(rebuilt)")
                default: break
                }
            }
            // The newest states have them too, and all of it is what follows from the log.
            let verified = try await servers.run("verify", "kv.keys")
            #expect(verified.exit == 0, "\(verified)")
            for partition in 0..<4 { #expect(try client.ask("VERIFY", "\(partition)").description == "[:0, :0]") }
        }
    }

    @Test func `with one byte more are refused, by every way with the reason`() async throws {
        try await KeyServers.with { servers in
            let web = try servers.start("up", "--http", "127.0.0.1:0")
            let port = try await webPort(web)
            let client = try RESPClient(port: try await servers.serve("--without-handler").port)
            let over = text(most + 1, seed: 4)
            let why = "has 1048577 bytes, at most 1048576 are allowed"
            #expect(try client.ask("SET", "k", over) == .error("ERR value: \(why)"))
            #expect(try client.ask("CAS", "k", "0", over) == .error("ERR value: \(why)"))
            #expect(try client.ask("MSET", "{t}k", over).description.hasPrefix("-ERR pairs[0].value: \(why)"))
            #expect(try client.ask("SET", "k", String(over.dropLast())) == .simple("OK"))
            #expect(
                try client.ask("APPEND", "k", "x")
                    == .error("ERR string exceeds maximum allowed size (proto-max-bulk-len)"))
            let posted = try await post(servers, port, #"{"key":"k2","text":\#(json(over))}"#)
            #expect(posted.out.contains(why), "\(posted)")
            let file = "\(servers.folder)/line.ndjson"
            try #"{"key":"k3","text":\#(json(over))}"#.write(toFile: file, atomically: false, encoding: .utf8)
            for arguments in [["send", "Put", "--file", file], ["produce", "ValuePut", "--file", file]] {
                let ended = try await servers.run(arguments)
                #expect(ended.exit == 65 && !ended.err.isEmpty, "\(ended)")
                if arguments[0] == "send" { #expect(ended.err.contains(why), "\(ended)") }
            }
            #expect(try client.ask("EXISTS", "k", "k2", "k3") == .integer(1))
        }
    }
}
