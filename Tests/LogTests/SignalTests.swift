import EventModel
import Synchronization
import Testing

@testable import EventLog

@Suite("A signal", .timeLimit(.minutes(10)))
struct SignalTests {
    @Test func `a change wakes every waiter`() async {
        let signal = Signal()
        let version = signal.version
        let begun = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { await signal.wait(past: version, atMost: patience) } }
            await Task.yield()
            signal.notify()
        }
        #expect(ContinuousClock.now - begun < patience)
    }

    @Test func `a change before the wait is not missed`() async {
        let signal = Signal()
        let version = signal.version
        signal.notify()
        #expect(signal.version > version)
        let begun = ContinuousClock.now
        await signal.wait(past: version, atMost: patience)
        #expect(ContinuousClock.now - begun < patience)
    }

    @Test func `a wait ends when its time is over`() async {
        let signal = Signal()
        let begun = ContinuousClock.now
        await signal.wait(past: signal.version, atMost: .milliseconds(30))
        await signal.wait(past: signal.version, atMost: .zero)
        let took = ContinuousClock.now - begun
        #expect(took >= .milliseconds(30))
        #expect(took < patience)
    }

    @Test func `each wait ends after its own time, whatever the order in which they begin`() async {
        let signal = Signal()
        let waits = await withTaskGroup(of: (limit: Duration, took: Duration).self) { group in
            for limit in [300, 100, 200, 1, 250] {
                group.addTask {
                    let begun = ContinuousClock.now
                    await signal.wait(past: 0, atMost: .milliseconds(limit))
                    return (.milliseconds(limit), ContinuousClock.now - begun)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(waits.count == 5 && waits.allSatisfy { $0.took >= $0.limit && $0.took < patience }, "\(waits)")
    }

    @Test func `a change elsewhere does not end a wait, one here or anywhere does`() async {
        let (here, elsewhere) = (TopicPartition("a", 0), TopicPartition("a", 1))
        for change in [[here], [elsewhere, here], nil] {
            let signal = Signal()
            let begun = ContinuousClock.now
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await signal.wait(past: 0, atMost: patience, in: [here, TopicPartition("b", 0)])
                }
                // Once it waits, it is only told of changes.
                while signal.waiting == 0 { await Task.yield() }
                for _ in 0..<100 {
                    signal.notify([elsewhere])
                    await Task.yield()
                }
                #expect(signal.waiting == 1)
                signal.notify(change)
            }
            #expect(ContinuousClock.now - begun < patience)
        }
    }

    @Test func `a wait ends when its task is cancelled`() async {
        let signal = Signal()
        let begun = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 { group.addTask { await signal.wait(past: signal.version, atMost: patience) } }
            await Task.yield()
            group.cancelAll()
        }
        #expect(ContinuousClock.now - begun < patience)
    }

    private final class Counter: Sendable {
        let count = Atomic(0)
    }

    @Test func `none of many changes is missed`() async {
        let signal = Signal()
        let counter = Counter()
        let total = 2000
        let begun = ContinuousClock.now
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    while true {
                        let version = signal.version
                        if counter.count.load(ordering: .acquiring) == total { return }
                        await signal.wait(past: version, atMost: patience)
                    }
                }
            }
            group.addTask {
                for _ in 0..<total {
                    counter.count.add(1, ordering: .releasing)
                    signal.notify()
                    await Task.yield()
                }
            }
        }
        // Had one waited past a change in vain, it alone had taken this long.
        #expect(ContinuousClock.now - begun < patience)
    }

    @Test func `where nothing changes there is one look, and each change is worth another`() async {
        let signal = Signal()
        var looks = 0
        let nothing: Int? = await signal.first(within: .milliseconds(30)) {
            looks += 1
            return nil
        }
        #expect(nothing == nil && looks == 1)
        let third: Int? = await signal.first(within: patience) {
            looks += 1
            signal.notify()
            return looks == 4 ? looks : nil
        }
        #expect(third == 4)
        let late: Int? = await signal.first(within: .milliseconds(30), pause: { .milliseconds(5) }) {
            looks += 1
            return nil
        }
        #expect(late == nil && looks > 5)
    }
}

@Suite("Looks that nobody asked for")
struct BeatTests {
    @Test(arguments: [1_000, 1_500, 5_000, 60_000] as [Int64]) func `fall on the same moments`(milliseconds: Int64) {
        let (limit, start) = (Duration.milliseconds(milliseconds), ContinuousClock.now)
        let first = start + Beat.within(.seconds(1), from: start)
        for step in -20..<50 {
            let now = start + .milliseconds(37) * step
            let wait = Beat.within(limit, from: now)
            #expect(wait > .zero && wait <= limit && wait > limit - .seconds(1))
            let off = (now + wait - first) / .seconds(1)
            #expect(abs(off - off.rounded()) < 0.000_01, "\(now + wait) is \(off) seconds after \(first)")
        }
    }

    @Test(arguments: [0, 1, 999] as [Int64]) func `and what is due sooner is not moved`(milliseconds: Int64) {
        #expect(Beat.within(.milliseconds(milliseconds)) == .milliseconds(milliseconds))
    }
}
