import EventModel
import Testing

@testable import faults

@Suite("Schedules and loads")
struct ScheduleTests {
    private func words(_ schedule: Schedule) -> [String] { schedule.faults.map { "\($0.at) \($0.fault)" } }

    @Test func `the same seed gives the same faults, another one others`() {
        let kinds = Fault.Kind.allCases
        let one = Schedule(seed: 7, kinds: kinds, over: .seconds(120))
        #expect(words(one) == words(Schedule(seed: 7, kinds: kinds, over: .seconds(120))))
        #expect(words(one) != words(Schedule(seed: 8, kinds: kinds, over: .seconds(120))))
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `each kind comes in each round, and none while it lasts`(seed: UInt64) {
        let kinds = Fault.Kind.allCases
        let faults = Schedule(seed: seed, kinds: kinds, over: .seconds(300)).faults
        for round in 0..<faults.count / kinds.count {
            let part = faults[round * kinds.count..<(round + 1) * kinds.count]
            #expect(Set(part.map(\.fault.kind)) == Set(kinds))
        }
        for kind in kinds {
            let own = faults.filter { $0.fault.kind == kind }
            for (one, next) in zip(own, own.dropFirst()) { #expect(one.at + one.fault.lasts < next.at) }
        }
        #expect(faults.allSatisfy { $0.at < .seconds(300) })
    }

    @Test func `the same seed gives the same load, with ids that no other producer has`() {
        func lines(_ name: String, _ kind: Load.Kind, seed: UInt64 = 1) -> [Chunk] {
            var load = Load(kind, name: name, tag: "f1", seed: seed, start: 0)
            return (0..<5).map { _ in load.chunk(now: 1_700_000_000_000) }
        }
        for kind in Load.Kind.allCases {
            #expect(lines("a", kind).map(\.lines) == lines("a", kind).map(\.lines))
            #expect(lines("a", kind).map(\.lines) != lines("a", kind, seed: 2).map(\.lines))
            let ids = (lines("a", kind) + lines("b", kind)).flatMap(\.ids)
            #expect(Set(ids).count == ids.count && ids.allSatisfy { $0.hasPrefix("f1") })
        }
    }
}
