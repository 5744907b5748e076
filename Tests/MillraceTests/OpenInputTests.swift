import Foundation
import TestSupport
import Testing

@Suite("A pipe that stays open", .serialized, .timeLimit(.minutes(10)))
struct OpenInputTests {
    private func order(_ n: Int, _ order: String? = nil) -> String {
        #"{"@id":"o-\#(n)","order":"\#(order ?? "o\(n)")","customer":"c\#(n)"}"#
    }

    @Test func `has the outcome of each command before the next is written`() async throws {
        try await onBus { bus in
            _ = try await bus.work("orders.handler")
            let input = try OpenInput(bus)
            let sending = try bus.start(["send", "PlaceOrder", "--file", "-"], reading: input)
            for n in 1...5 {
                input.write(order(n, n == 4 ? "o1" : nil) + "\n")
                let lines = try await sending.lines(n)
                #expect(try JSON(lines[n - 1])["id"].string == "o-\(n)")
                #expect(try JSON(lines[n - 1])["outcome"].string == (n == 4 ? "refused" : "accepted"))
            }
            // Several at once have theirs in their order, and one that is not whole waits for its end.
            input.write((6...8).map { order($0) + "\n" }.joined() + order(9).prefix(20))
            let lines = try await sending.lines(8)
            #expect(try lines.map { try JSON($0)["id"].string } == (1...8).map { "o-\($0)" })
            #expect(!sending.hasEnded)
            input.write(order(9).dropFirst(20) + "\n" + order(10))
            _ = try await sending.lines(9)
            // The last has no line feed: the end of the input is its end.
            input.close()
            let ended = try await sending.end()
            #expect(ended.exit == 1 && ended.lines.count == 10, "\(ended)")
            #expect(ended.err.contains("9 accepted, 1 refused (1 order-exists)"), "\(ended)")
        }
    }

    @Test func `is read on behind lines that are no commands, which are told at once`() async throws {
        try await onBus { bus in
            _ = try await bus.work("orders.handler")
            let input = try OpenInput(bus)
            let sending = try bus.start(["send", "PlaceOrder", "--file", "-", "--on-error", "skip"], reading: input)
            // Three bytes are no reason to wait for a fourth.
            input.write("[]\n")
            try await eventually("the bad line to be told: \(sending.err)") {
                sending.err.contains("line 1: is no JSON object") ? true : nil
            }
            input.write("\n" + order(1) + "\n")
            #expect(try JSON(try await sending.lines(1)[0])["id"].string == "o-1")
            input.close()
            let ended = try await sending.end()
            #expect(ended.exit == 0 && ended.err.contains("1 accepted, 0 refused, 1 bad line skipped"), "\(ended)")
        }
    }

