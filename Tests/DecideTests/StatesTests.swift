import Testing

@testable import EventModel

@Suite("States in memory and in a checkpoint")
struct StatesTests {
    private struct Count: Codable, Sendable, Equatable {
        var times = 0
        var due: Timestamp?
    }
    private func states() -> States<Count> { States { $0.due } }
    private func add(_ key: Bytes, due: Timestamp? = nil, to states: States<Count>) {
        states.change(key) { $0 = Count(times: ($0?.times ?? 0) + 1, due: due) }
    }

    @Test func `without a checkpoint nothing is missing, and nothing is let go`() {
        let states = states()
        for key in ["a", "b", "a"] as [Bytes] { add(key, to: states) }
        states.evict(above: 0, horizon: 0)
        #expect(states.missing(["a", "c"]) == [] && states.count == 2 && states["a"]?.times == 2)
    }

    @Test func `what was let go is loaded as it was`() throws {
        let states = states()
        states.keepInCheckpoint()
        #expect(states.missing(["a", "b", "a"]) == ["a", "b"])
        for key in ["a", "b"] as [Bytes] { try states.load(key, nil) }
        add("a", due: 7, to: states)
        let changes = states.changes()
        #expect(changes.map(\.key) == ["a"] && changes[0].due == 7)
        let json = try changes[0].json()
        states.settle(kept: true)
        states.evict(above: 0, horizon: 0)
        #expect(states.count == 0 && states.missing(["a"]) == ["a"])
        try states.load("a", json)
        #expect(states["a"] == Count(times: 1, due: 7))
    }

    @Test func `what the checkpoint does not have yet stays in memory, and is taken out again after a failure`() throws
    {
        let states = states()
        states.keepInCheckpoint()
        for key in ["a", "b"] as [Bytes] { try states.load(key, nil) }
        add("a", to: states)
        #expect(states.changes().count == 1)
        add("b", to: states)
        states.evict(above: 0, horizon: 0)
        #expect(states.count == 2, "one is on its way, one has changed")
        states.settle(kept: false)
        states.evict(above: 0, horizon: 0)
        #expect(states.count == 2 && Set(states.changes().map(\.key)) == ["a", "b"])
        states.settle(kept: true)
        states.evict(above: 0, horizon: 0)
        #expect(states.count == 0)
    }

    @Test func `a change while a checkpoint is under way is for the next one`() throws {
        let states = states()
        states.keepInCheckpoint()
        try states.load("a", nil)
        add("a", to: states)
        let first = states.changes()
        add("a", to: states)
        states.settle(kept: true)
        #expect(try first[0].json() == #"{"times":1}"#, "as it was when it was taken out")
        let second = states.changes()
        #expect(try second[0].json() == #"{"times":2}"#)
    }

    @Test func `a state that is gone is a change without a state`() throws {
        let states = states()
        states.keepInCheckpoint()
        try states.load("a", #"{"times":1}"#)
        states.change("a") { $0 = nil }
        let changes = states.changes()
        #expect(changes.count == 1)
        #expect(try changes[0].json() == nil)
    }

    @Test func `a state of another shape cannot be loaded`() {
        let states = states()
        states.keepInCheckpoint()
        #expect(throws: DecodingError.self) { try states.load("a", #"{"count":1}"#) }
    }

    @Test func `the timers of states that were let go stay up to the horizon`() throws {
        let states = states()
        states.keepInCheckpoint()
        for (key, due) in [("a", 10), ("b", 20), ("c", 30)] as [(Bytes, Timestamp)] {
            try states.load(key, nil)
            add(key, due: due, to: states)
        }
        _ = states.changes()
        states.settle(kept: true)
        states.evict(above: 0, horizon: 20)
        #expect(states.pop(by: 100) == ["a", "b"])
        states.wait(for: "a", due: 10)
        states.wait(for: "c", due: 30)
        #expect(states.pop(by: 100) == ["c"], "the first was given already")
    }
}
