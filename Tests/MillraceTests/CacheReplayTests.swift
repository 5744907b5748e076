import Foundation
import TestSupport
import Testing

@Suite("Replaying requests under cache policies", .serialized, .timeLimit(.minutes(10)))
struct CacheReplayTests {
    /// Six keys round and round through a cache of three: who was used last is never the one that is needed.
    private static let loop = String(repeating: "1\n2\n3\n4\n5\n6\n", count: 10)

    private func file(_ bus: Bus, _ text: String, _ name: String = "trace.txt") throws -> String {
        let path = bus.folder + "/" + name
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test func `a file is replayed under every policy, a row for each and each capacity`() async throws {
        try await onBus { bus in
            let path = try file(bus, Self.loop)
            let ended = try await bus.run("cache", "replay", path, "--capacities", "3,6", "--csv")
            #expect(ended.exit == 0 && ended.lines.count == 21, "\(ended)")
            #expect(ended.lines[0] == "policy,capacity,requests,hits,hitRatio")
            #expect(ended.lines.contains("lru,3,60,0,0.000000") && ended.lines.contains("lru,6,60,54,0.900000"))
            // The best keeps two of the six and has one more of each round in turn.
            #expect(ended.lines.contains { $0.hasPrefix("opt,3,60,") && $0 != "opt,3,60,0,0.000000" })
        }
    }

    @Test func `a topic's keys are requests, in a table of 80 columns with curves`() async throws {
        try await onBus { bus in
            let lines = (0..<60).map { #"{"driver":"d\#($0 % 6)","lat":1,"lng":1}"# }
            try await bus.run("produce", "DriverLocation", stdin: lines.joined(separator: "\n"))
            let ended = try await bus.run("cache", "replay", "rides.locations", "--capacities", "1,2,6", "--table")
            #expect(ended.exit == 0 && ended.out.contains("60 requests for 6 keys"), "\(ended)")
            #expect(ended.out.contains("W-TinyLFU") && ended.out.contains(" l LRU"))
            #expect(ended.lines.allSatisfy { $0.count <= 80 }, "\(ended)")
        }
    }

    @Test func `formats are told by the first line, or by --format`() async throws {
        try await onBus { bus in
            func requests(_ text: String, _ more: [String]) async throws -> String {
                let path = try file(bus, text)
                let ended = try await bus.start(
                    ["cache", "replay", path, "--policy", "lru", "--capacities", "2", "--csv"] + more
                ).end()
                return ended.exit == 0 ? ended.lines[1] : "\(ended.exit) \(ended.err)"
            }
            for (text, more, answer) in [
                ("7\n*\n\n7\n", [], "lru,2,2,1,0.500000"), ("10 3 0 0\n10 1 0 1\n", [], "lru,2,4,0,0.000000"),
                ("a b\r\nc\na b", [], "lru,2,3,1,0.333333"),
                ("7\n*\n\n*\n", ["--format", "keys"], "lru,2,3,1,0.333333"), ("1 2 0 0\nx\n", [], "65 "),
                ("1 9999999 0 0\n", [], "65 "), ("", [], "65 "),
            ] {
                let told = try await requests(text, more)
                #expect(told.hasPrefix(answer), "\(told)")
            }
        }
    }

    @Test func `what cannot be meant is refused with 64, what is not there with its own code`() async throws {
        try await onBus { bus in
            let path = try file(bus, Self.loop)
            for arguments in [
                ["--policy", "mru"], ["--policy", ""], ["--capacities", "0"], ["--capacities", "1.5"],
                ["--capacities", "x"],
                ["--capacities", ""], ["--sample", "0"], ["--sample", "2"], ["--format", "xml"],
            ] {
                let ended = try await bus.start(["cache", "replay", path] + arguments).end()
                #expect(ended.exit == 64 && ended.out == "", "\(arguments): \(ended)")
            }
            #expect(try await bus.run("cache", "replay", bus.folder + "/none.gz").exit == 66)
            #expect(try await bus.run("cache", "replay", "no.such.topic").exit != 0)
            #expect(try await bus.run("cache", "replay", path, "--svg", bus.folder + "/no/such.svg").exit == 73)
            let cut = bus.folder + "/cut.gz"
            try Data([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]).write(to: URL(fileURLWithPath: cut))
            let damaged = try await bus.run("cache", "replay", cut)
            #expect(damaged.exit == 65 && damaged.err.hasPrefix("millrace: \(cut) ends before"), "\(damaged)")
            // A curve has two ends: no file is not passed over in silence.
            let point = try await bus.run(
                "cache", "replay", path, "--capacities", "3", "--svg", bus.folder + "/point.svg")
            #expect(point.exit == 64 && point.err.contains("--svg draws over capacities"), "\(point)")
        }
    }

    @Test func `curves are drawn into a file`() async throws {
        try await onBus { bus in
            let (path, svg) = (try file(bus, Self.loop), bus.folder + "/curves.svg")
            let ended = try await bus.run("cache", "replay", path, "--capacities", "1,3,6", "--svg", svg, "--json")
            #expect(ended.exit == 0 && ended.lines.count == 30, "\(ended)")
            let text = try String(contentsOfFile: svg, encoding: .utf8)
            #expect(text.hasPrefix("<svg ") && text.hasSuffix("</svg>\n") && text.contains(">SIEVE</text>"))
            #expect(try XMLDocumentCheck.isWellFormed(text))
        }
    }
}

/// Whether every element that is opened is closed, in order.
private enum XMLDocumentCheck {
    static func isWellFormed(_ text: String) throws -> Bool {
        var open: [Substring] = []
        for match in text.matches(of: /<(\/?)([a-z]+)([^>]*)>/) {
            if match.1 == "/" {
                if open.popLast() != match.2 { return false }
            } else if !match.3.hasSuffix("/") {
                open.append(match.2)
            }
        }
        return open.isEmpty
    }
}
