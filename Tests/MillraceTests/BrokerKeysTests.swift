import EventModel
import Foundation
import MillraceTestKit
import TestSupport
import Testing

/// Keys and values on a broker: what a copy begins with, what `kv verify` says of them, and the largest value.
extension BrokerTests {
    /// A process that serves keys, and one connection to it.
    private struct Front {
        let process: Running
        let socket: RawSocket

        init(_ bus: Bus, _ more: String...) async throws {
            let process = try bus.start(["kv", "serve", "--port", "0"] + more)
            let port = try await eventually("\(process.name) to serve: \(process.err)", within: .seconds(300)) {
                process.err.firstMatch(of: #/serving kv on [^\n]*:(\d+)/#).flatMap { Int($0.1) }
            }
            (self.process, socket) = (process, try RawSocket(port: port))
        }

        /// The answer as it comes: one line, or the text whose length it says.
        func ask(_ words: String..., lines: Int = 1) throws -> String {
            let request = "*\(words.count)\r\n" + words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined()
            try #require(socket.write(request))
            var answer = ""
            while !isWhole(answer, lines) {
                let more = socket.read(atMost: 1)
                try #require(!more.isEmpty, "\(words[0]): \(answer.prefix(200))")
                answer += more
            }
            return answer
        }

        /// Sets a key. A handler that another test has killed is missed only once its session is over.
        func set(_ key: String, _ value: String) async throws {
            try await eventually("a place for \(key)", within: .seconds(300)) {
                let answer = try ask("SET", key, value)
                try #require(answer == "+OK\r\n" || answer.hasPrefix("-TRYAGAIN"), "\(answer)")
                return answer == "+OK\r\n" ? true : nil
            }
        }

        private func isWhole(_ answer: String, _ lines: Int) -> Bool {
            guard answer.utf8.starts(with: "$".utf8) else { return answer.utf8.count { $0 == 0x0A } >= lines }
            guard let length = answer.prefix(16).firstMatch(of: #/^\$(-?\d+)\r\n/#), let count = Int(length.1) else {
                return false
            }
            return answer.utf8.count >= length.0.utf8.count + (count < 0 ? 0 : count + 2)
        }
    }

    @Test func `a copy begins with kv.state and what came since, and values of 1 MiB are there`() async throws {
        try await onBroker { bus in
            let (name, most) = (Broker.name(), 1 << 20)
            var random = SeededRandom(1)
            // Text that does not get shorter by much.
            let large = String(decoding: (0..<most).map { _ in UInt8(random.number(35...91)) }, as: UTF8.self)
            let reactor = try await bus.work("reactor")
            var front = try await Front(bus)
            for round in 0..<3 {
                for key in 0..<20 { try await front.set("\(name)\(key)", "v\(round)") }
            }
            for key in 0..<5 { #expect(try front.ask("DEL", "\(name)\(key)") == ":1\r\n") }
            try await front.set("\(name)large", large)
            #expect(try front.ask("SET", "\(name)larger", large + "x").hasPrefix("-"))
            let line = #"{"key":"\#(name)file","text":"\#(large)","@command":"kv.Put"}"#
            let sent = try await bus.run("send", "--file", "-", "--timeout", "60s", stdin: line)
            #expect(sent.exit == 0, "\(sent.err)")
            try await eventually("kv.newest to have seen all of it", within: .seconds(300)) {
                let lag = try await bus.run("lag", "--json").lines.filter { $0.contains(#""kv.newest""#) }
                return lag.count == 4 && lag.allSatisfy { $0.contains(#""lag":0"#) } ? true : nil
            }
            #expect(try await reactor.stop().exit == 0)
            #expect(try await front.process.stop().exit == 0)
            let described = try await bus.run("topics", "describe", "kv.state", "--json")
            #expect(described.out.contains("compact"), "\(described)")

            // What the writer of kv.state has not seen: it does not run.
            front = try await Front(bus)
            try await front.set("\(name)7", "late")
            #expect(try front.ask("DEL", "\(name)8") == ":1\r\n")
            #expect(try await front.process.stop().exit == 0)

            front = try await Front(bus)
            let restored = try front.ask("INFO").firstMatch(of: #/restored_states:(\d+)/#).flatMap { Int($0.1) } ?? 0
            #expect(restored >= 17)
            for (key, value) in [("0", nil), ("7", "late"), ("8", nil), ("9", "v2"), ("19", "v2")] {
                let expected = value.map { "$\($0.utf8.count)\r\n\($0)\r\n" } ?? "$-1\r\n"
                #expect(try front.ask("GET", "\(name)\(key)") == expected, "\(key)")
            }
            let (came, filed) = (try front.ask("GET", "\(name)large"), try front.ask("GET", "\(name)file"))
            #expect((came == "$\(most)\r\n\(large)\r\n") == true && (filed == came) == true)
            // It is what the whole history gives.
            for partition in 0..<4 {
                #expect(try front.ask("VERIFY", "\(partition)", lines: 3) == "*2\r\n:0\r\n:0\r\n")
            }
            #expect(try await front.process.stop().exit == 0)
        }
    }

    @Test func `kv verify finds what is other than the log has it, and puts it right`() async throws {
        try await onBroker { bus in
            let name = Broker.name()
            let worker = try await bus.work("reactor", "projector")
            let front = try await Front(bus)
            for key in 0..<40 { try await front.set("\(name)\(key)", "v\(key)") }
            try await bus.settle()
            let good = try await bus.run("kv", "verify", within: .seconds(300))
            #expect(good.exit == 0, "\(good)")
            #expect(try await worker.stop().exit == 0)
            try Tables.change(
                bus.views + "/kv.keys@1.sqlite", "UPDATE kv_keys SET value = 'wrong' WHERE key = '\(name)3'")
            let bad = try await bus.run("kv", "verify", "--only", "view", within: .seconds(300))
            #expect(bad.exit == 65 && bad.out.contains("\(name)3 has another value"), "\(bad)")
            let repaired = try await bus.run("kv", "verify", "--repair", within: .seconds(300))
            #expect(repaired.exit == 0, "\(repaired)")
            let again = try await bus.run("kv", "verify", within: .seconds(300))
            #expect(again.exit == 0 && again.err.isEmpty, "\(again)")
            #expect(try await front.process.stop().exit == 0)
        }
    }
}
