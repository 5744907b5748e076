import Testing

@testable import EventModel

@Suite("Timers")
struct TimersTests {
    @Test func `keys come soonest first, and only those that are due`() {
        var timers = Timers()
        timers.set("c", due: 30)
        timers.set("a", due: 10)
        timers.set("d", due: 40)
        timers.set("b", due: 20)
        #expect(timers.next == 10)
        #expect(timers.pop(by: 9) == [])
        #expect(timers.pop(by: 30) == ["a", "b", "c"])
        #expect(timers.next == 40)
    }

    @Test func `a key is given once`() {
        var timers = Timers()
        timers.set("a", due: 10)
        #expect(timers.pop(by: 10) == ["a"])
        #expect(timers.pop(by: 100) == [])
        #expect(timers.next == nil)
    }

    @Test func `a later moment replaces an earlier one`() {
        var timers = Timers()
        timers.set("a", due: 10)
        timers.set("a", due: 20)
        #expect(timers.pop(by: 19) == [])
        #expect(timers.pop(by: 20) == ["a"])
        #expect(timers.pop(by: 100) == [])
    }

    @Test func `an earlier moment replaces a later one`() {
        var timers = Timers()
        timers.set("a", due: 20)
        timers.set("a", due: 10)
        #expect(timers.next == 10)
        #expect(timers.pop(by: 10) == ["a"])
        #expect(timers.pop(by: 100) == [])
    }

    @Test func `a key set to and fro is given once`() {
        var timers = Timers()
        for due in [10, 20, 10, 20, 10] as [Timestamp] { timers.set("a", due: due) }
        #expect(timers.pop(by: 100) == ["a"])
        #expect(timers.pop(by: 100) == [])
    }

    @Test func `a cancelled key is not given`() {
        var timers = Timers()
        timers.set("a", due: 10)
        timers.set("b", due: 20)
        timers.set("a", due: nil)
        #expect(timers.pop(by: 100) == ["b"])
        timers.set("c", due: 10)
        timers.set("c", due: nil)
        #expect(timers.next == nil)
        #expect(timers.pop(by: 100) == [])
    }

    @Test func `a key may be set again after it was given`() {
        var timers = Timers()
        timers.set("a", due: 10)
        #expect(timers.pop(by: 10) == ["a"])
        timers.set("a", due: 10)
        #expect(timers.pop(by: 10) == ["a"])
    }

    @Test func `the next moment is never too late`() {
        var timers = Timers()
        timers.set("a", due: 10)
        timers.set("b", due: 30)
        timers.set("a", due: 20)
        #expect(timers.next.map { $0 <= 20 } == true)
        #expect(timers.pop(by: 20) == ["a"])
        #expect(timers.next == 30)
    }
}
