import Testing

@testable import RESP

@Suite("Changes that wait for an append", .timeLimit(.minutes(10)))
struct GatheringTests {
    private let start = ContinuousClock.now

    private func pause(waiting: Int, underWay: Int, after waited: Duration) -> Duration {
        var gathering = Gathering()
        gathering.came(at: start)
        return gathering.pause(waiting: waiting, underWay: underWay, at: start + waited)
    }

    @Test func `go at once where none is under way`() {
        #expect(pause(waiting: 1, underWay: 0, after: .zero) == .zero)
    }

    @Test func `go at once where as many wait as are under way`() {
        #expect(pause(waiting: 25, underWay: 25, after: .zero) == .zero)
        #expect(pause(waiting: 26, underWay: 25, after: .zero) == .zero)
    }

    @Test func `wait for more while more are under way, and no longer than the bound`() {
        #expect(pause(waiting: 24, underWay: 25, after: .zero) == Gathering.longest)
        #expect(pause(waiting: 24, underWay: 25, after: .milliseconds(1)) == Gathering.longest - .milliseconds(1))
        #expect(pause(waiting: 1, underWay: 100_000, after: Gathering.longest) == .zero)
        #expect(pause(waiting: 1, underWay: 100_000, after: .seconds(5)) == .zero)
    }

    @Test func `the bound is counted from the first that waits`() {
        var gathering = Gathering()
        gathering.came(at: start)
        gathering.came(at: start + .milliseconds(1))
        #expect(gathering.since == start)
        // More were there than one append takes: the rest has come no earlier than now.
        gathering.taken(all: false, at: start + .milliseconds(1))
        #expect(gathering.since == start + .milliseconds(1))
        gathering.taken(all: true, at: start + .milliseconds(2))
        #expect(gathering.since == nil)
    }

    @Test func `nothing waits, nothing goes`() {
        #expect(!Gathering.isEnough(waiting: 0, underWay: 0))
        #expect(!Gathering.isEnough(waiting: 0, underWay: 3))
    }
}
