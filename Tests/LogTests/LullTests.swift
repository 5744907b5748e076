import Testing

@testable import EventLog

@Suite("Records that gather", .timeLimit(.minutes(10)))
struct LullTests {
    @Test func `do so for twice as long as the few before them took, and no longer than the bound`() {
        #expect(GroupLoop.lull(after: 1, in: .milliseconds(1)) == .milliseconds(2))
        #expect(GroupLoop.lull(after: 999, in: .milliseconds(3)) == .milliseconds(6))
        #expect(GroupLoop.lull(after: 1, in: .seconds(1)) == GroupLoop.longestLull)
    }

    @Test func `do not after many, each of which costs little`() {
        #expect(GroupLoop.lull(after: 1000, in: .milliseconds(1)) == .zero)
        #expect(GroupLoop.lull(after: 20_000, in: .seconds(1)) == .zero)
    }
}