    @Test(arguments: [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")])
    func `is left at a signal, when what was read is done with`(_ signal: Int32, _ name: String) async throws {
        try await onBus { bus in
            _ = try await bus.work("orders.handler")
            let input = try OpenInput(bus)
            let sending = try bus.start(["send", "PlaceOrder", "--file", "-"], reading: input)
            input.write(order(1) + "\n" + order(2) + "\n" + order(3).prefix(10))
            _ = try await sending.lines(2)
            let ended = try await sending.stop(signal)
            #expect(ended.exit == 75 && ended.lines.count == 2, "\(ended)")
            #expect(
                ended.err.contains("2 accepted") && ended.err.contains("stopped by \(name) behind line 2"), "\(ended)")
            #expect(try await bus.count("orders.commands") == 2, "a line that was not whole is no command")

            let events = try OpenInput(bus)
            let producing = try bus.start(["produce", "Hit"], reading: events)
            events.write(#"{"site":"home"}"# + "\n" + #"{"site":"ho"#)
            try await eventually("the hit to be there") { try await bus.count("hits.events") == 1 ? true : nil }
            let produced = try await producing.stop(signal)
            #expect(produced.exit == 75 && produced.out.contains(#""produced":1"#), "\(produced)")
            #expect(produced.err.contains("stopped by \(name) behind line 1"), "\(produced)")
        }
    }

    @Test func `what was sent at a signal is waited for, and a second signal does not wait`() async throws {
        try await onBus { bus in
            let input = try OpenInput(bus)
            let arguments = ["send", "PlaceOrder", "--file", "-", "--timeout", "40s"]
            let sending = try bus.start(arguments, reading: input)
            input.write(order(1) + "\n")
            try await eventually("the command to be there") {
                try await bus.count("orders.commands") == 1 ? true : nil
            }
            sending.send(SIGTERM)
            _ = try await bus.work("orders.handler")
            let ended = try await sending.end()
            #expect(ended.exit == 75 && ended.lines.count == 1 && ended.err.contains("1 accepted"), "\(ended)")
            let other = try OpenInput(bus)
            let second = try bus.start(["send", "Follow", "--file", "-", "--timeout", "40s"], reading: other)
            other.write(#"{"user":"ann","followee":"ben"}"# + "\n")
            try await eventually("the command to be there: \(second.err)") {
                try await bus.count("social.commands") == 1 ? true : nil
            }
            second.send(SIGTERM)
            // The handler of a signal is its default from the first on.
            try await eventually("the second signal to end it", within: .seconds(300)) {
                second.send(SIGTERM)
                return second.hasEnded ? true : nil
            }
            #expect(try await second.end().exit == 128 + SIGTERM)
        }
    }

    @Test func `ends when nobody reads the outcomes, and says what was sent`() async throws {
        try await onBus { bus in
            _ = try await bus.work("orders.handler")
            let input = try OpenInput(bus)
            let command = "\(Bus.program) send PlaceOrder --file - --log \(bus.url) < \(input.path)"
            let sending = try bus.start(program: "/bin/bash", ["-c", "{ \(command); echo exit $? >&2; } | head -n 1"])
            input.write(order(1) + "\n")
            // It is not told by the next outcome, but at once.
            let ended = try await sending.end()
            #expect(ended.lines.count == 1 && ended.err.contains("exit 74"), "\(ended)")
            #expect(ended.err.contains("the commands up to line 1 were sent"), "\(ended)")
        }
    }

    @Test func `has each event acknowledged where a coprocess asks for it`() async throws {
        try await onBus { bus in
            let script = """
                coproc M { \(Bus.program) produce Hit --progress --on-error skip --log \(bus.url); }
                for site in a b '' c; do
                  echo "{\\"site\\":\\"$site\\"}" >&"${M[1]}"
                  read -r -t 40 answer <&"${M[0]}" || exit 9
                  echo "$answer"
                done
                exec {M[1]}>&-
                cat <&"${M[0]}"
                wait "$M_PID"
                """
            let ended = try await bus.plain(["-c", script], program: "/bin/bash")
            let lines = try ended.lines.map { try JSON($0) }
            #expect(lines.count == 5, "\(ended)")
            #expect(lines.prefix(4).map { $0["line"].int } == [1, 2, 3, 4])
            #expect(
                lines.map { $0["produced"].int } == [1, 2, 2, 3, 3] && lines.map { $0["bad"].int } == [0, 0, 1, 1, 1])
            #expect(lines[4]["line"] == nil, "the last line is as ever")
            #expect(try await bus.count("hits.events") == 3)
        }
    }

    @Test func `has each fact of a decider acknowledged or refused as it comes`() async throws {
        try await onBus { bus in
            _ = try await bus.work("orders.handler")
            let input = try OpenInput(bus)
            let producing = try bus.start(
                ["produce", "OrderStatusChanged", "--progress", "--on-error", "skip"], reading: input)
            let fact =
                #"{"order":"o1","customer":"ann","status":"received","expectedAt":"2026-11-01T20:00:00Z","@time":"2026-11-01T19:00:00Z"}"#
            for n in 1...2 {
                input.write(fact + "\n")
                let told = try JSON(try await producing.lines(n)[n - 1])
                #expect(told["line"].int == n && told["produced"].int == 1 && told["refused"].int == n - 1, "\(told)")
            }
            input.close()
            #expect(try await producing.end().exit == 1)
        }
    }

    @Test func `is imported as it comes, and the rest when it is imported again`() async throws {
        try await onBus { bus in
            func line(_ n: Int) -> String {
                #"192.0.2.7 - - [17/May/2015:10:05:\#(10 + n) +0000] "GET /\#(n) HTTP/1.1" 200 12"# + "\n"
            }
            let input = try OpenInput(bus)
            let importing = try bus.start(
                ["import", "access-log", "-", "--site", "www", "--progress", "--json"], reading: input)
            for n in 1...3 {
                input.write(line(n))
                let told = try JSON(try await importing.lines(n)[n - 1])
                #expect(told["line"].int == n && told["imported"].int == n, "\(told)")
            }
            #expect(try await bus.count("hits.events") == 3, "they are there while the pipe is open")
            let ended = try await importing.stop()
            #expect(ended.exit == 75 && ended.err.contains("stopped by SIGTERM"), "\(ended)")
            let file = try bus.file("access.log", (1...5).map(line).joined())
            let again = try JSON(try await bus.run("import", "access-log", file, "--site", "www").out)
            #expect(again["imported"].int == 2 && again["alreadyImported"].int == 3, "\(again)")
        }
    }

    @Test func `keeps a table waiting that begins with the same line, which is told so`() async throws {
        try await onBus { bus in
            let input = try OpenInput(bus)
            let importing = try bus.start(["import", "gps", "-", "--progress", "--json"], reading: input)
            input.write("driver,time,lat,lng\na,1211018404,37.7,-122.4\n")
            _ = try await importing.lines(1)
            let other = try bus.file("other.csv", "driver,time,lat,lng\nb,1211018404,37.7,-122.4\n")
            let ended = try await bus.run("import", "gps", other)
            #expect(ended.exit == 75 && ended.err.contains("or of a file with the same first line"), "\(ended)")
            _ = try await importing.stop()
            #expect(try await bus.run("import", "gps", other).exit == 0)
        }
    }
}
