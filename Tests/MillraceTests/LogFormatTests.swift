import EventModel
import Foundation
import Logging
import TestSupport
import Testing

@testable import MillraceApp

@Suite("What a long run says", .timeLimit(.minutes(10)))
struct LogFormatTests {
    @Test(arguments: [["--log-format", "json"], []])
    func `is an object of JSON a line where that is asked for`(_ option: [String]) async throws {
        try await onBus { bus in
            let environment = option.isEmpty ? ["MILLRACE_LOG_FORMAT": "json"] : [:]
            let up = try bus.start(["up", "--verbose"] + option, environment: environment)
            try await eventually("up: \(up.err)") { up.err.contains("up after") ? true : nil }
            let ended = try await up.stop()
            #expect(ended.exit == 0)
            let lines = ended.err.split(separator: "\n")
            #expect(lines.count > 3)
            for line in lines {
                let object = try #require(
                    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
                #expect(object["time"] is String && object["level"] is String, "\(line)")
                #expect((object["message"] as? String)?.hasPrefix("millrace:") == false, "\(line)")
            }
            #expect(lines.last?.contains(#""message":"stopped""#) == true)
        }
    }

    private static func objects(_ ended: Ended) throws -> [[String: Any]] {
        try ended.err.split(separator: "\n").map { line in
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
            #expect(object["time"] is String && object["level"] is String && object["message"] is String, "\(line)")
            #expect(Set(object.keys).isSubset(of: ["time", "level", "message", "fields"]), "\(line)")
            return object
        }
    }

    @Test(arguments: ["up", "serve"])
    func `has each request that is answered, with the same names as all else`(_ command: String) async throws {
        try await onBus { bus in
            _ = try await bus.run("topics", "apply")
            let web = try bus.start(
                [command, "--http", "127.0.0.1:0", "--access-log", "--log-format", "json"])
            let port = try await eventually("\(web.name) to serve: \(web.err)") {
                web.err.firstMatch(of: #/serving http:\/\/127\.0\.0\.1:(\d+)/#).flatMap { Int($0.1) }
            }
            let gateway = Web(bus: bus, process: web, port: port)
            #expect(try await gateway.get("/views/no-such?secret=1").status == 404)
            #expect(try await gateway.get("/healthz").status == 200)
            let ended = try await web.stop()
            let requests = try Self.objects(ended).filter { $0["message"] as? String == "request" }
            let fields = requests.compactMap { $0["fields"] as? [String: String] }
            #expect(fields.map { $0["path"] } == ["/views/no-such", "/healthz"], "\(ended)")
            #expect(fields.map { $0["status"] } == ["404", "200"])
            for field in fields {
                #expect(Set(field.keys).isSuperset(of: ["method", "path", "status", "ms", "address"]), "\(field)")
            }
            #expect(!ended.err.contains("secret"))
        }
    }

    @Test func `says in JSON too why a process does not begin, as an error`() async throws {
        try await onBus { bus in
            let web = try await bus.web("serve")
            let taken = try await bus.run(
                "work", "orders.handler", "--metrics-port", "\(web.port)", "--log-format=json")
            #expect(taken.exit == 69)
            #expect(try Self.objects(taken).contains { $0["level"] as? String == "error" }, "\(taken)")
            for wrong in [["work", "no-such-worker"], ["work", "--no-such-option"], ["serve", "--http", "nowhere"]] {
                let ended = try bus.start(wrong, environment: ["MILLRACE_LOG_FORMAT": "json"])
                let said = try await ended.end()
                #expect(said.exit == 64)
                #expect(try Self.objects(said).last?["level"] as? String == "error", "\(said)")
            }
            // What is no long run says it to people.
            let query = try bus.start(["query", "no-such"], environment: ["MILLRACE_LOG_FORMAT": "json"])
            #expect(try await query.end().err.hasPrefix("millrace: "))
        }
    }

    @Test func `is text else, and another format is refused`() async throws {
        try await onBus { bus in
            let wrong = try bus.start(["up"], environment: ["MILLRACE_LOG_FORMAT": "xml"])
            let ended = try await wrong.end()
            #expect(ended.exit == 78 && ended.err.contains("MILLRACE_LOG_FORMAT is xml, it must be text or json"))
            #expect(try await bus.run("up", "--log-format", "xml").exit == 64)
        }
    }

    @Test func `a message's fields and marks of direction do no harm`() {
        let line = LogFormat.json.line("a \"b\"\n", level: .error, metadata: ["k": "v\t"], at: 0)
        #expect(
            line
                == #"{"time":"1970-01-01T00:00:00Z","level":"error","message":"a \"b\"\n","fields":{"k":"v\t"}}"#)
    }
}
