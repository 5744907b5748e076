import Foundation
import TestSupport
import Testing

extension BrokerTests {
    /// Its group takes a member for dead that asks for nothing for 6 s here, for five minutes unless that is set.
    @Test
    func `an import whose input stands still goes on when there is more, also where another has asked for its place`()
        async throws
    {
        try await onBroker { bus in
            let name = Broker.name()
            let config = try bus.file("kafka.properties", "max.poll.interval.ms=6000\nsession.timeout.ms=6000\n")
            func log(_ range: Range<Int>) -> String {
                range.map { i in
                    #"10.0.0.\#(i % 97) - - [01/Oct/2026:10:\#(10 + i / 60):\#(10 + i % 50) +0000] "GET /\#(name)\#(i) HTTP/1.1" 200 1"#
                        + "\n"
                }.joined()
            }
            let (first, second) = (try bus.file("first", log(0..<100)), try bus.file("second", log(100..<200)))
            let go = bus.folder + "/go"
            let script = """
                (cat \(first); while [ ! -e \(go) ]; do sleep 0.1; done; cat \(second)) | \
                \(Bus.program) import access-log - --site \(name) --json --log \(bus.url) --kafka-config \(config)
                """
            let importing = try bus.start(program: "/bin/sh", ["-c", script])
            try await eventually("what has come to be in") {
                let shown = try await bus.start("replay", "hits.events", "--format", #"%j\n"#).end()
                return shown.lines.filter { $0.contains(name) }.count >= 100 ? true : nil
            }
            // It waits for longer than the group's patience.
            let other = try await bus.run("import", "access-log", first, "--site", name)
            #expect(other.exit == 75 && other.err.contains("is under way"), "\(other)")
            #expect(!importing.hasEnded)
            _ = try bus.file("go", "")
            let ended = try await importing.end()
            #expect(ended.exit == 0, "\(ended)")
            #expect(try JSON(ended.out)["imported"].int == 200, "\(ended)")
            let again = try await bus.run("import", "access-log", first, "--site", name)
            #expect(try JSON(again.out)["imported"].int == 0, "\(again)")
        }
    }
}
