import Foundation
import TestSupport
import Testing

@Suite("Waiting for a place", .serialized, .timeLimit(.minutes(10)))
struct AfterTests {
    private static let hit = #"{"site":"s","path":"/","visitor":"v"}"#

    @Test func `that the log does not have is an error at once`() async throws {
        try await onBus { bus in
            #expect(try await bus.run("produce", "Hit", stdin: Self.hit).exit == 0)
            for (place, words) in [
                ("hits.events/99@0", "there is no hits.events/99: hits.events has partitions 0 to 7"),
                ("hits.events/8@0", "there is no hits.events/8"),
                ("hits.events/0@4000", "hits.events/0 ends at"),
                ("tickets.events/0@0", "is folded from hits.events, not tickets.events"),
                ("hits.events/-1@0", "is not TOPIC/PARTITION@OFFSET"),
                ("hits.events/0@-1", "is not TOPIC/PARTITION@OFFSET"),
                ("hits.events/99999999999@0", "is not TOPIC/PARTITION@OFFSET"),
            ] {
                let began = ContinuousClock.now
                let ended = try await bus.run("query", "hits.window", "--after", place, "--timeout", "60s")
                #expect(ended.exit == 64 && ended.err.contains(words), "\(place): \(ended)")
                #expect(ContinuousClock.now - began < .seconds(20), "\(place)")
            }
        }
    }

    @Test func `that is there is waited for, as long as was said`() async throws {
        try await onBus { bus in
            let produced = try JSON(try await bus.run("produce", "Hit", stdin: Self.hit).out)
            let (place, offset) = try #require(produced["last"].members.first)
            let after = "\(place)@\(offset.int)"
            let vain = try await bus.run("query", "hits.window", "--after", after, "--timeout", "300ms")
            #expect(vain.exit == 75 && vain.err.contains("is a projector running?"), "\(vain)")
            _ = try await bus.work("projector")
            let page = try await bus.query("hits.window", "--site", "s", "--after", after, "--timeout", "40s")
            #expect(page["rows"][0]["hits"].int == 1)
        }
    }
}
