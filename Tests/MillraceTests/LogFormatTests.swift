import EventModel
import Foundation
import Logging
import TestSupport
import Testing

@testable import MillraceApp

@Suite("What a long run says", .timeLimit(.minutes(2)))
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
